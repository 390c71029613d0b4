"""Sign-in sessions: opaque to the browser, rows on our side, so that they can be ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Executable, Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import joinedload

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.models.audit_log import AuditAction
from admin_app.models.external_identity import ExternalIdentity
from admin_app.models.notification import Notification
from admin_app.models.second_factor import SecondFactor
from admin_app.models.user import User
from admin_app.models.user_session import UserSession
from admin_app.permissions import DESK_ROLES, Permission, Role
from admin_app.services.blocks import sign_in_sessions
from admin_app.services.blocks.sign_in_sessions import Begun as Begun
from admin_app.services.blocks.sign_in_sessions import Caller as Caller
from admin_app.services.blocks.sign_in_sessions import Lifetime as Lifetime
from admin_app.services.blocks.sign_in_sessions import actor_of as actor_of
from admin_app.services.blocks.sign_in_sessions import hash_of as hash_of
from admin_app.services.records import audit, lookup

SEEN_EVERY = timedelta(minutes=1)
UNREAD_CAP = 100

NO_ADDRESS = "something that is no e-mail address"
"""What the audit log says in place of it: people type their password into the wrong field."""


def _holder() -> Executable:
    unread = select(func.count()).where(Notification.user_id == UserSession.user_id, Notification.read_at.is_(None))
    of_user = SecondFactor.user_id == UserSession.user_id
    return (
        select(
            UserSession.id.label("session_id"),
            *(UserSession.revoked_at, UserSession.expires_at, UserSession.last_seen_at),
            *(UserSession.stepped_up_at, UserSession.by_provider),
            *(User.id, User.full_name, User.role, User.timezone, User.is_active, User.password_hash),
            unread.scalar_subquery().label("unread"),
            select(SecondFactor.id).where(of_user, SecondFactor.confirmed_at.is_not(None)).exists().label("has_factor"),
            select(ExternalIdentity.id)
            .where(ExternalIdentity.user_id == UserSession.user_id)
            .exists()
            .label("has_identity"),
        )
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.token_hash == bindparam("token_hash"))
        .execution_options(**INCLUDE_DELETED)
    )


_HOLDER = _holder()
"""Asked on every page, hence built once; nothing in it can be deleted."""


@dataclass(frozen=True)
class SignedIn:
    """A recognised session."""

    actor: Actor
    session_id: int
    unread: int
    last_seen_at: datetime
    stepped_up_at: datetime | None = None
    has_second_factor: bool = False
    by_provider: bool = False

    def should_note(self, now: datetime) -> bool:
        """Last-seen is written once a minute at most."""
        return now - self.last_seen_at >= SEEN_EVERY


async def stored_hash(session: AsyncSession, *, email: str) -> str | None:
    """The password hash behind an address, to be checked outside of any transaction: checking is slow on purpose."""
    statement = select(User.password_hash).where(User.email == lookup.address_in(email))
    found: str | None = await session.scalar(statement)
    return found


async def open_session(
    session: AsyncSession,
    *,
    email: str,
    proven_hash: str | None,
    rehashed: str | None,
    caller: Caller,
    lifetime: Lifetime,
    replaces: str = "",
) -> Begun | None:
    """A new sign-in, or None when address and password did not open a desk account.

    `proven_hash` is the stored hash that the password was checked against, None when it was wrong. Unknown address,
    wrong password, deactivated account and customer are not told apart; the audit log has the refused address.
    `replaces` is the token that this browser held before: that sign-in ends.
    """
    address = lookup.address_in(email)[:254]
    # locked: a password or a second factor that changes at this very moment is seen here, or ends what begins
    user = await session.scalar(select(User).where(User.email == address).with_for_update(key_share=True))
    if user is None or proven_hash is None or user.password_hash != proven_hash or not _may_sign_in(user):
        await _refused(session, user, address, caller)
        return None
    if rehashed is not None:
        user.password_hash = rehashed
    await sign_in_sessions.end_replaced(session, replaces)
    return await sign_in_sessions.begin(session, user, caller=caller, lifetime=lifetime)


async def recognise(
    session: AsyncSession | AsyncConnection, *, token: str, caller: Caller, lifetime: Lifetime
) -> SignedIn | None:
    """Who holds this token, with their unread notifications counted, in one statement.

    None when the session is unknown, ended, expired or idle too long, or the person may no longer sign in.
    """
    found = (await session.execute(_HOLDER, {"token_hash": hash_of(token)})).one_or_none()
    if found is None:
        return None
    now = clock.now()
    is_over = found.revoked_at is not None or found.expires_at <= now or found.last_seen_at + lifetime.idle <= now
    has_a_way_in = found.password_hash is not None or found.has_identity
    if is_over or not has_a_way_in or not _may_sign_in(found):
        return None
    return SignedIn(
        actor_of(found, caller),
        found.session_id,
        min(found.unread, UNREAD_CAP),
        found.last_seen_at,
        stepped_up_at=found.stepped_up_at,
        has_second_factor=bool(found.has_factor),
        by_provider=found.by_provider,
    )


async def note_seen(session: AsyncSession, session_id: int) -> None:
    """Remember that this session was used just now."""
    await session.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen_at=clock.now()))


async def sign_out(session: AsyncSession, actor: Actor, session_id: int) -> UserSession | None:
    """End one of the actor's own sessions; a second time changes nothing."""
    statement = select(UserSession).where(UserSession.id == session_id, UserSession.user_id == actor.id)
    found = await session.scalar(statement.options(joinedload(UserSession.user)))
    if found is not None and found.revoked_at is None:
        found.revoked_at = clock.now()
        await audit.record(session, actor, AuditAction.SIGN_OUT, found.user, changes={})
    return found


async def end_sessions_of(session: AsyncSession, actor: Actor, user_id: int) -> User:
    """Sign a person out everywhere. `NotFound` when there is no such person."""
    actor.require(Permission.USER_END_SESSIONS)
    user = await lookup.user(session, actor, user_id, lock=True)
    ended = await sign_in_sessions.end_all(session, user.id)
    await audit.record(session, actor, AuditAction.END_SESSIONS, user, changes={"open_sessions": [ended, 0]})
    return user


def _may_sign_in(user: User | Row[Any]) -> bool:
    return bool(user.is_active) and user.role in DESK_ROLES


async def _refused(session: AsyncSession, user: User | None, address: str, caller: Caller) -> None:
    named = address if "@" in address and " " not in address else NO_ADDRESS
    subject = user or User(email=named, full_name="Unknown", role=Role.CUSTOMER, timezone="UTC")
    await audit.record(session, actor_of(subject, caller), AuditAction.SIGN_IN_REFUSED, subject, changes={})
