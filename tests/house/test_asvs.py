"""The table of OWASP ASVS 5.0, level 2: complete, and true as far as a test can know."""

import ast
import csv
import re
from collections import Counter
from functools import cache

import pytest

from tests.support.house import PROJECT_ROOT

SECTIONS = {
    1: (2, 9, 11, 3, 2),
    2: (3, 3, 4, 1),
    3: (0, 2, 4, 6, 5, 0, 2),
    4: (3, 1, 2, 4),
    5: (1, 3, 2, 3),
    6: (3, 12, 4, 4, 5, 3, 0, 4),
    7: (3, 4, 2, 5, 2, 2),
    8: (2, 3, 1, 1),
    9: (3, 4),
    10: (2, 2, 4, 11, 5, 2, 3),
    11: (2, 3, 3, 4, 1, 1),
    12: (3, 2, 4),
    13: (1, 5, 2, 5),
    14: (2, 4, 3),
    15: (3, 3, 7),
    16: (1, 5, 4, 3, 3),
    17: (1, 4, 2),
}
"""Chapter → how many requirements of levels 1 and 2 each of its sections has, in the published list of 5.0.0."""

LEVELS = {"1": 70, "2": 183}

with (PROJECT_ROOT / "config" / "asvs-5.0-level-2.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))


def in_state(state: str) -> list[dict[str, str]]:
    """The rows that claim it."""
    return [row for row in ROWS if row["state"] == state]


@cache
def names_in(path: str) -> frozenset[str]:
    """Every test of a file as pytest writes it, its classes and the file itself; nothing when there is no such file."""
    whole = PROJECT_ROOT / path
    if not whole.is_file():
        return frozenset()
    found = {path}
    for node in ast.parse(whole.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            members = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
            tests = [one.name for one in members if one.name.startswith("test_")]
            found |= {f"{path}::{node.name}::{name}" for name in tests}
            found |= {f"{path}::{node.name}"} if tests else set()
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            found.add(f"{path}::{node.name}")
    return frozenset(found)


def missing(evidence: str) -> list[str]:
    """What of this evidence does not exist, or names a whole file where it should name a test."""
    return [node for node in evidence.split() if "::" not in node or node not in names_in(node.split("::")[0])]


class TestTable:
    def test_every_requirement_is_there_once(self) -> None:
        ids = [row["id"] for row in ROWS]
        assert all(re.fullmatch(r"V\d+\.\d+\.\d+", name) for name in ids)
        assert len(ids) == len(set(ids)) == 253
        assert Counter(row["level"] for row in ROWS) == LEVELS
        counts = Counter(name.rsplit(".", 1)[0] for name in ids)
        wanted = {f"V{c}.{number}": many for c, all_ in SECTIONS.items() for number, many in enumerate(all_, 1) if many}
        assert counts == wanted

    def test_they_stand_in_their_order(self) -> None:
        keys = [[int(part) for part in row["id"][1:].split(".")] for row in ROWS]
        assert keys == sorted(keys)

    def test_each_says_what_it_asks_in_few_words_of_our_own(self) -> None:
        assert [row["id"] for row in ROWS if not 5 <= len(row["requirement"]) <= 90] == []
        assert [row["id"] for row in ROWS if "verify that" in row["requirement"].lower()] == []

    def test_there_are_three_states(self) -> None:
        assert {row["state"] for row in ROWS} == {"test", "n/a", "open"}

    @pytest.mark.parametrize("row", in_state("test"), ids=lambda row: row["id"])
    def test_what_is_shown_by_a_test_names_tests_that_exist(self, row: dict[str, str]) -> None:
        assert row["evidence"].split(), "A claim without a test is open."
        assert missing(row["evidence"]) == [], "Whoever renames a test renames it here, or the claim is empty."

    @pytest.mark.parametrize("state", ["n/a", "open"])
    def test_the_others_say_why(self, state: str) -> None:
        wordless = [row["id"] for row in in_state(state) if not re.fullmatch(r"[A-Z`].{10,}[.]", row["evidence"])]
        assert wordless == [], "Not applicable needs a reason, and open needs what is missing."


class TestTheMeasure:
    @pytest.mark.parametrize(
        "evidence",
        [
            "tests/house/test_asvs.py",
            "tests/nowhere/test_nothing.py::TestNothing",
            "tests/house/test_asvs.py::TestNothing",
            "tests/house/test_asvs.py::TestTable::test_nothing",
            "tests/house/test_asvs.py::names_in",
        ],
    )
    def test_an_empty_claim_is_seen(self, evidence: str) -> None:
        """The negative control."""
        assert missing(evidence) == [evidence]

    def test_a_good_one_passes(self) -> None:
        good = "tests/house/test_asvs.py::TestTable tests/house/test_asvs.py::TestTable::test_there_are_three_states"
        assert missing(good) == []


class TestReadme:
    SECTION = " ".join((PROJECT_ROOT / "README.md").read_text().split("## Security")[1].split("\n## ")[0].split())

    def test_its_counts_are_those_of_the_table(self) -> None:
        said = re.search(
            r"Of 253 requirements (\d+) are shown by tests, (\d+) do not apply and (\d+) are open", self.SECTION
        )
        assert said, "README states the counts."
        assert [int(number) for number in said.groups()] == [len(in_state(state)) for state in ("test", "n/a", "open")]

    def test_it_says_how_soon_holes_are_mended(self) -> None:
        assert re.search(r"mended within (a|\d+) (day|week)", self.SECTION)
        assert "make audit" in self.SECTION
