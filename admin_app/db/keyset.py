"""Keyset order: a page begins after the values of a row, so that deep pages cost what the first one costs.

Nothing before the page is read or counted, and rows that come or go elsewhere move no other row to another page.
The comparison is one of whole rows, `(a, id) > (x, y)`, which both databases answer from an index over (a, id).
"""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from admin_app.db.types import SmallEnum, UTCDateTime

T = TypeVar("T")

Position = tuple[Any, ...]
"""The values of a row in the columns of an order."""

LONGEST_CURSOR = 2_000


@dataclass(frozen=True)
class Order:
    """Columns to sort by, all in one direction; the last one is the primary key."""

    columns: tuple[Any, ...]
    descending: bool = False
    empty_last: bool = False
    """The first column may be empty; rows where it is come last, whatever the direction."""
    pinned: tuple[Any, ...] = ()
    """Columns that are the same in every row of the list: they come first in the index and change no order.

    Named because PostgreSQL does not see that rows of one value are in order where that value is null.
    """

    def cursor(self, row: object) -> str:
        """Where a row stands, as a word that fits into an address."""
        values = [_plain(getattr(row, column.key)) for column in self.columns]
        text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def position(self, cursor: str) -> Position:
        """The values in such a word; `ValueError` when it is none of this order."""
        if len(cursor) > LONGEST_CURSOR:
            raise ValueError("too long for a cursor")
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            values = json.loads(raw)
        except (binascii.Error, UnicodeDecodeError, RecursionError) as error:
            raise ValueError("no cursor") from error
        if not isinstance(values, list) or len(values) != len(self.columns):
            raise ValueError("a cursor of another order")
        may_be_empty = [self.empty_last, *[False] * (len(values) - 1)]
        return tuple(
            None if value is None and may_be else _typed(column, value)
            for column, value, may_be in zip(self.columns, values, may_be_empty, strict=True)
        )

    def windows(self, statement: Select[T], *, start: Position | None, backward: bool) -> Iterator[Select[T]]:
        """Ordered statements that together hold the rows from `start` on, nearest first; `start` is left out.

        One statement, or two where rows without a value come last: first the one, then the other stretch.
        """
        stretches = [_Stretch(self.columns, self.descending, self.pinned)]
        if self.empty_last:
            first = self.columns[0]
            filled = _Stretch(self.columns, self.descending, self.pinned, first.is_not(None))
            empty = _Stretch(self.columns[1:], self.descending, (*self.pinned, first), first.is_(None))
            stretches = [filled, empty]
        beginning = int(self.empty_last and start is not None and start[0] is None)
        values = start[beginning:] if start is not None else None
        in_turn = stretches[beginning::-1] if backward and start is not None else stretches[beginning:]
        if backward and start is None:
            in_turn = stretches[::-1]
        for number, stretch in enumerate(in_turn):
            yield stretch.window(statement, values if number == 0 else None, backward=backward)


@dataclass(frozen=True)
class _Stretch:
    columns: tuple[Any, ...]
    descending: bool
    pinned: tuple[Any, ...]
    condition: ColumnElement[bool] | None = None

    def window(self, statement: Select[T], values: Position | None, *, backward: bool) -> Select[T]:
        falling = self.descending != backward
        if self.condition is not None:
            statement = statement.where(self.condition)
        if values is not None:
            here = tuple_(*self.columns)
            there = tuple_(*(_bound(value, column) for value, column in zip(values, self.columns, strict=True)))
            statement = statement.where(here < there if falling else here > there)
        columns = (*self.pinned, *self.columns)
        return statement.order_by(*(column.desc() if falling else column.asc() for column in columns))


def _bound(value: Any, column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """A value for the comparison, or the name of one that is given with each execution."""
    return value if isinstance(value, BindParameter) else literal(value, column.type)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _typed(column: InstrumentedAttribute[Any], value: Any) -> Any:
    """The value as the column holds it; `ValueError` when it cannot."""
    kind: Any = column.type
    if isinstance(kind, UTCDateTime):
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise ValueError("no time")
        return moment
    enum_class = kind.enum_class if isinstance(kind, SmallEnum) else getattr(kind, "enum_class", None)
    if enum_class is not None:
        return enum_class(value)
    if kind.python_type is int:
        if type(value) is not int or not 0 <= value < 2**31:
            raise ValueError("no id")
        return value
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError("no text")
    value.encode()
    return value
