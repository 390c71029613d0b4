"""Rows of a CSV file, one at a time: memory does not grow with the file."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from admin_app.errors import InvalidInput

if TYPE_CHECKING:
    import _csv

CHUNK_BYTES = 256 * 1024
MOST_COLUMNS = 200
LONGEST_HEADING = 200
LONGEST_LINE = 1_000_000
LONGEST_CELL = 500_000
DELIMITERS = ",;\t|"
ARCHIVE_SIGNATURES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Row(NamedTuple):
    """One record; `line` is where it starts, `problem` says why it could not be read."""

    line: int
    cells: list[str]
    problem: str = ""


class CsvSource:
    """An opened CSV file: its header, and its rows as often as they are asked for."""

    def __init__(self, binary: BinaryIO) -> None:
        """Look at the whole file once, in pieces. `InvalidInput` at `file` when it is no CSV text with a header."""
        self._binary = binary
        self.size = binary.seek(0, io.SEEK_END)
        self.encoding = _encoding_of(binary)
        first_line = _Lines(self._text()).head()
        self.delimiter = max(DELIMITERS, key=lambda candidate: len(_cells(first_line, candidate)))
        self.header = tuple(cell.strip() for cell in _cells(first_line, self.delimiter))
        _check_header(self.header)
        if next(self.rows(), None) is None:
            raise _refused("This file has a header but no rows.")

    @property
    def position(self) -> int:
        """How many bytes have been read so far, of `size`."""
        return self._binary.tell()

    def rows(self) -> Iterator[Row]:
        """Every record after the header. Empty lines are no records; a damaged one carries its problem."""
        lines = _Lines(self._text())
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        csv.field_size_limit(LONGEST_CELL)
        seen_header = False
        while (row := _next_row(reader, lines)) is not None:
            if seen_header and (row.problem or any(cell.strip() for cell in row.cells)):
                yield self._checked(row)
            seen_header = True

    def _checked(self, row: Row) -> Row:
        if row.problem:
            return row
        if len(row.cells) != len(self.header):
            return row._replace(problem=f"This line has {len(row.cells):,} columns; the header has {len(self.header)}.")
        if [cell.strip() for cell in row.cells] == list(self.header):
            return row._replace(problem="This line repeats the header.")
        return row

    def _text(self) -> io.TextIOWrapper:
        self._binary.seek(0)
        return _Text(self._binary, encoding=self.encoding, newline="")


class _Text(io.TextIOWrapper):
    """Leaves the file open when it is forgotten: the file is the caller's."""

    def __del__(self) -> None:
        if not self.closed:
            self.detach()


class _Lines:
    """Physical lines for the CSV reader; remembers those of the record that is being read."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.record: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) == LONGEST_LINE:
            raise _refused(f"This file has a line of more than {LONGEST_LINE:,} characters.")
        self.record.append(line)
        return line

    def head(self) -> str:
        """The first line; headings that span lines are not supported."""
        return next(self, "")


def _next_row(reader: "_csv.Reader", lines: _Lines) -> Row | None:
    """The next record, or what is wrong with it: reading goes on at the next line, so that good rows still get in."""
    start = reader.line_num + 1
    lines.record.clear()
    try:
        cells = next(reader, None)
    except csv.Error as error:
        return Row(start, ["".join(lines.record).rstrip("\r\n")], f"This line is not valid CSV: {error}.")
    return None if cells is None else Row(start, cells)


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def _encoding_of(binary: BinaryIO) -> str:
    """UTF-8 or UTF-16 by their marks, else UTF-8 when every byte fits, else Windows-1252."""
    binary.seek(0)
    start = binary.read(4)
    if not start:
        raise _refused("This file is empty.")
    if start.startswith(ARCHIVE_SIGNATURES):
        raise _refused("This is a spreadsheet or an archive. Save the sheet as CSV and import that.")
    for encoding in ["utf-16"] if start.startswith(UTF_16_MARKS) else ["utf-8-sig", "cp1252"]:
        if _decodes(binary, encoding):
            return encoding
    raise _refused("This file is no text in UTF-8, UTF-16 or Windows-1252. Save it as UTF-8.")


def _decodes(binary: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    binary.seek(0)
    try:
        while chunk := binary.read(CHUNK_BYTES):
            if "\x00" in decoder.decode(chunk):
                raise _refused("This file is not text: it may be a workbook or a picture. Save it as CSV in UTF-8.")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _check_header(header: tuple[str, ...]) -> None:
    if not any(header):
        raise _refused("The first line of this file is empty; it must name the columns.")
    if len(header) > MOST_COLUMNS:
        raise _refused(f"The first line names {len(header):,} columns; at most {MOST_COLUMNS} are taken.")
    if max(map(len, header)) > LONGEST_HEADING:
        raise _refused(f"The first line names a column of more than {LONGEST_HEADING} characters.")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise _refused(f"The first line names this column twice: {', '.join(twice)}.")
    if any(not character.isprintable() for name in header for character in name):
        raise _refused("The first line holds control characters, so this is no CSV file.")


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(file=sentence)
