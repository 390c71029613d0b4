"""Giving somebody another role, and who cannot lose theirs yet."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import Conflict
from admin_app.models.audit_log import AuditAction
from admin_app.models.ticket import ACTIVE_STATUSES, Ticket
from admin_app.models.user import User
from admin_app.permissions import OWNING_ROLES, Role
from admin_app.services.records import audit


async def change(session: AsyncSession, actor: Actor, user: User, role: Role) -> None:
    """Give a locked person another role. Rights and sessions are the caller's business.

    `Conflict` when somebody who owns open tickets would no longer be able to.
    """
    if role not in OWNING_ROLES:
        await refuse_open_work(session, user)
    user.role = role
    await audit.record(session, actor, AuditAction.CHANGE_ROLE, user)


async def would_leave_work(session: AsyncSession, user: User, role: Role) -> bool:
    """Whether open tickets would be owned by somebody who cannot own any."""
    return role not in OWNING_ROLES and await open_tickets(session, user) > 0


async def refuse_open_work(session: AsyncSession, user: User) -> None:
    """`Conflict` while the person owns open tickets."""
    count = await open_tickets(session, user)
    if count:
        raise Conflict(f"{user.full_name} still owns {count:,} open tickets. Hand them over first.")


async def open_tickets(session: AsyncSession, user: User) -> int:
    """How many tickets the person owns that are not done."""
    own = (Ticket.owner_id == user.id, Ticket.status.in_(ACTIVE_STATUSES))
    return await session.scalar(select(func.count()).select_from(Ticket).where(*own)) or 0
