"""A look into a file: its first rows, and the words of columns that hold only a few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from admin_app.services.batches.csv_import.reading import CsvSource
from admin_app.services.batches.csv_import.rejected_rows import ADDED

SHOWN_ROWS = 5
LOOKED_AT_ROWS = 5_000
MOST_WORDS = 40


@dataclass(frozen=True)
class Preview:
    """What a person needs to see in order to say what the columns mean."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Mapping[str, Sequence[str]]
    """Column → its different words in the order of the file; at most `MOST_WORDS` of them."""
    crowded: frozenset[str] = frozenset()
    """Columns with more words than that."""
    encoding: str = ""
    delimiter: str = ","

    def choices(self, column: str) -> Sequence[str]:
        """The words of a column that is a choice among a few; empty when it holds anything."""
        return () if column in self.crowded else self.words.get(column, ())


def look(file: Path) -> Preview:
    """Read the first rows of a stored file; blocks, so call it in a thread."""
    with file.open("rb") as binary:
        source = CsvSource(binary)
        header = without_report(source.header)
        shown: list[Sequence[str]] = []
        words: dict[str, dict[str, None]] = {name: {} for name in header}
        for row in islice(source.rows(), LOOKED_AT_ROWS):
            if row.problem:
                continue
            if len(shown) < SHOWN_ROWS:
                shown.append(row.cells[: len(header)])
            for name, cell in zip(header, row.cells, strict=False):
                if len(words[name]) <= MOST_WORDS and cell.strip():
                    words[name][cell.strip()] = None
        return Preview(
            header=header,
            rows=shown,
            words={name: list(found)[:MOST_WORDS] for name, found in words.items()},
            crowded=frozenset(name for name, found in words.items() if len(found) > MOST_WORDS),
            encoding=source.encoding,
            delimiter=source.delimiter,
        )


def without_report(header: Sequence[str]) -> tuple[str, ...]:
    """The columns of the original file: a report of rejected rows that is sent again carries three more."""
    names = tuple(header)
    return names[: -len(ADDED)] if names[-len(ADDED) :] == ADDED and len(names) > len(ADDED) else names
