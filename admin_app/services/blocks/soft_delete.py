"""Deleting so that it can be undone: a ticket goes with its comments and attachments, and comes back with them."""

import uuid

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import InvalidInput
from admin_app.models.attachment import Attachment
from admin_app.models.audit_log import AuditAction
from admin_app.models.comment import Comment
from admin_app.models.notification import NotificationType
from admin_app.models.ticket import Ticket
from admin_app.models.user import User
from admin_app.permissions import Permission
from admin_app.services.records import audit, lookup, notifications


def new_batch_id() -> str:
    """An id for rows that are changed by one action."""
    return uuid.uuid4().hex


async def delete(
    session: AsyncSession, actor: Actor, ticket: Ticket, *, reason: str, batch_id: str | None = None
) -> None:
    """Put a live, locked ticket with its live comments and attachments into the trash, as one batch.

    What was deleted before keeps its own batch. Raises `InvalidInput` at `reason` when that is empty.
    """
    actor.require(Permission.TICKET_DELETE)
    if not reason.strip():
        raise InvalidInput(reason="Say why this ticket is deleted.")
    batch = batch_id or new_batch_id()
    marks = {
        "deleted_at": clock.now(),
        "deleted_by_id": actor.id,
        "delete_reason": reason.strip(),
        "delete_batch_id": batch,
    }
    for name, value in marks.items():
        setattr(ticket, name, value)
    await audit.record(session, actor, AuditAction.DELETE, ticket, reason=reason.strip(), batch_id=batch)
    for child in (Comment, Attachment):
        growth = {"version": Comment.version + 1} if child is Comment else {}
        statement = update(child).where(child.ticket_id == ticket.id, child.deleted_at.is_(None))
        await session.execute(statement.values(**marks, **growth), execution_options={"synchronize_session": False})
    notifications.notify(
        session,
        actor,
        [ticket.owner_id],
        NotificationType.DELETED,
        f"{actor.name} deleted {ticket.ticket_number}: {reason.strip()}",
        ticket,
    )


async def restore(session: AsyncSession, actor: Actor, ticket: Ticket, *, new_owner: User | None = None) -> None:
    """Bring a deleted, locked ticket back with exactly the batch it went with.

    Needs `ticket.owner` and `ticket.creator` loaded. Raises `InvalidInput` at `new_owner` when the owner is
    deactivated or can no longer own tickets and nobody else is named, and at `creator` when the customer is
    deactivated.
    """
    actor.require(Permission.TICKET_RESTORE)
    if not ticket.creator.is_active:
        raise InvalidInput(creator=f"{ticket.creator.full_name}, who opened it, is deactivated. Reactivate them first.")
    if new_owner is not None:
        ticket.owner_id = new_owner.id
    elif ticket.owner is not None and not await lookup.can_still_own(session, ticket.owner.id):
        raise InvalidInput(
            new_owner=f"{ticket.owner.full_name}, who owned it, can no longer own tickets. Choose a new owner."
        )
    batch = ticket.delete_batch_id
    marks = {"deleted_at": None, "deleted_by_id": None, "delete_reason": None, "delete_batch_id": None}
    for name, value in marks.items():
        setattr(ticket, name, value)
    await audit.record(session, actor, AuditAction.RESTORE, ticket, batch_id=batch)
    for child in (Comment, Attachment):
        growth = {"version": Comment.version + 1} if child is Comment else {}
        statement = update(child).where(child.ticket_id == ticket.id, child.delete_batch_id == batch)
        await session.execute(
            statement.values(**marks, **growth),
            execution_options={"synchronize_session": False, **INCLUDE_DELETED},
        )
    notifications.notify(
        session,
        actor,
        [ticket.owner_id],
        NotificationType.RESTORED,
        f"{actor.name} brought {ticket.ticket_number} back: {ticket.title}",
        ticket,
    )
