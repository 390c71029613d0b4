"""Everything that the page of one ticket shows, in a constant number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.models.attachment import Attachment
from admin_app.models.comment import Comment
from admin_app.models.ticket import Ticket
from admin_app.models.watcher import TicketWatcher
from admin_app.services.blocks import audit_entries
from admin_app.services.records import history, lookup

NEWEST = 20
ALL = 1000


@dataclass(frozen=True)
class Thread:
    """A ticket with what hangs on it, the newest of each kind; `totals` tells how many there are."""

    ticket: Ticket
    comments: Sequence[Comment]
    attachments: Sequence[Attachment]
    watchers: Sequence[TicketWatcher]
    history: Sequence[audit_entries.Entry]
    totals: dict[str, int]


async def read(session: AsyncSession, actor: Actor, ticket_id: int, *, show_all: bool = False) -> Thread:
    """A live ticket and its thread; `show_all` lifts the limit from 20 to 1,000 of each kind."""
    ticket = await lookup.ticket(session, actor, ticket_id, options=lookup.WITH_EVERYTHING)
    return await _thread(session, ticket, limit=ALL if show_all else NEWEST, batch=None)


async def read_deleted(session: AsyncSession, actor: Actor, ticket_id: int) -> Thread:
    """A ticket in the trash with what went with it."""
    ticket = await lookup.deleted_ticket(session, actor, ticket_id, options=lookup.WITH_EVERYTHING)
    return await _thread(session, ticket, limit=NEWEST, batch=ticket.delete_batch_id)


async def _thread(session: AsyncSession, ticket: Ticket, *, limit: int, batch: str | None) -> Thread:
    of_comments = [Comment.ticket_id == ticket.id, Comment.delete_batch_id == batch]
    of_attachments = [Attachment.ticket_id == ticket.id, Attachment.delete_batch_id == batch]
    of_watchers = [TicketWatcher.ticket_id == ticket.id]

    async def newest(model: Any, conditions: list[Any], *loaded: Any) -> list[Any]:
        statement = select(model).where(*conditions).options(*map(joinedload, loaded))
        newest_first = statement.order_by(model.id.desc()).limit(limit).execution_options(**INCLUDE_DELETED)
        return list((await session.scalars(newest_first)).all())

    def number(model: Any, conditions: list[Any]) -> Any:
        return select(func.count(model.id)).where(*conditions).scalar_subquery()

    together = [number(Ticket, [Ticket.delete_batch_id == batch]).label("deleted_together")] if batch else []
    counted = select(
        number(Comment, of_comments).label("comments"),
        number(Attachment, of_attachments).label("attachments"),
        number(TicketWatcher, of_watchers).label("watchers"),
        history.number(ticket).label("history"),
        *together,
    ).execution_options(**INCLUDE_DELETED)
    comments = await newest(Comment, of_comments, Comment.author)
    return Thread(
        ticket=ticket,
        comments=comments[::-1],
        attachments=await newest(Attachment, of_attachments, Attachment.uploaded_by),
        watchers=await newest(TicketWatcher, of_watchers, TicketWatcher.user),
        history=await audit_entries.readable(session, await history.newest(session, ticket, limit=limit)),
        totals=dict((await session.execute(counted)).one()._mapping),
    )
