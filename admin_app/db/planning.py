"""Statements whose cost is known beforehand: nothing in them is left to an estimate of the database."""

from typing import Any

from sqlalchemy import Boolean, Integer, Select, String, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.sql.visitors import InternalTraversal

from admin_app.db.sessions import Reader, dialect_of

_POSTGRESQL = text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:name)")
_SQLITE = text("SELECT CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE idx = :name")


async def rows_in_index(session: Reader, name: str) -> int:
    """About how many rows an index holds, from what the last `ANALYZE` noted down; nought or less before the first."""
    if dialect_of(session) != "sqlite":
        return await session.scalar(_POSTGRESQL, {"name": name}) or 0
    try:
        return await session.scalar(_SQLITE, {"name": name}) or 0
    except OperationalError as error:
        if "no such table: sqlite_stat1" not in str(error.orig):
            raise
        return 0  # nobody has looked yet


class _Written(ColumnElement[Any]):
    _traverse_internals = [("value", InternalTraversal.dp_plain_obj)]

    def __init__(self, value: int | str) -> None:
        self.value = value
        self.type = Integer() if isinstance(value, int) else String()


@compiles(_Written)
def _as_it_is(element: _Written, compiler: Any, **options: Any) -> str:
    return str(compiler.render_literal_value(element.value, element.type))


def written(value: int | str) -> ColumnElement[Any]:
    """A limit, or a word of ours, that stands in the statement itself.

    Of a limit that is a parameter PostgreSQL expects a tenth of all rows when it makes a plan to be kept; so it makes
    one for each execution, which takes as long as a short answer, or keeps one that reads far too much.
    """
    return _Written(value)


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
