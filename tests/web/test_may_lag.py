"""What a replica may answer: pages that are only looked at. A form, or what decides about a change, never is one."""

import ast

from tests.support.house import PROJECT_ROOT

MAY_LAG = {
    "audit_list.page",
    "dashboard.summary",
    "lookup.suggest_people",  # whoever is chosen is looked up again when the form comes in
    "notification_list.page",
    "people_list.page",
    "requests.count",  # of an export: what is shown beside its button
    "ticket_list.page",
    "ticket_list.trash_page",
}


def test_lists_search_and_counts_and_nothing_else() -> None:
    found = set()
    for file in sorted((PROJECT_ROOT / "admin_app" / "web").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            marks = isinstance(node, ast.Call) and any(word.arg == "may_lag" for word in node.keywords)
            if marks and ast.unparse(node.func) in {"read", "look_up"}:
                found.add(ast.unparse(node.args[1]))
    assert found == MAY_LAG
