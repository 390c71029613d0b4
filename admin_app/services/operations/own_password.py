"""Changing one's own password."""

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.models.audit_log import AuditAction
from admin_app.models.password_link import PasswordLink
from admin_app.models.user import User
from admin_app.models.user_session import UserSession
from admin_app.services.blocks import second_factor, sign_in_sessions
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.records import audit

TO_CHANGE = "to change the password"


@dataclass(frozen=True)
class ThisOne:
    """The sign-in that the change is made in, and the token that it goes on with."""

    session_id: int
    new_token: str


async def of_actor(session: AsyncSession, actor: Actor) -> User:
    """The actor's own account: the stored hash, and the name and address that a password must not be like."""
    return (await session.scalars(select(User).where(User.id == actor.id))).one()


async def change(
    session: AsyncSession, actor: Actor, *, proven_hash: str | None, new_hash: str, this_one: ThisOne
) -> User | Verdict:
    """Store a new password hash; the other sign-ins and any link end, this one goes on with a new id.

    A sign-in that was ended from elsewhere meanwhile stays ended.

    `proven_hash` is the stored hash that the present password was checked against, None when it was wrong. A refusal
    is committed, so that wrong ones are counted; it changes nothing else.
    """
    user = await second_factor.locked_person(session, actor.id)
    if await second_factor.is_too_many(session, user):
        return Verdict.TOO_MANY
    if proven_hash is None or user.password_hash != proven_hash:
        await audit.record(session, actor, AuditAction.PASSWORD_REFUSED, user, changes={}, reason=TO_CHANGE)
        return Verdict.WRONG
    user.password_hash = new_hash
    await session.execute(delete(PasswordLink).where(PasswordLink.user_id == user.id))
    await audit.record(session, actor, AuditAction.CHANGE_PASSWORD, user, changes={})
    await sign_in_sessions.end_others(session, user.id, kept_id=this_one.session_id)
    own = (UserSession.id == this_one.session_id, UserSession.user_id == user.id, UserSession.revoked_at.is_(None))
    renewed = sign_in_sessions.hash_of(this_one.new_token)
    await session.execute(update(UserSession).where(*own).values(token_hash=renewed))
    return user
