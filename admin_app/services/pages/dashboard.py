"""What a person sees first: their work, work without an owner, late work, and what moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db import planning
from admin_app.db.sessions import INCLUDE_DELETED
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


async def summary(session: AsyncSession, actor: Actor) -> Summary:
    """The dashboard of somebody who may list tickets, in six statements."""
    actor.require(Permission.TICKET_LIST)
    active = ticket_paths.IS_ACTIVE
    late = Ticket.due_at < clock.now()
    mine = [Ticket.owner_id == actor.id, active]
    ownerless = [Ticket.owner_id.is_(None), active]
    overdue = [late, active]

    async def first(conditions: list[Any], *order: Any) -> Sequence[TicketRow]:
        ids = select(Ticket.id).where(LIVE, *conditions).order_by(*order).limit(SHOWN)  # from an index alone
        statement = AS_LISTED.where(planning.among_found(Ticket.id, ids)).order_by(*order)
        return list(await session.execute(statement.execution_options(**INCLUDE_DELETED)))

    async def most_urgent(conditions: list[Any]) -> Sequence[TicketRow]:
        """The oldest of each priority, each from its stretch of the index; then the first of these."""
        stretches = [
            select(Ticket.id).where(LIVE, *conditions, Ticket.priority == priority).order_by(Ticket.id).limit(SHOWN)
            for priority in Priority
        ]
        found = union_all(*(select(stretch.subquery()) for stretch in stretches))
        return await first([Ticket.id.in_(found)], Ticket.priority.desc(), Ticket.id)

    def number(conditions: list[Any]) -> Any:
        counted = select(Ticket.id).where(*conditions).limit(COUNTED + 1).subquery()
        return select(func.count()).select_from(counted).scalar_subquery()

    counted = select(number(mine).label("mine"), number(ownerless).label("ownerless"), number(overdue).label("overdue"))
    statuses = select(*(number([Ticket.status == status]).label(status.value) for status in Status))
    by_status = (await session.execute(statuses)).one()
    return Summary(
        mine=await most_urgent(mine),
        ownerless=await most_urgent(ownerless),
        overdue=await first(overdue, Ticket.due_at, Ticket.id),
        recent=await first([], Ticket.updated_at.desc(), Ticket.id.desc()),
        counts=dict((await session.execute(counted)).one()._mapping),
        by_status={status: found for status, found in zip(Status, by_status, strict=True) if found},
    )
