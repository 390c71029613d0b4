"""Whose ticket it is."""

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import InvalidInput, PermissionDenied
from admin_app.models.audit_log import AuditAction
from admin_app.models.notification import NotificationType
from admin_app.models.ticket import Ticket
from admin_app.models.user import User
from admin_app.permissions import OWNING_ROLES, Permission
from admin_app.services.records import audit, notifications, text_rules


class Owned(Protocol):
    """A ticket, as far as it matters whose it is."""

    @property
    def owner_id(self) -> int | None:
        """Who is responsible."""
        ...


def can_transfer(actor: Actor, ticket: Owned) -> bool:
    """Own and ownerless tickets with `ticket:transfer`, all others with `ticket:transfer-any`."""
    if actor.can(Permission.TICKET_TRANSFER_ANY):
        return True
    return actor.can(Permission.TICKET_TRANSFER) and ticket.owner_id in (None, actor.id)


def check(actor: Actor, ticket: Ticket) -> None:
    """Refuse whoever may not hand this ticket over."""
    if not can_transfer(actor, ticket):
        raise PermissionDenied(f"You may hand over your own tickets only; {ticket.ticket_number} is not yours.")


def can_take(actor: Actor, ticket: Owned) -> bool:
    """Whether the ticket could become the actor's own."""
    return can_transfer(actor, ticket) and actor.role in OWNING_ROLES and ticket.owner_id != actor.id


async def transfer(
    session: AsyncSession, actor: Actor, ticket: Ticket, *, new_owner: User, reason: str, note: str = ""
) -> None:
    """Hand a ticket over: owner, audit entry and a notification to the new and the former owner.

    The caller has locked the ticket and checked that `new_owner` is active and can own tickets.
    Raises `PermissionDenied` for other people's tickets without `ticket:transfer-any`, and `InvalidInput` at
    `new_owner` when it is theirs already.
    """
    check(actor, ticket)
    if ticket.owner_id == new_owner.id:
        raise InvalidInput(new_owner=f"{ticket.ticket_number} belongs to {new_owner.full_name} already.")
    former_owner_id = ticket.owner_id
    ticket.owner_id = new_owner.id
    await audit.record(session, actor, AuditAction.TRANSFER_OWNERSHIP, ticket, reason=reason)
    told = f"{actor.name} handed {ticket.ticket_number} to you: {ticket.title}"
    message = f"{text_rules.sentence(told)} {note}" if note else told
    notifications.notify(session, actor, [new_owner.id], NotificationType.TRANSFERRED, message, ticket)
    notifications.notify(
        session,
        actor,
        [former_owner_id],
        NotificationType.TRANSFERRED,
        f"{actor.name} handed {ticket.ticket_number} from you to {new_owner.full_name}",
        ticket,
    )
