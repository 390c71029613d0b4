"""Proving again, in the middle of a sign-in, that it is still the same person: before what cannot be taken back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.models.audit_log import AuditAction
from admin_app.models.user import User
from admin_app.models.user_session import UserSession
from admin_app.services.blocks import second_factor
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.records import audit
from admin_app.services.records.secret_box import SecretBox

TO_CONFIRM = "to confirm that it is them"


@dataclass(frozen=True)
class Fresh:
    """The session that is to be fresh, and how long a confirmation keeps it so."""

    session_id: int
    fresh_for: timedelta


def is_fresh(stepped_up_at: datetime | None, fresh_for: timedelta) -> bool:
    """Whether a confirmation is young enough."""
    return stepped_up_at is not None and clock.now() < stepped_up_at + fresh_for


async def own_password_hash(session: AsyncSession, actor: Actor) -> str | None:
    """The actor's stored password hash, to be checked outside of any transaction: checking is slow on purpose."""
    found: str | None = await session.scalar(select(User.password_hash).where(User.id == actor.id))
    return found


async def confirm_with_code(
    session: AsyncSession, actor: Actor, *, fresh: Fresh, typed: str, box: SecretBox
) -> Verdict:
    """Make the session fresh when the code is right; a form that was sent twice needs, and uses, only one."""
    user = await second_factor.locked_person(session, actor.id)
    if await _is_fresh(session, actor, fresh):
        return Verdict.RIGHT
    verdict = await second_factor.check(session, actor, user, typed, box=box, purpose=TO_CONFIRM)
    if verdict is Verdict.RIGHT:
        await _refresh(session, actor, fresh)
    return verdict


async def confirm_with_password(
    session: AsyncSession, actor: Actor, *, fresh: Fresh, proven_hash: str | None
) -> Verdict:
    """Make the session fresh when the password was right, for those who have no second factor.

    `proven_hash` is the stored hash that the password was checked against, None when it was wrong.
    """
    user = await second_factor.locked_person(session, actor.id)
    if await _is_fresh(session, actor, fresh):
        return Verdict.RIGHT
    if await second_factor.is_too_many(session, user):
        return Verdict.TOO_MANY
    has_factor = await second_factor.active(session, user.id) is not None
    if has_factor or proven_hash is None or user.password_hash != proven_hash:
        await audit.record(session, actor, AuditAction.PASSWORD_REFUSED, user, changes={}, reason=TO_CONFIRM)
        return Verdict.WRONG
    await _refresh(session, actor, fresh)
    return Verdict.RIGHT


async def _is_fresh(session: AsyncSession, actor: Actor, fresh: Fresh) -> bool:
    own = (UserSession.id == fresh.session_id, UserSession.user_id == actor.id)
    return is_fresh(await session.scalar(select(UserSession.stepped_up_at).where(*own)), fresh.fresh_for)


async def _refresh(session: AsyncSession, actor: Actor, fresh: Fresh) -> None:
    own = (UserSession.id == fresh.session_id, UserSession.user_id == actor.id, UserSession.revoked_at.is_(None))
    await session.execute(update(UserSession).where(*own).values(stepped_up_at=clock.now()))
