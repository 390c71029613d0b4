"""Everything that the page of one ticket shows, in a constant number of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select
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
    values = {"ticket": ticket.id, "batch": batch, "most": limit}

    async def newest(model: Any, author: Any) -> list[Any]:
        return list((await session.scalars(_newest(model, author, batch is not None), values)).all())

    comments = await newest(Comment, Comment.author)
    attachments = await newest(Attachment, Attachment.uploaded_by)
    watchers = await newest(TicketWatcher, TicketWatcher.user)
    happenings = await history.newest(session, ticket, limit=limit)
    found = {"comments": comments, "attachments": attachments, "watchers": watchers, "history": happenings}
    totals = {name: len(rows) for name, rows in found.items()}
    if batch is not None or max(totals.values()) >= limit:
        totals = await _counted(session, ticket, batch)
    return Thread(
        ticket=ticket,
        comments=comments[::-1],
        attachments=attachments,
        watchers=watchers,
        history=await audit_entries.readable(session, happenings),
        totals=totals,
    )


@cache
def _newest(model: Any, author: Any, in_batch: bool) -> Select[Any]:
    """Built once: a page asks for three of these, and building takes longer than the answer."""
    statement = select(model).where(model.ticket_id == bindparam("ticket")).options(joinedload(author))
    if model is not TicketWatcher:
        batch = model.delete_batch_id
        statement = statement.where(batch == bindparam("batch") if in_batch else batch.is_(None))
    newest_first = statement.order_by(model.id.desc()).limit(bindparam("most"))
    return newest_first.execution_options(**INCLUDE_DELETED)


async def _counted(session: AsyncSession, ticket: Ticket, batch: str | None) -> dict[str, int]:
    """How many there are of each kind, where that may be more than are shown."""

    def number(model: Any, *conditions: Any) -> Any:
        return select(func.count(model.id)).where(*conditions).scalar_subquery()

    together = [number(Ticket, Ticket.delete_batch_id == batch).label("deleted_together")] if batch else []
    counted = select(
        number(Comment, Comment.ticket_id == ticket.id, Comment.delete_batch_id == batch).label("comments"),
        number(Attachment, Attachment.ticket_id == ticket.id, Attachment.delete_batch_id == batch).label("attachments"),
        number(TicketWatcher, TicketWatcher.ticket_id == ticket.id).label("watchers"),
        history.number(ticket).label("history"),
        *together,
    ).execution_options(**INCLUDE_DELETED)
    return dict((await session.execute(counted)).one()._mapping)
