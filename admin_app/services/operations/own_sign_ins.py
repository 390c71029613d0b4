"""Open sign-ins, as the person sees their own and an admin sees anybody's; each can be ended."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import NotFound
from admin_app.models.audit_log import AuditAction
from admin_app.models.user import User
from admin_app.models.user_session import UserSession
from admin_app.permissions import Permission
from admin_app.services.blocks import second_factor, sign_in_sessions
from admin_app.services.records import audit, lookup

MOST_SHOWN = 100


async def own(session: AsyncSession, actor: Actor, *, idle: timedelta) -> Sequence[UserSession]:
    """The actor's open sign-ins, the one used last first."""
    return await _open(session, actor.id, idle)


async def of_person(session: AsyncSession, actor: Actor, user_id: int, *, idle: timedelta) -> Sequence[UserSession]:
    """Anybody's open sign-ins, for those who may end them."""
    actor.require(Permission.USER_END_SESSIONS)
    user = await lookup.user(session, actor, user_id)
    return await _open(session, user.id, idle)


async def end_own(session: AsyncSession, actor: Actor, session_id: int) -> UserSession:
    """End one of the actor's own; that of somebody else is `NotFound`."""
    return await _end(session, actor, session_id, actor.id)


async def end_one_of(session: AsyncSession, actor: Actor, session_id: int, *, user_id: int) -> UserSession:
    """End one sign-in of this person, for those who may."""
    actor.require(Permission.USER_END_SESSIONS)
    return await _end(session, actor, session_id, user_id)


async def end_others(session: AsyncSession, actor: Actor, *, kept_id: int) -> User:
    """End every sign-in of the actor but the one they use now, half-open ones too."""
    user = await second_factor.locked_person(session, actor.id)
    count = await sign_in_sessions.end_others(session, user.id, kept_id=kept_id)
    await audit.record(session, actor, AuditAction.END_SESSIONS, user, changes={"open_sessions": [count + 1, 1]})
    return user


async def _open(session: AsyncSession, user_id: int | None, idle: timedelta) -> Sequence[UserSession]:
    now = clock.now()
    statement = (
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
            UserSession.last_seen_at > now - idle,
        )
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
        .limit(MOST_SHOWN)
    )
    return (await session.scalars(statement)).all()


async def _end(session: AsyncSession, actor: Actor, session_id: int, user_id: int | None) -> UserSession:
    statement = select(UserSession).where(UserSession.id == session_id, UserSession.user_id == user_id)
    found = await session.scalar(statement.with_for_update())
    if found is None:
        raise NotFound("There is no such sign-in.")
    if found.revoked_at is None:
        found.revoked_at = clock.now()
        user = await second_factor.locked_person(session, user_id)
        await audit.record(session, actor, AuditAction.END_SESSION, user, changes={})
    return found
