"""A search without its words: a statement is built once for each shape of it, which takes longer than most answers."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, bindparam, literal
from sqlalchemy.sql.elements import ColumnElement

from admin_app.db.search_query import SearchQuery

Text = ColumnElement[str]

LONG = 2
"""From so many words on it counts that they stand in a text as they were typed."""


@dataclass(frozen=True)
class Shape:
    """What decides how a statement looks."""

    phrases: int
    needles: int
    has_beginnings: bool
    has_number: bool
    has_address: bool
    is_long: bool


@dataclass(frozen=True)
class Asked:
    """A `SearchQuery` with parts of a statement in place of its words."""

    tsquery: Text
    fts5: Text
    phrases: tuple[Text, ...]
    needles: tuple[Text, ...] = ()


def shape_of(query: SearchQuery) -> Shape:
    """The shape of a search."""
    return Shape(
        phrases=len(query.phrases),
        needles=len(query.needles),
        has_beginnings=bool(query.beginnings),
        has_number=bool(query.number),
        has_address=bool(query.address),
        is_long=query.typed.count(" ") > LONG,
    )


def values_of(query: SearchQuery) -> dict[str, Any]:
    """What the parameters stand for."""
    exactly = query.exactly
    return {
        "typed": query.typed,
        "address": query.address,
        "number": query.number,
        "number_in_title": f" {query.number.lower().replace('-', ' ')} ",
        "tsquery": query.tsquery,
        "fts5": query.fts5,
        "exact_tsquery": exactly.tsquery,
        "exact_fts5": exactly.fts5,
        **{f"needle_{number}": needle for number, needle in enumerate(query.needles)},
        **{f"phrase_{number}": phrase for number, phrase in enumerate(query.phrases)},
        **{f"exact_phrase_{number}": phrase for number, phrase in enumerate(exactly.phrases)},
    }


def named(name: str) -> Text:
    """A parameter."""
    return bindparam(name, type_=String())


def asked(shape: Shape) -> Asked:
    """The search as it is."""
    needles = tuple(named(f"needle_{number}") for number in range(shape.needles))
    return Asked(named("tsquery"), named("fts5"), _phrases("phrase", shape), needles)


def asked_exactly(shape: Shape) -> Asked:
    """The search with every beginning as a whole word."""
    return Asked(named("exact_tsquery"), named("exact_fts5"), _phrases("exact_phrase", shape))


def written_out(query: SearchQuery) -> Asked:
    """The search with its words, for statements that become part of others."""
    return Asked(literal(query.tsquery), literal(query.fts5), tuple(map(literal, query.phrases)))


def _phrases(name: str, shape: Shape) -> tuple[Text, ...]:
    return tuple(named(f"{name}_{number}") for number in range(shape.phrases))
