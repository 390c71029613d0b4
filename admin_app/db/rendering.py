"""Text that the database writes itself, so that a million rows need not become objects first.

Both databases write the same text, except that PostgreSQL puts a blank around the colons of JSON.
"""

from typing import Any

from sqlalchemy import Integer, LargeBinary, String, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

SECONDS = "YYYY-MM-DD HH24:MI:SS"


class MomentText(FunctionElement[str]):
    """A time as `2026-11-21 14:30:00+00:00`: UTC, to the second; empty stays empty."""

    type = String()
    inherit_cache = True


class CommaJoined(FunctionElement[str]):
    """Texts with commas between them; none of them may be empty."""

    type = String()
    inherit_cache = True


class JsonObject(FunctionElement[str]):
    """Names and values in turn, as the text of one JSON object."""

    type = String()
    inherit_cache = True


class JsonList(FunctionElement[str]):
    """Values as the text of one JSON list."""

    type = String()
    inherit_cache = True


class Joined(FunctionElement[str]):
    """All texts of a group with ", " between them; the statement below has put them in order."""

    type = String()
    inherit_cache = True


class Encoded(FunctionElement[bytes]):
    """A text as its bytes in UTF-8, so that nobody has to read it on its way out."""

    type = LargeBinary()
    inherit_cache = True


@compiles(Encoded, "sqlite")
def _bytes_of_sqlite(element: Encoded, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS BLOB)"


@compiles(Encoded, "postgresql")
def _bytes_of_postgresql(element: Encoded, compiler: Any, **options: Any) -> str:
    return f"convert_to({compiler.process(element.clauses, **options)}, 'UTF8')"


@compiles(MomentText, "sqlite")
def _moment_of_sqlite(element: MomentText, compiler: Any, **options: Any) -> str:
    return f"substr({compiler.process(element.clauses, **options)}, 1, 19) || '+00:00'"


@compiles(MomentText, "postgresql")
def _moment_of_postgresql(element: MomentText, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"to_char({column} AT TIME ZONE 'UTC', '{SECONDS}') || '+00:00'"


@compiles(CommaJoined, "sqlite")
def _commas_of_sqlite(element: CommaJoined, compiler: Any, **options: Any) -> str:
    return " || ',' || ".join(f"({compiler.process(clause, **options)})" for clause in element.clauses)


@compiles(CommaJoined, "postgresql")
def _commas_of_postgresql(element: CommaJoined, compiler: Any, **options: Any) -> str:
    return f"concat_ws(',', {compiler.process(element.clauses, **options)})"


def _named(sqlite: str, postgresql: str, as_text: str = "") -> tuple[Any, Any]:
    def of_sqlite(element: FunctionElement[str], compiler: Any, **options: Any) -> str:
        return f"{sqlite}({compiler.process(element.clauses, **options)})"

    def of_postgresql(element: FunctionElement[str], compiler: Any, **options: Any) -> str:
        return f"{postgresql}({compiler.process(element.clauses, **options)}){as_text}"

    return of_sqlite, of_postgresql


for _kind, _of in (
    (JsonObject, _named("json_object", "json_build_object", "::text")),
    (JsonList, _named("json_array", "json_build_array", "::text")),
    (Joined, _named("group_concat", "string_agg")),
):
    compiles(_kind, "sqlite")(_of[0])
    compiles(_kind, "postgresql")(_of[1])


def constant(text: str) -> ColumnElement[str]:
    """A text of the program's own, written into the statement: as a parameter it would have no type everywhere."""
    return literal(text, String(), literal_execute=True)


def begins_with_one_of(text: ColumnElement[str], signs: str, *, after: str) -> ColumnElement[bool]:
    """Whether the first sign of a text, those of `after` set aside, is one of `signs`.

    The first sign is looked at alone before anything is set aside: most texts need no more than that.
    """
    one = literal(1, Integer(), literal_execute=True)
    first = func.substr(text, one, one)
    bare = func.substr(func.ltrim(text, constant(after)), one, one)
    return first.in_([constant(sign) for sign in signs + after]) & bare.in_([constant(sign) for sign in signs])
