"""The only hard delete: a ticket in the trash and all that hangs on it, for good."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import InvalidInput, StillReferenced
from admin_app.models.attachment import Attachment
from admin_app.models.audit_log import AuditAction
from admin_app.models.comment import Comment
from admin_app.models.notification import Notification
from admin_app.models.tag import ticket_tags
from admin_app.models.ticket import Ticket
from admin_app.models.watcher import TicketWatcher
from admin_app.permissions import Permission
from admin_app.services.records import audit

SHOWN_CHILDREN = 5


@dataclass(frozen=True)
class PurgeCounts:
    """What goes with the ticket, and how many tickets still point at it."""

    comments: int
    attachments: int
    watchers: int
    tags: int
    notifications: int
    pointing_here: int


async def count(session: AsyncSession, actor: Actor, ticket: Ticket) -> PurgeCounts:
    """Count per table, in one statement, what `purge` would remove."""
    actor.require(Permission.TICKET_PURGE)
    statement = select(
        _number_of(Comment.id, Comment.ticket_id == ticket.id),
        _number_of(Attachment.id, Attachment.ticket_id == ticket.id),
        _number_of(TicketWatcher.id, TicketWatcher.ticket_id == ticket.id),
        _number_of(ticket_tags.c.tag_id, ticket_tags.c.ticket_id == ticket.id),
        _number_of(Notification.id, Notification.ticket_id == ticket.id),
        _number_of(Ticket.id, Ticket.parent_id == ticket.id),
    ).execution_options(**INCLUDE_DELETED)
    return PurgeCounts(*(await session.execute(statement)).one())


async def purge(
    session: AsyncSession, actor: Actor, ticket: Ticket, *, typed_number: str, reason: str = ""
) -> list[str]:
    """Remove a deleted, locked ticket for good; leaves a tombstone in the audit log.

    The tombstone's reason is that of the deletion unless another one is given.
    Returns the storage keys of its files: their bytes may go once this is committed, unless others use them too.
    Raises `InvalidInput` at `typed_number` when that is not the ticket's number, `StillReferenced` when other
    tickets point at it. Notifications keep their text and lose their link.
    """
    actor.require(Permission.TICKET_PURGE)
    if typed_number.strip().upper() != ticket.ticket_number:
        raise InvalidInput(typed_number=f"Type {ticket.ticket_number} to remove it for good.")
    await _refuse_while_referenced(session, ticket)
    removed = await count(session, actor, ticket)
    keys = await _storage_keys(session, ticket)
    tombstone: dict[str, list[object]] = {
        "title": [ticket.title, None],
        "status": [ticket.status.value, None],
        "creator_id": [ticket.creator_id, None],
        "owner_id": [ticket.owner_id, None],
        "comments": [removed.comments, 0],
        "attachments": [removed.attachments, 0],
    }
    why = reason.strip() or ticket.delete_reason
    await audit.record(session, actor, AuditAction.PURGE, ticket, changes=tombstone, reason=why)
    for child in (Attachment, Comment):
        await session.execute(delete(child).where(child.ticket_id == ticket.id).execution_options(**INCLUDE_DELETED))
    await session.delete(ticket)
    await session.flush()
    return keys


async def _refuse_while_referenced(session: AsyncSession, ticket: Ticket) -> None:
    statement = (
        select(Ticket.ticket_number)
        .where(Ticket.parent_id == ticket.id)
        .order_by(Ticket.id)
        .limit(SHOWN_CHILDREN)
        .execution_options(**INCLUDE_DELETED)
    )
    numbers = (await session.scalars(statement)).all()
    if numbers:
        raise StillReferenced(f"{ticket.ticket_number} is still named as the parent of {', '.join(numbers)}.")


async def _storage_keys(session: AsyncSession, ticket: Ticket) -> list[str]:
    own = select(Attachment.storage_key).where(Attachment.ticket_id == ticket.id)
    return list((await session.scalars(own.distinct().execution_options(**INCLUDE_DELETED))).all())


def _number_of(column: Any, condition: Any) -> Any:
    return select(func.count(column)).where(condition).scalar_subquery()
