"""What a person has been told."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from admin_app.actor import Actor
from admin_app.db.keyset import Order
from admin_app.models.notification import Notification
from admin_app.permissions import Permission
from admin_app.services.records import listing

NEWEST_FIRST = Order((Notification.id,), descending=True)


async def page(
    session: AsyncSession, actor: Actor, *, unread_only: bool, everyone: bool, request: listing.PageRequest
) -> listing.Page[Notification]:
    """The actor's notifications, newest first; those of all people with `notification:list-all`."""
    actor.require(Permission.NOTIFICATION_LIST_ALL if everyone else Permission.NOTIFICATION_LIST)
    statement = select(Notification).options(
        joinedload(Notification.ticket), joinedload(Notification.actor), joinedload(Notification.user)
    )
    if not everyone:
        statement = statement.where(Notification.user_id == actor.id)
    if unread_only:
        statement = statement.where(Notification.read_at.is_(None))
    return await listing.paginate(session, statement, order=NEWEST_FIRST, request=request)
