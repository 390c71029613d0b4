"""Statements that find tickets by their words, each in the form that its database answers from an index."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Integer,
    Select,
    and_,
    case,
    cast,
    column,
    false,
    func,
    literal,
    or_,
    select,
    table,
    text,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import FunctionElement

from admin_app.db.search_query import SearchQuery
from admin_app.db.ticket_search_schema import BITS_BETWEEN, COARSE_BITS, FINE_BITS

NEWEST = 1_000
"""So many matches are ranked and shown; of a word that is in more tickets, those of the newest ones."""

stored = table(
    "ticket_search",
    column("ticket_id", Integer),
    column("is_deleted", Boolean),
    column("title"),
    column("customer"),
    column("body"),
    column("tokens"),
)
_tickets = table("tickets", column("id", Integer), column("ticket_number"), column("deleted_at"))

_ranges = text(f"""
    SELECT 'F' || generate_series(newest >> {FINE_BITS}, edge << {BITS_BETWEEN}, -1) AS name
    FROM (SELECT max(ticket_id) AS newest, greatest((max(ticket_id) >> {COARSE_BITS}) - 1, 0) AS edge
        FROM ticket_search) AS ends
    UNION ALL SELECT 'C' || generate_series((max(ticket_id) >> {COARSE_BITS}) - 2, 0, -1) FROM ticket_search
""")  # noqa: S608 - constants
"""Names of the ranges that rows lie in, newest first: small ones for the newest rows, then large ones."""


class _Holds(FunctionElement[Any]):
    """Whether a row of `ticket_search` holds every word; takes the question in both databases' languages."""

    inherit_cache = True
    type = Boolean()


class _HoldsDeleted(_Holds):
    inherit_cache = True


@compiles(_Holds, "postgresql")
def _on_postgresql(element: _Holds, compiler: Any, **options: Any) -> str:
    tsquery, _ = element.clauses
    return f"ticket_search.tokens @@ {compiler.process(tsquery, **options)}"


@compiles(_Holds, "sqlite")
def _on_sqlite(element: _Holds, compiler: Any, **options: Any) -> str:
    _, fts5 = element.clauses
    name = "ticket_search_trash" if isinstance(element, _HoldsDeleted) else "ticket_search_live"
    asked = compiler.process(fts5, **options)
    return f"ticket_search.ticket_id IN (SELECT rowid FROM {name} WHERE {name} MATCH {asked})"  # noqa: S608


class _Position(FunctionElement[Any]):
    """Where in a text another one begins, from one; nought where it does not."""

    inherit_cache = True
    type = Integer()


@compiles(_Position, "postgresql")
def _strpos(element: _Position, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


@compiles(_Position, "sqlite")
def _instr(element: _Position, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


def matching(query: SearchQuery, *, deleted: bool = False) -> Select[Any]:
    """Ids of every ticket that matches, however many: for batches, which leave none out."""
    if query.is_empty:
        return select(stored.c.ticket_id).where(false())
    kind = _HoldsDeleted if deleted else _Holds
    is_there = stored.c.is_deleted if deleted else ~stored.c.is_deleted  # as the indexes have it, or they are not used
    is_match = kind(cast(literal(query.tsquery), TSQUERY), literal(query.fts5))
    return select(stored.c.ticket_id).where(is_match, is_there, *_phrases(query))


def newest(query: SearchQuery, dialect: str, *, most: int = NEWEST + 1) -> Select[Any]:
    """Ids of live tickets that match, the newest ones, at most so many, with how well each fits (`score`)."""
    found = _newest_on_sqlite(query, most) if dialect == "sqlite" else _newest_on_postgresql(query, most)
    ids = select(found.cte("found").c.ticket_id)
    if query.number:
        is_number = and_(_tickets.c.ticket_number == query.number, _tickets.c.deleted_at.is_(None))
        ids = union(ids, select(_tickets.c.id).where(is_number))  # type: ignore[assignment]
    chosen = ids.cte("chosen")
    score = _score(query).label("score")
    return select(stored.c.ticket_id, score).join(chosen, chosen.c.ticket_id == stored.c.ticket_id)


def among(ticket_id: Any, ids: Sequence[int], dialect: str) -> ColumnElement[bool]:
    """Whether a ticket is one of these: one value for all of them, so that the statement stays the same."""
    if dialect == "sqlite":
        each = func.json_each(json.dumps(list(ids))).table_valued(column("value", Integer))
        return ticket_id.in_(select(each.c.value))  # type: ignore[no-any-return]
    return ticket_id == func.any(cast(list(ids), ARRAY(Integer)))  # type: ignore[no-any-return]


def _newest_on_sqlite(query: SearchQuery, most: int) -> Select[Any]:
    """FTS5 walks its index from the newest row on and stops where it is told to."""
    live = table("ticket_search_live", column("rowid", Integer), column("ticket_search_live"))
    found = select(live.c.rowid.label("ticket_id")).where(live.c.ticket_search_live.match(literal(query.fts5)))
    if query.phrases:
        found = found.join(stored, stored.c.ticket_id == live.c.rowid).where(*_phrases(query))
    return found.order_by(live.c.rowid.desc()).limit(most)


def _newest_on_postgresql(query: SearchQuery, most: int) -> Select[Any]:
    """Range by range of ids, newest first, until there are enough.

    GIN gives its matches in no useful order. Asked for the newest, PostgreSQL either sorts every match or walks the
    whole table backwards, and which one is a guess. With the name of a range as one more word each look is small, and
    nothing is guessed: rare words cost some forty short looks, common ones are done after the first.
    """
    ranges = _ranges.columns(column("name")).subquery("ranges")
    words = cast(literal(query.tsquery), TSQUERY).op("&&")(cast(ranges.c.name, TSQUERY))
    is_match = stored.c.tokens.op("@@")(words)
    each = select(stored.c.ticket_id).where(is_match, ~stored.c.is_deleted, *_phrases(query))
    of_range = each.order_by(stored.c.ticket_id.desc()).correlate(ranges).lateral("of_range")
    return select(of_range.c.ticket_id).select_from(ranges.join(of_range, true())).limit(most)


def _phrases(query: SearchQuery) -> list[ColumnElement[bool]]:
    return [
        or_(*(_Position(column, literal(phrase)) > 0 for column in (stored.c.title, stored.c.customer, stored.c.body)))
        for phrase in query.phrases
    ]


def _score(query: SearchQuery) -> ColumnElement[int]:
    """A ticket's own number, its customer's address and what was typed, in the title, count for most."""

    def worth(points: int, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return case((and_(*conditions), points), else_=0)

    title, customer = stored.c.title, stored.c.customer
    score = worth(8, _Position(title, literal(query.typed)) > 0)
    score += worth(4, *(_Position(title, literal(needle)) > 0 for needle in query.needles))
    score += worth(2, *(_Position(customer, literal(needle)) > 0 for needle in query.needles))
    if query.typed.count(" ") > 2:
        score += worth(1, _Position(stored.c.body, literal(query.typed)) > 0)
    if query.address:
        score += worth(32, _Position(customer, literal(query.address)) > 0)
    if query.number:
        score += worth(64, _Position(title, literal(f" {query.number.lower().replace('-', ' ')} ")) == 1)
    return score
