"""A spreadsheet that programs open and people can trust."""

import io
import tempfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from admin_app.errors import TooLarge
from admin_app.models import ExportFormat, Ticket
from admin_app.services.batches import formula_safety
from admin_app.services.batches.exports import spreadsheets
from admin_app.services.batches.exports.columns import HEADINGS
from admin_app.services.batches.exports.spreadsheets import Book
from tests.services.batches.exports.exporting import DANGEROUS, exported
from tests.services.scenes import Desk


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files in the making lie."""
    (made := tmp_path / "making").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


class TestBook:
    async def test_cells_are_texts_and_none_is_a_formula(self, desk: Desk, folder: Path) -> None:
        for text in [*DANGEROUS, "bell \x07 rings", "x" * 40_000, "line\u2028end"]:
            ticket = await desk.ticket()
            await desk.set(Ticket, ticket.id, title=text[:200], description=text)
        sheet = load_workbook(io.BytesIO(await exported(desk, ExportFormat.XLSX)))["Tickets"]
        assert tuple(cell.value for cell in sheet[1]) == HEADINGS
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
        texts = [row[2].value for row in sheet.iter_rows(min_row=2)]
        plain = [formula_safety.defused(text).replace("\r", "\n") for text in DANGEROUS]
        assert [text.replace("\r", "\n").replace("_x000D_", "\n") for text in texts[: len(DANGEROUS)]] == plain
        assert texts[-3:-1] == ["bell  rings", "x" * (32_767 - len(spreadsheets.CUT)) + spreadsheets.CUT]
        assert texts[-1] == "line\u2028end"
        assert list(folder.iterdir()) == []

    def test_one_that_is_given_up_leaves_no_file(self, folder: Path) -> None:
        book = Book()
        book.add(b'["a"]\n["b"]\n')
        assert list(folder.iterdir()) != []
        book.close()
        assert list(folder.iterdir()) == []

    def test_more_rows_than_a_sheet_holds_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spreadsheets, "MOST_ROWS", 1)
        book = Book()
        with pytest.raises(TooLarge, match="at most 1 tickets"):
            book.add(b'["a"]\n["b"]\n')
        book.close()
