"""The rows that were turned away, as a CSV file: put right the cells, and import that file."""

import csv
from collections.abc import Sequence
from typing import TextIO

from admin_app.services.batches import formula_safety
from admin_app.services.batches.csv_import.drafting import Rejection

ADDED = ("line", "column", "reason")
"""What stands beside the original columns."""


class RejectedRows:
    """Writes the header at once and a line per rejected row, formula-safe."""

    def __init__(self, file: TextIO, header: Sequence[str]) -> None:
        self._writer = csv.writer(file)
        self._width = len(header)
        self._writer.writerow([*map(formula_safety.defused, header), *_names_beside(header)])

    def write(self, rejection: Rejection) -> None:
        """Add one row; a damaged line is kept as it was, in the first column."""
        row = rejection.row
        cells = [*row.cells, *[""] * self._width]
        kept = cells[: self._width]
        surplus = row.cells[self._width :]
        if surplus:
            kept[-1] = ",".join([kept[-1], *surplus])
        beside = [str(row.line), rejection.column, rejection.reason]
        self._writer.writerow([formula_safety.defused(cell) for cell in (*kept, *beside)])


def _names_beside(header: Sequence[str]) -> list[str]:
    """The added names; a file that is itself such a report keeps its own apart."""
    taken, names = set(header), []
    for name in ADDED:
        while name in taken:
            name = f"{name} again"
        names.append(name)
    return names
