"""Cells that a spreadsheet would run as a formula: defused on the way out, given back on the way in."""

import re

from sqlalchemy import ColumnElement, case

from admin_app.db import rendering

STARTS = "=+-@\t\r\n＝＋－＠"
SHIELD = "'"
_STARTS = f"[{re.escape(STARTS)}]"
_RUNS = re.compile(f"{SHIELD}*{_STARTS}")
_DEFUSED = re.compile(f"{SHIELD}+{_STARTS}")


def defused(text: str) -> str:
    """The text with an apostrophe in front when it starts with = + - @, TAB, CR or LF, apostrophes before that or not.

    The wide forms of the four signs count too: East Asian versions of spreadsheets take them for the same. Counting
    the apostrophes in is what makes `original` the exact inverse.
    """
    return f"'{text}" if _RUNS.match(text) else text


def defused_text(text: ColumnElement[str]) -> ColumnElement[str]:
    """The same, done by the database."""
    runs = rendering.begins_with_one_of(text, STARTS, after=SHIELD)
    return case((runs, rendering.constant(SHIELD) + text), else_=text)


def is_defused(cell: str) -> bool:
    """Whether the cell carries an apostrophe that `defused` may have put there."""
    return _DEFUSED.match(cell) is not None


def original(cell: str) -> str:
    """What `defused` was given."""
    return cell[1:] if is_defused(cell) else cell
