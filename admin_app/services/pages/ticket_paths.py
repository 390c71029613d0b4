"""Which index answers a filter together with an order: a table of rules decides, the database has nothing to guess.

A list is read in one of three ways, each of which touches at most `MOST` tickets beyond those it shows:

- *along*: one index holds the filter and the order; the page is a stretch of it.
- *among*: one condition alone fits at most `MOST` tickets; these are taken by its index, then checked and sorted.
- *past*: many tickets fit each condition; the index of the order is walked and each ticket looked at, until the page
  is full or `MOST` have been looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from admin_app.db.keyset import Order
from admin_app.errors import Malformed
from admin_app.models.ticket import ACTIVE_STATUSES, Ticket

Column = InstrumentedAttribute[Any]
Conditions = Mapping[str, Sequence[ColumnElement[bool]]]
"""What a list is narrowed to: the clauses by the name of the rule below that they fall under."""

MOST = 10_000

SORTS: dict[str, tuple[Column, ...]] = {
    "created_at": (Ticket.created_at, Ticket.id),
    "updated_at": (Ticket.updated_at, Ticket.id),
    "title": (Ticket.title, Ticket.id),
    "status": (Ticket.status, Ticket.created_at, Ticket.id),
    "priority": (Ticket.priority, Ticket.created_at, Ticket.id),
    "due_at": (Ticket.due_at, Ticket.id),
    "ticket_number": (Ticket.id,),
}
"""Sortable columns, each with those of its index; the number sorts as the id does, both grow together."""

BY_VALUE: dict[str, Column] = {
    "creator": Ticket.creator_id,
    "owner": Ticket.owner_id,
    "status": Ticket.status,
    "priority": Ticket.priority,
    "channel": Ticket.channel,
}
"""One value of a column, the rarest first; each has an index (column, created_at, id)."""

BY_RANGE = {"created": "created_at", "updated": "updated_at", "due": "due_at", "overdue": "due_at"}
"""A stretch of the index of a sort."""

IS_ACTIVE: ColumnElement[bool] = Ticket.status.in_(
    bindparam("active", list(ACTIVE_STATUSES), expanding=True, literal_execute=True)
)
"""Written out in the statement, for only so can an index over active tickets be seen to fit."""


@dataclass(frozen=True)
class Path:
    """An index to read along, in the order of the list, and the conditions that it holds."""

    order: Order
    held: frozenset[str]


@dataclass(frozen=True)
class Driver:
    """Conditions that one index holds, whatever the order of the list; no columns: the tag's own table."""

    names: tuple[str, ...]
    columns: tuple[Column, ...]


def path(sort: str, conditions: Conditions, *, descending: bool) -> Path:
    """The index to read along. `Malformed` for an unknown sort column.

    Tickets without a due time come last in both directions.
    """
    columns = SORTS.get(sort)
    if columns is None:
        raise Malformed(f"Tickets cannot be sorted by {sort[:40]}.")
    if sort == "due_at":
        held = {"due", "overdue", "active"}
        has_time = bool({"due", "overdue"} & set(conditions))
        return Path(Order(columns, descending=descending, empty_last=not has_time), frozenset(held))
    for name, column in BY_VALUE.items():
        if name in conditions and (sort == "created_at" or columns[0] is column):
            order = Order(columns, descending=descending, pinned=() if columns[0] is column else (column,))
            return Path(order, frozenset({name, "created"}))
    held = {name for name, column in BY_RANGE.items() if column == sort}
    return Path(Order(columns, descending=descending), frozenset(held))


def drivers(conditions: Conditions) -> Iterator[Driver]:
    """Indexes that hold a condition or two, those first that let the fewest tickets through as a rule."""
    names = set(conditions)
    if "tag" in names:
        yield Driver(("tag",), ())
    if {"owner", "active"} <= names:
        yield Driver(("owner", "active"), (Ticket.owner_id, Ticket.priority, Ticket.id))
    for name in ("creator", "owner"):
        if name in names:
            yield Driver((name,), (BY_VALUE[name], Ticket.created_at, Ticket.id))
    if "active" in names:
        yield Driver(("active", *(names & {"due", "overdue"})), (Ticket.due_at, Ticket.id))
    for name in ("due", "created", "updated"):
        if name in names:
            yield Driver((name,), SORTS[BY_RANGE[name]])
    for name in ("status", "priority", "channel"):
        if name in names:
            yield Driver((name, *(names & {"created"})), (BY_VALUE[name], Ticket.created_at, Ticket.id))
