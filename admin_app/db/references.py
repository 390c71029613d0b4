"""Which reference of a refused row leads nowhere: SQLite says only that one of them does."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import exc, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.db.base import Base

INSERT = re.compile(r"INSERT INTO (\w+) \(([^)]*)\) VALUES")
UPDATE = re.compile(r"UPDATE (\w+) SET (.*?)(?: WHERE |$)", re.DOTALL)


async def missing(session: AsyncSession, error: exc.IntegrityError) -> str | None:
    """The first column whose referenced row is not there; None when the statement does not tell."""
    for table, name, value in _set_by(error):
        stored = Base.metadata.tables.get(table)
        column = None if stored is None else stored.columns.get(name)
        for key in () if column is None or value is None else column.foreign_keys:
            if await session.scalar(select(key.column).where(key.column == value)) is None:
                return name
    return None


def _set_by(error: exc.IntegrityError) -> Iterator[tuple[str, str, Any]]:
    """Table, column and value of everything that the refused statement wanted to set to a plain value."""
    statement, given = error.statement or "", error.params
    rows = given if isinstance(given, list) else [given]
    for row in rows:
        values = row if isinstance(row, tuple) else ()
        if inserting := INSERT.match(statement):
            yield from _inserted(inserting[1], inserting[2].split(", "), values)
        elif updating := UPDATE.match(statement):
            yield from _updated(updating[1], updating[2].split(", "), values)


def _inserted(table: str, names: Sequence[str], values: tuple[Any, ...]) -> Iterator[tuple[str, str, Any]]:
    """One row after the other; nothing when some values are written into the statement itself."""
    if len(values) % len(names) == 0:
        for number, value in enumerate(values):
            yield table, names[number % len(names)], value


def _updated(table: str, assignments: Sequence[str], values: tuple[Any, ...]) -> Iterator[tuple[str, str, Any]]:
    position = 0
    for assignment in assignments:
        name, _, right = assignment.partition("=")
        if right.strip() == "?" and position < len(values):
            yield table, name.strip(), values[position]
        position += right.count("?")
