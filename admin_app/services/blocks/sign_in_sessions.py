"""Beginning and ending sign-in sessions, however somebody proved who they are."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.models.audit_log import AuditAction
from admin_app.models.half_open_session import HalfOpenSession
from admin_app.models.second_factor import SecondFactor
from admin_app.models.user import User
from admin_app.models.user_session import UserSession
from admin_app.services.records import audit, idempotency

TOKEN_BYTES = 32
LONGEST_BROWSER_NAME = 300
HALF_OPEN_FOR = timedelta(minutes=5)
"""How long a sign-in waits for its second factor."""
NONE_KEPT = 0
"""In the place of a session's id: ids begin at one."""


@dataclass(frozen=True)
class Lifetime:
    """How long a sign-in lasts without a click, and in any case."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True)
class Caller:
    """Where a sign-in comes from."""

    ip: str | None
    user_agent: str | None
    request_id: str | None


@dataclass(frozen=True)
class Begun:
    """A sign-in for the browser to hold; while it needs a code it opens nothing but the page that asks for one."""

    token: str
    needs_code: bool = False


async def begin(session: AsyncSession, user: User, *, caller: Caller, lifetime: Lifetime) -> Begun:
    """Sign somebody in who has proven who they are; one who has a second factor only half."""
    has_factor = select(SecondFactor.id).where(SecondFactor.user_id == user.id, SecondFactor.confirmed_at.is_not(None))
    if await session.scalar(has_factor) is None:
        return Begun(await begin_whole(session, user, caller=caller, lifetime=lifetime))
    now, token = clock.now(), secrets.token_urlsafe(TOKEN_BYTES)
    stale = (HalfOpenSession.user_id == user.id, HalfOpenSession.expires_at <= now)
    await session.execute(delete(HalfOpenSession).where(*stale))
    session.add(HalfOpenSession(token_hash=hash_of(token), user_id=user.id, expires_at=now + HALF_OPEN_FOR))
    return Begun(token, needs_code=True)


async def begin_whole(
    session: AsyncSession, user: User, *, caller: Caller, lifetime: Lifetime, by_provider: bool = False
) -> str:
    """Sign somebody in who has proven everything that is asked of them; gives the token of a new session."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = clock.now()
    user.last_sign_in_at = now
    session.add(
        UserSession(
            token_hash=hash_of(token),
            user_id=user.id,
            last_seen_at=now,
            stepped_up_at=now,
            expires_at=now + lifetime.absolute,
            ip=caller.ip,
            user_agent=(caller.user_agent or "")[:LONGEST_BROWSER_NAME] or None,
            by_provider=by_provider,
        )
    )
    reason = "through the provider of single sign-on" if by_provider else None
    await audit.record(session, actor_of(user, caller), AuditAction.SIGN_IN, user, changes={}, reason=reason)
    await idempotency.forget_old(session)
    return token


async def end_replaced(session: AsyncSession, token: str) -> None:
    """End the sign-in that a browser held before it got a new one."""
    held = (UserSession.token_hash == hash_of(token), UserSession.revoked_at.is_(None))
    await session.execute(update(UserSession).where(*held).values(revoked_at=clock.now()))


async def end_all(session: AsyncSession, user_id: int) -> int:
    """End every session of a person, half-open ones too, from the next request on; says how many were open."""
    return await end_others(session, user_id, kept_id=NONE_KEPT)


async def end_others(session: AsyncSession, user_id: int, *, kept_id: int) -> int:
    """End every session of a person but the one that they ask from, half-open ones too; says how many were open."""
    await session.execute(delete(HalfOpenSession).where(HalfOpenSession.user_id == user_id))
    others = (UserSession.user_id == user_id, UserSession.id != kept_id, UserSession.revoked_at.is_(None))
    statement = update(UserSession).where(*others).values(revoked_at=clock.now()).returning(UserSession.id)
    return len((await session.scalars(statement)).all())


async def has_ended(session: AsyncSession, sign_in_id: int | None) -> bool:
    """Whether this sign-in was ended, as it is when somebody is deactivated or gets another role; None never is."""
    ended = select(UserSession.id).where(UserSession.id == sign_in_id, UserSession.revoked_at.is_not(None))
    return sign_in_id is not None and await session.scalar(ended) is not None


def hash_of(token: str) -> str:
    """What the database keeps of a token; 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def actor_of(user: User | Row[Any], caller: Caller) -> Actor:
    """The person as an actor of this request."""
    return Actor(
        id=user.id,
        name=user.full_name,
        role=user.role,
        timezone=user.timezone,
        request_id=caller.request_id,
        ip=caller.ip,
    )
