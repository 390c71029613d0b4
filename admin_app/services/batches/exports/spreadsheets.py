"""Rows into a spreadsheet file on the disk: memory does not grow with it."""

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from admin_app.errors import TooLarge
from admin_app.services.batches.exports.columns import HEADINGS

MOST_ROWS = 200_000
"""A sheet could hold a million, and nobody would wait for it: making a row takes a tenth of a millisecond."""
LONGEST_CELL = 32_767
CUT = " … [cut: a cell of a spreadsheet holds no more]"
PIECE_BYTES = 256 * 1024


class Book:
    """One sheet of tickets. Blocks: use it in a thread, as a context, so that no file stays behind."""

    def __init__(self) -> None:
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet("Tickets")
        self._sheet.freeze_panes = "A2"
        self._sheet.append(HEADINGS)
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._rows = 0
        self._is_saved = False

    def add(self, lines: bytes) -> None:
        """Append rows, each a JSON list on a line of its own; `TooLarge` beyond `MOST_ROWS`."""
        for line in (
            lines.decode().removesuffix("\n").split("\n")
        ):  # not every sign that ends a line of text ends one here
            self._rows += 1
            if self._rows > MOST_ROWS:
                raise TooLarge(
                    f"A spreadsheet is made of at most {MOST_ROWS:,} tickets. Choose CSV, which its program opens too."
                )
            self._sheet.append([_fitting(cell) for cell in json.loads(line)])

    def save(self) -> None:
        """Make the file; its bytes are then there."""
        self._book.save(self._file)
        self._is_saved = True
        self._file.seek(0)

    def pieces(self) -> Iterator[bytes]:
        """The bytes."""
        while piece := self._file.read(PIECE_BYTES):
            yield piece

    def close(self) -> None:
        """Remove what is on the disk, finished or not."""
        self._file.close()
        if not self._is_saved:
            writer: Any = self._sheet._writer
            self._sheet.close()
            writer.cleanup()


def _fitting(cell: str) -> str:
    """The text as the format takes it: no control characters, and cut where it is too long, saying so."""
    text = ILLEGAL_CHARACTERS_RE.sub("", cell) if not cell.isprintable() else cell
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(CUT)] + CUT
