"""Which tickets a batch is about: ticked ones, or everything that a list shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import InvalidInput
from admin_app.models.ticket import Ticket
from admin_app.permissions import Permission
from admin_app.services.pages import ticket_list
from admin_app.services.pages.ticket_list import TicketFilter
from admin_app.services.records.lookup import LARGEST_ID

MOST_ROWS = 10_000


@dataclass(frozen=True)
class Selection:
    """One of these: ids, a filter of the ticket list, a search in the trash, or whatever one delete batch holds."""

    ids: Sequence[int] = ()
    matching: TicketFilter | None = None
    in_trash: str | None = None
    delete_batch_id: str = ""


async def chosen(session: AsyncSession, actor: Actor, selection: Selection) -> list[int]:
    """The ids in order, each once; ids that cannot exist stay in, to be told of.

    `InvalidInput` when there is none, or more than `MOST_ROWS`. Looking into the trash needs `ticket:trash`.
    """
    statement = _statement(actor, selection)
    if statement is None:
        ids = sorted(set(selection.ids))
    else:
        limited = statement.order_by(Ticket.id).limit(MOST_ROWS + 1)
        ids = list((await session.scalars(limited)).all())
    if not ids:
        raise InvalidInput("Choose at least one ticket.")
    if len(ids) > MOST_ROWS:
        raise InvalidInput(f"One batch changes at most {MOST_ROWS:,} tickets. Narrow the list, or do it in parts.")
    return ids


def can_exist(ticket_id: int) -> bool:
    """Whether the database could hold such an id at all."""
    return 0 < ticket_id <= LARGEST_ID


def _statement(actor: Actor, selection: Selection) -> Select[Any] | None:
    if selection.matching is not None:
        actor.require(Permission.TICKET_LIST)
        return ticket_list.narrowed(select(Ticket.id), actor, selection.matching).where(Ticket.deleted_at.is_(None))
    if selection.in_trash is not None:
        actor.require(Permission.TICKET_TRASH)
        return ticket_list.in_trash(select(Ticket.id), selection.in_trash)
    if selection.delete_batch_id:
        actor.require(Permission.TICKET_TRASH)
        of_batch = select(Ticket.id).where(Ticket.delete_batch_id == selection.delete_batch_id)
        return of_batch.execution_options(**INCLUDE_DELETED)
    return None
