"""What a person sees first: their work, work without an owner, late work, and what moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, func, select, union_all

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db import planning
from admin_app.db.sessions import INCLUDE_DELETED, Reader
from admin_app.models.ticket import Priority, Status, Ticket
from admin_app.permissions import Permission
from admin_app.services.pages import ticket_paths
from admin_app.services.pages.ticket_reading import AS_LISTED, LIVE, TicketRow

SHOWN = 8

COUNTED = 1_000
"""Counts stop one beyond this: the page looks the same at any size, and costs the same."""


@dataclass(frozen=True)
class Summary:
    """Short lists and how long each would be, counted no further than one beyond `COUNTED`."""

    mine: Sequence[TicketRow]
    ownerless: Sequence[TicketRow]
    overdue: Sequence[TicketRow]
    recent: Sequence[TicketRow]
    counts: dict[str, int]
    by_status: dict[Status, int]


async def summary(session: Reader, actor: Actor) -> Summary:
    """The dashboard of somebody who may list tickets, in six statements."""
    actor.require(Permission.TICKET_LIST)
    values = {"me": actor.id, "now": clock.now()}
    by_status = (await session.execute(_BY_STATUS, values)).one()
    lists = {name: (await session.execute(statement, values)).all() for name, statement in _LISTS.items()}
    return Summary(
        **lists,
        counts=dict((await session.execute(_COUNTS, values)).one()._mapping),
        by_status={status: found for status, found in zip(Status, by_status, strict=True) if found},
    )


_MINE = (Ticket.owner_id == bindparam("me"), ticket_paths.IS_ACTIVE)
_OWNERLESS = (Ticket.owner_id.is_(None), ticket_paths.IS_ACTIVE)
_OVERDUE = (Ticket.due_at < bindparam("now"), ticket_paths.IS_ACTIVE)


def _first(conditions: Sequence[Any], *order: Any) -> Select[Any]:
    ids = select(Ticket.id).where(LIVE, *conditions).order_by(*order)  # from an index alone
    return _shown(ids, *order)


def _most_urgent(conditions: Sequence[Any]) -> Select[Any]:
    """The oldest of each priority, each from its stretch of the index; then the first of these.

    Ordered by the owner too, though there is only one: else PostgreSQL sorts all those that nobody owns.
    """
    by_age = select(Ticket.id, Ticket.priority).where(LIVE, *conditions).order_by(Ticket.owner_id, Ticket.id)
    oldest = by_age.limit(planning.written(SHOWN))
    stretches = [oldest.where(Ticket.priority == planning.written(priority)).subquery() for priority in Priority]
    found = union_all(*map(select, stretches)).subquery()
    ids = select(found.c.id).order_by(found.c.priority.desc(), found.c.id)
    return _shown(ids, Ticket.priority.desc(), Ticket.id)


def _shown(ids: Select[Any], *order: Any) -> Select[Any]:
    among = planning.among_found(Ticket.id, ids.limit(planning.written(SHOWN)))
    return AS_LISTED.where(among).order_by(*order).execution_options(**INCLUDE_DELETED)


def _numbers(conditions: Mapping[str, Sequence[Any]]) -> Select[Any]:
    """How many there are of each, in one row."""

    def number(clauses: Sequence[Any]) -> Any:
        counted = select(Ticket.id).where(LIVE, *clauses).limit(planning.written(COUNTED + 1)).subquery()
        return select(func.count()).select_from(counted).scalar_subquery()

    numbers = select(*(number(clauses).label(name) for name, clauses in conditions.items()))
    return numbers.execution_options(**INCLUDE_DELETED)


_LISTS = {
    "mine": _most_urgent(_MINE),
    "ownerless": _most_urgent(_OWNERLESS),
    "overdue": _first(_OVERDUE, Ticket.due_at, Ticket.id),
    "recent": _first((), Ticket.updated_at.desc(), Ticket.id.desc()),
}
"""Built once, all of these: only who asks, and when, is different each time."""
_COUNTS = _numbers({"mine": _MINE, "ownerless": _OWNERLESS, "overdue": _OVERDUE})
_BY_STATUS = _numbers({status.value: (Ticket.status == status,) for status in Status})
