"""Alert rules and dashboard ask for what `/metrics` answers, and each alert says what to do."""

import json
import re
from collections.abc import Iterator

import pytest

from admin_app.web.routes import ROWS
from tests.support import plain_yaml
from tests.support.house import PROJECT_ROOT
from tests.web.test_metrics import every_metric

ALERTS = plain_yaml.load((PROJECT_ROOT / "config" / "prometheus-alerts.yml").read_text())
DASHBOARD = json.loads((PROJECT_ROOT / "config" / "grafana-dashboard.json").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
METRICS = dict(every_metric())

STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
NAMES = re.compile(r"\bdesk_\w+")
MATCHERS = re.compile(r"(desk_\w+)\{([^}]*)\}")
GROUPS = re.compile(r"\b(?:by|without|on|ignoring) *\(([^)]*)\)")
WORDS = re.compile(r"[A-Za-z_]\w*")
SHOWN = re.compile(r"\{\{ *(?:\$labels\.)?(\w+) *\}\}")
FUNCTIONS = {
    *("absent", "min", "max", "sum", "count", "time", "increase", "rate", "histogram_quantile", "topk"),
    *("by", "on", "and"),
}


def expressions() -> Iterator[tuple[str, str, str]]:
    """Where it stands, the expression, and the text beside it that may name labels."""
    for rule in RULES:
        yield rule["alert"], rule["expr"], json.dumps(rule["annotations"])
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]


def faults_in(expression: str, beside: str = "") -> list[str]:
    """What it names and nobody answers."""
    names = set(NAMES.findall(expression))
    faults = [f"{name} is not answered" for name in sorted(names - METRICS.keys())]
    labels: set[str] = set().union(*(METRICS.get(name, set()) for name in names))
    for name, matchers in MATCHERS.findall(STRINGS.sub('""', expression)):
        faults += [
            f"{name} has no {label}" for label in WORDS.findall(matchers) if label not in METRICS.get(name, set())
        ]
    for group in GROUPS.findall(expression):
        faults += [f"nothing has {label}" for label in WORDS.findall(group) if label not in labels]
    grouped = {label for group in GROUPS.findall(expression) for label in WORDS.findall(group)}
    plain = GROUPS.sub(" ", re.sub(r"\[[^\]]*\]", " ", re.sub(r"\{[^}]*\}", " ", STRINGS.sub('""', expression))))
    faults += [f"{word} is no function" for word in WORDS.findall(plain) if word not in FUNCTIONS | names]
    faults += [f"{label} is not kept" for label in SHOWN.findall(beside) if grouped and label not in grouped]
    if expression.count("(") != expression.count(")") or not names:
        faults.append("it is not whole")
    return faults


class TestExpressions:
    def test_every_one_asks_for_what_is_answered(self) -> None:
        wrong = {
            (where, fault) for where, expression, beside in expressions() for fault in faults_in(expression, beside)
        }
        assert wrong == set()

    @pytest.mark.parametrize(
        ("expression", "fault"),
        [
            ("desk_no_such_thing > 0", "desk_no_such_thing is not answered"),
            ("desk_requests > 0", "desk_requests is not answered"),
            ('desk_pool_waiting{route="/"} > 0', "desk_pool_waiting has no route"),
            ("sum by (kind) (desk_pool_waiting)", "nothing has kind"),
            ("sums(desk_pool_waiting)", "sums is no function"),
            ("sum(desk_pool_waiting", "it is not whole"),
        ],
    )
    def test_a_wrong_one_would_be_found(self, expression: str, fault: str) -> None:
        assert fault in faults_in(expression)

    def test_nothing_that_is_answered_is_of_no_use(self) -> None:
        asked = {name for _, expression, _ in expressions() for name in NAMES.findall(expression)}
        unused = {re.sub(r"_(bucket|sum|count)$", "_bucket", name) for name in METRICS} - asked
        assert unused == {"desk_pool_size", "desk_pool_checked_in"}, "those two are for whoever looks closer"


class TestRules:
    def test_each_has_a_name_of_its_own_says_what_is_wrong_and_what_to_do(self) -> None:
        names = [rule["alert"] for rule in RULES]
        assert len(set(names)) == len(names) >= 12
        for rule in RULES:
            assert re.fullmatch(r"Desk[A-Z]\w+", rule["alert"])
            assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
            assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
            assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
            assert all(len(text) >= 30 and text.endswith(".") for text in rule["annotations"].values()), rule["alert"]

    def test_pages_that_they_send_people_to_exist(self) -> None:
        sent = set(re.findall(r"/admin/[\w/-]+", json.dumps([RULES, DASHBOARD])))
        assert sent - {row.path for row in ROWS} == set()


class TestDashboard:
    def test_every_panel_has_a_place_of_its_own_and_a_title(self) -> None:
        panels = DASHBOARD["panels"]
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
        assert len(set(places)) == len({panel["id"] for panel in panels}) == len({p["title"] for p in panels}) >= 10
        assert all(target["datasource"]["uid"] == "${datasource}" for p in panels for target in p["targets"])
        assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource"]


class TestPlainYaml:
    @pytest.mark.parametrize("text", ["a: [1]", "a: 'b'", "a: b: c", "a: b # c", "- a: b\nc: d", "a: b\na: c", 'a: "b'])
    def test_what_others_might_read_differently_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError):
            plain_yaml.load(text)
