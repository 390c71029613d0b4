"""A look into a file."""

from pathlib import Path

import pytest

from admin_app.services.batches.imports import previews
from tests.services.batches.csv_files import HEADER, csv_bytes, row, rows


@pytest.fixture
def look(tmp_path: Path):
    def look(content: bytes) -> previews.Preview:
        file = tmp_path / "tickets.csv"
        file.write_bytes(content)
        return previews.look(file)

    return look


class TestLook:
    def test_the_first_rows_and_the_words_of_columns(self, look) -> None:
        found = look(csv_bytes([*rows(6), row(State="Done"), row(State=" Done ")]))
        assert (len(found.rows), found.header, found.encoding, found.delimiter) == (5, HEADER, "utf-8-sig", ",")
        assert found.choices("State") == ["Waiting", "Done"]
        assert (found.choices("Answer"), found.choices("Nowhere")) == ([], ())

    def test_a_column_of_many_words_is_no_choice(self, look) -> None:
        found = look(csv_bytes(rows(41)))
        assert (found.choices("Id"), len(found.words["Id"])) == ((), 40)
        assert look(csv_bytes(rows(40))).choices("Id")

    def test_damaged_lines_are_passed_over(self, look) -> None:
        found = look(b"a,b\r\n1\r\n2,3\r\n")
        assert (list(found.rows), found.words) == ([["2", "3"]], {"a": ["2"], "b": ["3"]})

    @pytest.mark.parametrize(
        ("encoding", "delimiter", "name"), [("utf-16", ";", "utf-16"), ("cp1252", "\t", "cp1252"), ("utf-8", "|", None)]
    )
    def test_any_encoding_and_delimiter(self, look, encoding, delimiter, name) -> None:
        text = csv_bytes([row(Who="Zoë")], delimiter=delimiter).decode()
        found = look(text.encode(encoding))
        assert (found.rows[0][2], found.delimiter, found.encoding) == ("Zoë", delimiter, name or "utf-8-sig")


class TestWithoutReport:
    def test_the_three_columns_of_a_report_are_passed_over(self, look) -> None:
        found = look(b"a,line,column,reason\r\n1,2,a,bad\r\n")
        assert (found.header, list(found.rows)) == (("a",), [["1"]])

    def test_nothing_else_is(self) -> None:
        for header in (("a", "b"), ("line", "column", "reason"), ("line", "column", "reason", "a")):
            assert previews.without_report(header) == header
