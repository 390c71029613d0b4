"""What every file of the house keeps to."""

import ast
from pathlib import Path

from tests.support.cells import for_every
from tests.support.house import ADMIN_APP, PROJECT_ROOT, functions_in, length_of, method_calls, name_of, python_files

ONLY_COMMITTER = ADMIN_APP / "db" / "database.py"
LONGEST_SOURCE, LONGEST_TEST, LONGEST_FUNCTION, MOST_PARAMETERS = 400, 500, 40, 7
DEADLINES = ("deadline", "monotonic", "patience")

SOURCES = python_files(ADMIN_APP)
TESTS = python_files(PROJECT_ROOT / "tests")
SERVICES = python_files(ADMIN_APP / "services")


class TestCommit:
    def test_only_the_database_commits_or_rolls_back(self) -> None:
        others = {
            name_of(file): lines
            for file in SOURCES
            if file != ONLY_COMMITTER and (lines := method_calls(file, "commit", "rollback"))
        }
        assert others == {}, (
            "Only Database.run commits. A commit inside a service cannot be taken back by its caller, so a batch could "
            "end half done; and it would not be retried as a whole. flush() instead."
        )

    def test_the_rule_sees_a_commit_where_there_is_one(self) -> None:
        """The negative control."""
        assert method_calls(ONLY_COMMITTER, "commit", "rollback")


class TestSize:
    @for_every(SOURCES, name_of)
    def test_a_source_file_fits_into_a_head(self, file: Path) -> None:
        assert length_of(file) <= LONGEST_SOURCE, "Split it by verb: a file that does one thing is found in one guess."

    @for_every(TESTS, name_of)
    def test_a_test_file_fits_into_a_head(self, file: Path) -> None:
        assert length_of(file) <= LONGEST_TEST, "Split it by what is tested, one file per behaviour."

    @for_every(SOURCES + TESTS, name_of)
    def test_a_function_fits_on_a_screen(self, file: Path) -> None:
        lengths = {
            f"{node.name}:{node.lineno}": (node.end_lineno or 0) - node.lineno + 1 for node in functions_in(file)
        }
        too_long = {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
        assert too_long == {}, f"Over {LONGEST_FUNCTION} lines nobody sees the end of it from its beginning."

    @for_every(SERVICES, name_of)
    def test_a_service_takes_few_arguments(self, file: Path) -> None:
        counts = {}
        for node in functions_in(file):
            given = [a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
            counts[node.name] = len([name for name in given if name not in {"self", "cls"}])
        too_many = {name: count for name, count in counts.items() if count > MOST_PARAMETERS}
        assert too_many == {}, "More arguments than that belong together in a dataclass with a name."


class TestWriting:
    @for_every(SOURCES + TESTS, name_of)
    def test_every_module_says_what_it_is(self, file: Path) -> None:
        assert ast.get_docstring(ast.parse(file.read_text())), "One line that tells a newcomer whether to read on."


def endless(file: Path) -> list[int]:
    """Lines of loops that wait for something, or for anything, without looking at the time."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    timed = [one for one in nodes if isinstance(one, ast.AsyncWith) and "timeout(" in ast.unparse(one.items[0])]
    in_time = {id(inner) for one in timed for inner in ast.walk(one)}
    found = []
    for node in nodes:
        if (
            isinstance(node, ast.While)
            and id(node) not in in_time
            and not any(word in ast.unparse(node.test) for word in DEADLINES)
        ):
            waits = any(isinstance(call, ast.Call) and "sleep" in ast.unparse(call.func) for call in ast.walk(node))
            found += [node.lineno] if waits or isinstance(node.test, ast.Constant) else []
    return found


class TestWaiting:
    def test_no_test_waits_for_ever(self) -> None:
        assert {name_of(file): lines for file in TESTS if (lines := endless(file))} == {}, (
            "What never comes true must fail with a sentence instead of holding up every other test: "
            "`await until(condition, sentence)` of tests/support/waiting.py, or `for … in range(…)`."
        )

    def test_the_rule_sees_an_endless_wait(self, tmp_path: Path) -> None:
        """The negative control."""
        file = tmp_path / "test_it.py"
        file.write_text(
            "while not done():\n    sleep(1)\nwhile True:\n    go_on()\nwhile time() < deadline:\n    sleep(1)\n"
            "async def f():\n    async with timeout(5):\n        while True:\n            await sleep(1)\n"
        )
        assert endless(file) == [1, 3]


class TestWeb:
    @for_every(python_files(ADMIN_APP / "web"), name_of)
    def test_the_web_does_not_talk_to_the_database(self, file: Path) -> None:
        found = []
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [name for name in names if name.split(".")[0] == "sqlalchemy" or name.startswith("admin_app.db")]
        assert found == [], "A page that builds statements passes by permission, audit and lock: ask a service."
