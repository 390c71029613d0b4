"""Cells that a spreadsheet would run as a formula: defused on the way out, given back on the way in."""

import re

_RUNS = re.compile(r"'*[=+\-@\t\r]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r]")


def defused(text: str) -> str:
    """The text with an apostrophe in front when it starts with = + - @ TAB or CR, apostrophes before that or not.

    Counting the apostrophes in is what makes `original` the exact inverse.
    """
    return f"'{text}" if _RUNS.match(text) else text


def is_defused(cell: str) -> bool:
    """Whether the cell carries an apostrophe that `defused` may have put there."""
    return _DEFUSED.match(cell) is not None


def original(cell: str) -> str:
    """What `defused` was given."""
    return cell[1:] if is_defused(cell) else cell
