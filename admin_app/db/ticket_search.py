"""Statements that find tickets by their words, each in the form that its database answers from an index."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    Integer,
    Select,
    TextClause,
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
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import FunctionElement

from admin_app.db import search_shape
from admin_app.db.search_query import SearchQuery
from admin_app.db.search_shape import Asked, Shape
from admin_app.db.search_words import NOTHING
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.db.text_position import TextPosition
from admin_app.db.ticket_search_schema import BITS_BETWEEN, COARSE_BITS, FINE_BITS

NEWEST = 1_000
"""So many matches are ranked and shown; of a word that is in more tickets, those of the newest ones."""

OWN_NUMBER = 64
"""What it counts that a ticket bears the number that was typed: more than all else."""

stored = table(
    "ticket_search",
    column("ticket_id", Integer),
    column("is_deleted", Boolean),
    column("title"),
    column("customer"),
    column("body"),
    column("tokens"),
)
_live = table("ticket_search_live", column("rowid", Integer), column("ticket_search_live"))
_newest_id = select(func.max(stored.c.ticket_id)).scalar_subquery()
_tickets = table("tickets", column("id", Integer), column("ticket_number"), column("deleted_at"))

SORTED = 16_384
"""So many matches PostgreSQL sorts for the newest of them."""

RARE = 4
"""A word is rare that fewer of the newest tickets hold, those of the two newest ranges."""


@dataclass(frozen=True)
class Walk:
    """When the newest rows are read one by one for a common beginning: to look at one takes a microsecond."""

    sample: int
    """So many of the newest rows tell how common it is."""
    common: int
    """It is in at least so many of those: else too many would be read."""
    rows: int
    """So many are read at most."""
    above: int
    """Below this id the index holds so little that it is quicker."""


ON_SQLITE, ON_POSTGRESQL = Walk(128, 8, 24_576, 262_144), Walk(512, 8, 65_536, 32_768)

_fine = text(f"""
    SELECT 'F' || generate_series(newest >> {FINE_BITS}, edge << {BITS_BETWEEN}, -1) AS name
    FROM (SELECT max(ticket_id) AS newest, greatest((max(ticket_id) >> {COARSE_BITS}) - 1, 0) AS edge
        FROM ticket_search) AS ends
    UNION ALL SELECT 'C' || generate_series((max(ticket_id) >> {COARSE_BITS}) - 2, 0, -1) FROM ticket_search
""")  # noqa: S608 - constants
"""Names of the ranges that rows lie in, newest first: small ones for the newest rows, then large ones."""

_newest_fine = text(f"""
    SELECT 'F' || generate_series(max(ticket_id) >> {FINE_BITS}, greatest((max(ticket_id) >> {FINE_BITS}) - 1, 0), -1)
        AS name FROM ticket_search
""")  # noqa: S608 - a constant
"""The two newest of the small ones."""

_coarse = text(f"""
    SELECT 'C' || generate_series((SELECT max(ticket_id) FROM ticket_search) >> {COARSE_BITS}, 0, -1) AS name
""")  # noqa: S608 - a constant
"""The same, large ones only."""


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


def matching(query: SearchQuery, *, deleted: bool = False) -> Select[Any]:
    """Ids of every ticket that matches, however many: for batches, which leave none out."""
    if query.is_empty:
        return select(stored.c.ticket_id).where(false())
    asked = search_shape.written_out(query)
    kind = _HoldsDeleted if deleted else _Holds
    is_there = stored.c.is_deleted if deleted else ~stored.c.is_deleted  # as the indexes have it, or they are not used
    is_match = kind(cast(asked.tsquery, TSQUERY), asked.fts5)
    return select(stored.c.ticket_id).where(is_match, is_there, *_hold(asked.phrases))


def newest(query: SearchQuery, dialect: str, *, most: int = NEWEST + 1) -> tuple[Select[Any], dict[str, Any]]:
    """Ids of live tickets that match, the newest ones, at most so many, with how well each fits (`score`).

    The statement, and the values to execute it with.
    """
    walk = ON_SQLITE if dialect == "sqlite" else ON_POSTGRESQL
    return _newest(search_shape.shape_of(query), dialect, most, walk, SORTED), search_shape.values_of(query)


@lru_cache(maxsize=256)
def _newest(shape: Shape, dialect: str, most: int, walk: Walk, at_once: int) -> Select[Any]:
    if dialect == "sqlite":
        found = _newest_on_sqlite(shape, most, walk)
    else:
        found = _newest_on_postgresql(shape, most, walk, at_once)
    ids = select(found.cte("found").c.ticket_id)
    if shape.has_number:
        is_number = and_(_tickets.c.ticket_number == search_shape.named("number"), _tickets.c.deleted_at.is_(None))
        ids = union(ids, select(_tickets.c.id).where(is_number))  # type: ignore[assignment]
    chosen = ids.cte("chosen")
    scored = select(stored.c.ticket_id, _score(shape).label("score"))
    return scored.join(chosen, chosen.c.ticket_id == stored.c.ticket_id).execution_options(**INCLUDE_DELETED)


def among(ticket_id: Any, ids: Sequence[int], dialect: str) -> ColumnElement[bool]:
    """Whether a ticket is one of these: one value for all of them, so that the statement stays the same."""
    if dialect == "sqlite":
        each = func.json_each(json.dumps(list(ids))).table_valued(column("value", Integer))
        return ticket_id.in_(select(each.c.value))  # type: ignore[no-any-return]
    return ticket_id == func.any(cast(list(ids), ARRAY(Integer)))  # type: ignore[no-any-return]


def _newest_on_sqlite(shape: Shape, most: int, walk: Walk) -> Select[Any]:
    """FTS5 walks its index from the newest row on and stops where it is told to; only beginnings it reads to the end.

    So they are asked for where the words as they stand are in too few tickets, and the newest rows hold too few.
    """
    asked, exactly = search_shape.asked(shape), search_shape.asked_exactly(shape)
    if not shape.has_beginnings:
        return _fts5(asked, asked.fts5).limit(most)
    exact = _fts5(exactly, exactly.fts5).limit(most).cte("exact")
    is_large = and_(_number(exact) < most, _newest_id > walk.above)
    sample = _recent(asked, walk.sample, when=is_large).limit(walk.common).cte("sample")
    walked = _recent(asked, walk.rows, when=_number(sample) == walk.common).limit(most).cte("walked")
    is_open = and_(_number(exact) < most, _number(walked) < most)
    longer = _fts5(asked, case((is_open, asked.fts5), else_=literal(NOTHING))).limit(most).cte("longer")
    whole = [select(look).where(_number(look) == most) for look in (exact, walked)]
    return select(union_all(select(longer), *whole).subquery("found"))


def _recent(asked: Asked, ids: int, *, when: ColumnElement[bool]) -> Select[Any]:
    """Matches among the newest ids, found in their texts. Else among none: a condition beside is asked of each row."""
    is_recent = stored.c.ticket_id > _newest_id - case((when, ids), else_=0)
    found = select(stored.c.ticket_id).where(is_recent, ~stored.c.is_deleted, *_hold((*asked.needles, *asked.phrases)))
    return found.order_by(stored.c.ticket_id.desc())


def _fts5(asked: Asked, question: ColumnElement[str]) -> Select[Any]:
    found = select(_live.c.rowid.label("ticket_id")).where(_live.c.ticket_search_live.match(question))
    if asked.phrases:
        found = found.join(stored, stored.c.ticket_id == _live.c.rowid).where(*_hold(asked.phrases))
    return found.order_by(_live.c.rowid.desc())


def _newest_on_postgresql(shape: Shape, most: int, walk: Walk, at_once: int) -> Select[Any]:
    """Words as they stand, and beginnings only where those are in too few tickets."""
    asked = search_shape.asked(shape)
    if not shape.has_beginnings:
        return _whole_words(asked, most, at_once)
    found = _whole_words(search_shape.asked_exactly(shape), most, at_once).cte("whole")
    looks = _longer(asked, most, walk, at_once, when=_number(found) < most)
    return select(union_all(select(found).where(_number(found) == most), *looks).subquery("found"))


def _whole_words(asked: Asked, most: int, at_once: int) -> Select[Any]:
    """All matches with a single look where the newest tickets hold next to none of them; else range by range.

    GIN gives its matches in no useful order. Asked for the newest, PostgreSQL either sorts every match or walks the
    whole table backwards, and which one is a guess. With the name of a range as one more condition each look is small,
    and nothing is guessed: a common word is done after the first ranges.
    """
    sample = _by_range(_newest_fine, asked, RARE).cte("newest_few")
    few = _at_once(asked, at_once, when=_number(sample) < RARE).cte("few")
    is_open = or_(_number(sample) == RARE, _number(few) == at_once)
    ranged = _by_range(_fine, asked, most, when=is_open).cte("fine")
    newest_few = select(few).where(_number(few) < at_once).order_by(few.c.ticket_id.desc()).limit(most).subquery()
    return select(union_all(select(newest_few), select(ranged)).subquery("exact"))


def _longer(asked: Asked, most: int, walk: Walk, at_once: int, *, when: ColumnElement[bool]) -> list[Select[Any]]:
    """Ways to find beginnings, of which one is taken.

    Each look into the index costs as much as all words together that begin so. A common beginning is found in the
    newest rows without it, all matches of others with a single look, and those that were common once range by range.
    """
    sample = _newest_rows(asked, walk.sample).where(_newest_id > walk.above).limit(walk.common).cte("sample")
    walked = _newest_rows(asked, walk.rows).where(when, _number(sample) == walk.common).limit(most).cte("walked")
    every = _at_once(asked, at_once, when=and_(when, _number(walked) < most)).cte("all_at_once")
    ranged = _by_range(_coarse, asked, most, when=_number(every) == at_once).cte("ranged")
    newest_of_all = select(every).where(_number(every) < at_once).order_by(every.c.ticket_id.desc()).limit(most)
    return [select(walked).where(_number(walked) == most), select(newest_of_all.subquery()), select(ranged)]


def _at_once(asked: Asked, most: int, *, when: ColumnElement[bool]) -> Select[Any]:
    """Any matches, with one look."""
    question = select(cast(asked.tsquery, TSQUERY)).scalar_subquery()  # no estimate, so no table is read for it
    is_match = stored.c.tokens.op("@@")(question)
    return select(stored.c.ticket_id).where(is_match, ~stored.c.is_deleted, *_hold(asked.phrases), when).limit(most)


def _by_range(names: TextClause, asked: Asked, most: int, *, when: ColumnElement[bool] | None = None) -> Select[Any]:
    """Two conditions, not one query of both: so GIN jumps to the range, and does not ask each match where it lies."""
    ranges = names.columns(column("name")).subquery("ranges")
    matches = stored.c.tokens.op("@@")
    is_match = and_(matches(cast(asked.tsquery, TSQUERY)), matches(cast(ranges.c.name, TSQUERY)))
    each = select(stored.c.ticket_id).where(is_match, ~stored.c.is_deleted, *_hold(asked.phrases))
    of_range = each.order_by(stored.c.ticket_id.desc()).limit(most).correlate(ranges).lateral("of_range")
    found = select(of_range.c.ticket_id).select_from(ranges.join(of_range, true())).limit(most)
    return found if when is None else found.where(when)


def _newest_rows(asked: Asked, rows: int) -> Select[Any]:
    """Matches among the newest rows, one row after the other."""
    newest_rows = select(stored).order_by(stored.c.ticket_id.desc()).limit(rows).subquery("ticket_search")
    columns = newest_rows.c
    is_match = columns.tokens.op("@@")(cast(asked.tsquery, TSQUERY))
    found = select(columns.ticket_id).where(is_match, ~columns.is_deleted, *_hold(asked.phrases, columns))
    return found.order_by(columns.ticket_id.desc())


def _number(look: CTE) -> ColumnElement[int]:
    return select(func.count()).select_from(look).scalar_subquery()


def _hold(texts: Iterable[ColumnElement[str]], columns: Any = stored.c) -> list[ColumnElement[bool]]:
    return [
        or_(*(TextPosition(column, text) > 0 for column in (columns.title, columns.customer, columns.body)))
        for text in texts
    ]


def _score(shape: Shape) -> ColumnElement[int]:
    """A ticket's own number, its customer's address and what was typed, in the title, count for most."""

    def worth(points: int, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return case((and_(*conditions), points), else_=0)

    title, customer, needles = stored.c.title, stored.c.customer, search_shape.asked(shape).needles
    typed = search_shape.named("typed")
    score = worth(8, TextPosition(title, typed) > 0)
    score += worth(4, *(TextPosition(title, needle) > 0 for needle in needles))
    score += worth(2, *(TextPosition(customer, needle) > 0 for needle in needles))
    if shape.is_long:
        score += worth(1, TextPosition(stored.c.body, typed) > 0)
    if shape.has_address:
        score += worth(32, TextPosition(customer, search_shape.named("address")) > 0)
    if shape.has_number:
        score += worth(OWN_NUMBER, TextPosition(title, search_shape.named("number_in_title")) == 1)
    return score
