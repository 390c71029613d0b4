"""Statements whose cost is known beforehand: nothing in them is left to an estimate of the database."""

from typing import Any

from sqlalchemy import Boolean, Select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import FunctionElement

from admin_app.db.sessions import Reader, dialect_of

_POSTGRESQL = text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:name)")
_SQLITE_KNOWS = text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
_SQLITE = text("SELECT CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE idx = :name")


async def rows_in_index(session: Reader, name: str) -> int:
    """About how many rows an index holds, from what the last `ANALYZE` noted down; nought or less before the first."""
    statement = _POSTGRESQL
    if dialect_of(session) == "sqlite":
        if await session.scalar(_SQLITE_KNOWS) is None:
            return 0
        statement = _SQLITE
    return await session.scalar(statement, {"name": name}) or 0


class _AmongFound(FunctionElement[Any]):
    """Whether an id is one of those that a statement finds."""

    inherit_cache = True
    type = Boolean()
    _is_implicitly_boolean = True  # else SQLite is asked whether it `= 1`, and looks at every row


@compiles(_AmongFound, "postgresql")
def _by_array(element: _AmongFound, compiler: Any, **options: Any) -> str:
    """Found first, then looked up one by one; a join might read the whole table instead."""
    row_id, found = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{row_id} = ANY (ARRAY{found})"


@compiles(_AmongFound, "sqlite")
def _by_list(element: _AmongFound, compiler: Any, **options: Any) -> str:
    row_id, found = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{row_id} IN {found}"


def among_found(row_id: Any, found: Select[Any]) -> ColumnElement[bool]:
    """Whether a row is among the few whose ids `found` finds."""
    return _AmongFound(row_id, found.scalar_subquery())
