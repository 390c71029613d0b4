"""Everything that the page of one ticket shows, in a constant number of statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.models.attachment import Attachment
from admin_app.models.comment import Comment
from admin_app.models.tag import Tag, ticket_tags
from admin_app.models.ticket import Ticket
from admin_app.models.user import User
from admin_app.models.watcher import TicketWatcher
from admin_app.services.blocks import audit_entries
from admin_app.services.records import history, lookup

NEWEST = 20
ALL = 1000


@dataclass(frozen=True)
class Thread:
    """A ticket with what hangs on it, the newest of each kind; `totals` tells how many there are.

    Comments, files and watchers come as rows of what is shown of them, with the name of their `person`.
    """

    ticket: Ticket
    tags: Sequence[str]
    comments: Sequence[Row[Any]]
    attachments: Sequence[Row[Any]]
    watchers: Sequence[Row[Any]]
    history: Sequence[audit_entries.Entry]
    totals: dict[str, int]


async def read(session: AsyncSession, actor: Actor, ticket_id: int, *, show_all: bool = False) -> Thread:
    """A live ticket and its thread; `show_all` lifts the limit from 20 to 1,000 of each kind."""
    ticket = await lookup.ticket(session, actor, ticket_id, options=lookup.WITH_RELATIVES)
    return await _thread(session, ticket, limit=ALL if show_all else NEWEST, batch=None)


async def read_deleted(session: AsyncSession, actor: Actor, ticket_id: int) -> Thread:
    """A ticket in the trash with what went with it."""
    ticket = await lookup.deleted_ticket(session, actor, ticket_id, options=lookup.WITH_RELATIVES)
    return await _thread(session, ticket, limit=NEWEST, batch=ticket.delete_batch_id)


async def _thread(session: AsyncSession, ticket: Ticket, *, limit: int, batch: str | None) -> Thread:
    values = {"ticket": ticket.id, "batch": batch, "most": limit}
    found: dict[str, Sequence[Row[Any]]] = {
        name: (await session.execute(_newest(name, batch is not None), values)).all() for name in _SHOWN
    }
    happenings = await history.newest(session, ticket, limit=limit)
    totals = {name: len(rows) for name, rows in found.items()} | {"history": len(happenings)}
    if batch is not None or max(totals.values()) >= limit:
        totals = await _counted(session, ticket, batch)
    return Thread(
        ticket=ticket,
        tags=(await session.scalars(_TAGS, values)).all(),
        comments=found["comments"][::-1],
        attachments=found["attachments"],
        watchers=found["watchers"],
        history=await audit_entries.readable(session, happenings),
        totals=totals,
    )


_TAGS = (
    select(Tag.name)
    .join(ticket_tags, ticket_tags.c.tag_id == Tag.id)
    .where(ticket_tags.c.ticket_id == bindparam("ticket"))
    .order_by(Tag.name)
)

_SHOWN: Mapping[str, tuple[Any, Any, Sequence[Any]]] = {
    "comments": (
        Comment,
        Comment.author_id,
        (Comment.id, Comment.body, Comment.is_internal, Comment.created_at, Comment.version),
    ),
    "attachments": (
        Attachment,
        Attachment.uploaded_by_id,
        (Attachment.id, Attachment.filename, Attachment.size),
    ),
    "watchers": (TicketWatcher, TicketWatcher.user_id, (TicketWatcher.user_id, TicketWatcher.level)),
}
"""By kind: its table, whose it is, and what is shown of it."""


@cache
def _newest(kind: str, in_batch: bool) -> Select[Any]:
    """Built once: a page asks for three of these, and building takes longer than the answer."""
    model, person_id, shown = _SHOWN[kind]
    statement = select(*shown, User.full_name.label("person")).outerjoin(User, User.id == person_id)
    statement = statement.where(model.ticket_id == bindparam("ticket"))
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
