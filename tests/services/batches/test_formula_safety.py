"""Cells that a spreadsheet would run as a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_app.services.batches import formula_safety
from admin_app.services.batches.csv_import.reading import CsvSource

DANGEROUS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)")


class TestDefused:
    @pytest.mark.parametrize("text", DANGEROUS)
    def test_what_would_run_gets_an_apostrophe(self, text: str) -> None:
        assert formula_safety.defused(text) == f"'{text}"
        assert formula_safety.is_defused(f"'{text}")

    @pytest.mark.parametrize("text", ["", "plain", "a=1", "'quoted'", "1-2", " =1"])
    def test_everything_else_stays_as_it_is(self, text: str) -> None:
        assert formula_safety.defused(text) == text
        assert not formula_safety.is_defused(text)


class TestOriginal:
    @given(st.text(alphabet="'=+-@\t\rab ", max_size=6))
    def test_it_is_the_exact_inverse(self, text: str) -> None:
        assert formula_safety.original(formula_safety.defused(text)) == text

    @given(st.text(alphabet="'=+-@\t\rab ", max_size=6))
    def test_no_defused_text_runs(self, text: str) -> None:
        assert not formula_safety.defused(text).startswith(("=", "+", "-", "@", "\t", "\r"))


class TestThroughAFile:
    """S-08: whatever is in the cells, an export has no formula and reading it gives the cells back."""

    @given(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
            | st.text(alphabet="'=+-@\t\r\n\",;| a＝", max_size=8),
            min_size=1,
            max_size=6,
        )
    )
    def test_every_cell_comes_back(self, cells: list[str]) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(["One", "Two"])
        writer.writerows([[formula_safety.defused(cell), "x"] for cell in cells])
        rows = [row.cells for row in CsvSource(io.BytesIO(text.getvalue().encode())).rows()]
        assert not [cell for cell, _ in rows if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))]
        assert [formula_safety.original(cell) for cell, _ in rows] == cells

    def test_without_it_there_would_be_formulas(self) -> None:
        """The control: the check above sees a cell that nobody has defused."""
        rows = CsvSource(io.BytesIO(b"One,Two\r\n=1+1,x\r\n")).rows()
        assert next(rows).cells[0].startswith("=")
