"""Who may be kept out from now on, and writing that down."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import Conflict, PermissionDenied
from admin_app.models.audit_log import AuditAction
from admin_app.models.password_link import PasswordLink
from admin_app.models.user import User
from admin_app.permissions import Permission, Role
from admin_app.services.records import audit


def is_within_reach(actor: Actor, user: User) -> bool:
    """Whether this actor may keep this person out or let them back in: an admin only with `user:edit-staff`."""
    return user.role is not Role.ADMIN or actor.can(Permission.USER_EDIT_STAFF)


def check(actor: Actor, user: User) -> None:
    """Refuse to deactivate oneself, an admin without `user:edit-staff`, and somebody who is deactivated already."""
    if user.id == actor.id:
        raise PermissionDenied("Nobody deactivates themselves.")
    if not is_within_reach(actor, user):
        raise PermissionDenied("Only an admin may deactivate an admin.")
    if not user.is_active:
        raise Conflict(f"{user.full_name} is deactivated already.")


async def write(session: AsyncSession, actor: Actor, user: User, *, reason: str, batch_id: str | None = None) -> None:
    """Deactivate a checked, locked person with one entry. Their open tickets and sessions are the caller's business."""
    await session.execute(delete(PasswordLink).where(PasswordLink.user_id == user.id))
    user.is_active = False  # after the statement: what is sent before the entry is written is no change any more
    await audit.record(session, actor, AuditAction.DEACTIVATE, user, reason=reason.strip(), batch_id=batch_id)
