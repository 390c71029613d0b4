"""What people are told, and what they have read."""

from collections.abc import Iterable

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import NotFound
from admin_app.models.notification import Notification, NotificationType
from admin_app.models.ticket import Ticket
from admin_app.models.watcher import TicketWatcher, WatchLevel
from admin_app.permissions import Permission

LONGEST_MESSAGE = 500
LARGEST_ID = 2**31 - 1


def notify(
    session: AsyncSession,
    actor: Actor,
    receivers: Iterable[int | None],
    kind: NotificationType,
    message: str,
    ticket: Ticket | None,
) -> None:
    """Tell each receiver once, of one ticket or of several (None); nobody is told of what they did themselves."""
    for user_id in sorted({receiver for receiver in receivers if receiver is not None} - {actor.id}):
        session.add(
            Notification(
                user_id=user_id,
                type=kind,
                message=message[:LONGEST_MESSAGE],
                ticket_id=ticket.id if ticket else None,
                actor_id=actor.id,
            )
        )


async def watchers_of(session: AsyncSession, ticket: Ticket, *levels: WatchLevel) -> list[int]:
    """Ids of the people who asked to hear of this ticket at one of these levels."""
    statement = select(TicketWatcher.user_id).where(
        TicketWatcher.ticket_id == ticket.id, TicketWatcher.level.in_(levels)
    )
    return list((await session.scalars(statement)).all())


async def mark_read(session: AsyncSession, actor: Actor, notification_id: int) -> Notification:
    """Mark one of the actor's own as read; a second time changes nothing. `NotFound` for those of others."""
    actor.require(Permission.NOTIFICATION_MARK_READ)
    if not 0 < notification_id <= LARGEST_ID:
        raise NotFound("There is no such notification.")
    statement = select(Notification).where(Notification.id == notification_id, Notification.user_id == actor.id)
    notification = await session.scalar(statement)
    if notification is None:
        raise NotFound("There is no such notification.")
    if notification.read_at is None:
        notification.read_at = clock.now()
    return notification


async def mark_all_read(session: AsyncSession, actor: Actor) -> int:
    """Mark every notification of the actor as read; says how many were not."""
    actor.require(Permission.NOTIFICATION_MARK_READ)
    unread = Notification.user_id == actor.id, Notification.read_at.is_(None)
    count = await session.scalar(select(func.count()).select_from(Notification).where(*unread))
    await session.execute(update(Notification).where(*unread).values(read_at=clock.now()))
    return count or 0
