"""A lost password: an admin makes a link, and whoever holds it sets a new password, once and soon."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor, ActorKind
from admin_app.errors import Conflict, NotFound
from admin_app.models.audit_log import AuditAction
from admin_app.models.notification import NotificationType
from admin_app.models.password_link import PasswordLink
from admin_app.models.user import User
from admin_app.permissions import DESK_ROLES, Permission, Role
from admin_app.services.blocks import second_factor, sign_in_sessions
from admin_app.services.blocks.sign_in_sessions import Caller
from admin_app.services.records import audit, lookup, notifications, text_rules

DESK = Actor(id=None, name="Support Desk", role=Role.ADMIN, kind=ActorKind.SYSTEM)
"""Tells people what was done in their own name."""


@dataclass(frozen=True)
class NewLink:
    """What makes the link work, known to nobody but who gets it, and for how long it does."""

    token: str
    lives: timedelta


async def make(session: AsyncSession, actor: Actor, user_id: int, *, link: NewLink, reason: str) -> User:
    """Let the holder of this link set the person's password; an earlier link of theirs stops working.

    Nothing else changes until it is used: the present password and every sign-in go on. `Conflict` for somebody who
    could not sign in anyway.
    """
    actor.require(Permission.USER_RESET_PASSWORD)
    user = await lookup.user(session, actor, user_id, lock=True)
    text_rules.check({"reason": reason}, required=("reason",))
    if user.role is Role.CUSTOMER:
        raise Conflict("A customer never signs in.")
    if not user.is_active:
        raise Conflict(f"{user.full_name} is deactivated. Reactivate them first.")
    await session.execute(delete(PasswordLink).where(PasswordLink.user_id == user.id))
    token_hash = sign_in_sessions.hash_of(link.token)
    session.add(PasswordLink(token_hash=token_hash, user_id=user.id, expires_at=clock.now() + link.lives))
    await audit.record(session, actor, AuditAction.RESET_LINK_MADE, user, changes={}, reason=reason.strip())
    message = f"{actor.name} made a link to set your password anew. Did you not ask for it? Tell another admin at once."
    notifications.notify(session, actor, [user.id], NotificationType.PASSWORD_LINK, message, None)
    return user


async def make_by_address(session: AsyncSession, actor: Actor, email: str, *, link: NewLink, reason: str) -> User:
    """The same for a person named by address, as on the command line. `NotFound` for nobody."""
    actor.require(Permission.USER_RESET_PASSWORD)
    user_id = await session.scalar(select(User.id).where(User.email == lookup.address_in(email)))
    if user_id is None:
        raise NotFound(f"Nobody here has the address {email.strip()[:254]}.")
    return await make(session, actor, user_id, link=link, reason=reason)


async def holder(session: AsyncSession, *, token: str) -> User | None:
    """Whose password this link sets now; None when it works no more, or never did. Looking does not use it up."""
    link = await _found(session, token)
    user = await session.get(User, link.user_id) if link is not None else None
    return None if link is None or user is None or _why_not(link, user) else user


async def refuse(session: AsyncSession, *, token: str, caller: Caller) -> User | None:
    """Write down that a link of ours was tried in vain, the first time; of one that nobody knows nothing is said."""
    link = await _found(session, token)
    return await _refuse(session, link, caller) if link is not None else None


async def use(session: AsyncSession, *, token: str, password_hash: str, caller: Caller) -> User | None:
    """Store the new hash and end every sign-in of the person; of several at once exactly one does.

    None when the link works no more; that is committed, because it is written down. It signs nobody in: whoever has a
    second factor is asked for it at the sign-in that follows.
    """
    link = await _found(session, token)
    if link is None:
        return None
    user = await second_factor.locked_person(session, link.user_id)
    link = await _found(session, token)  # as it is now that nobody else can use it
    if link is None:
        return None
    if _why_not(link, user):
        await _refuse(session, link, caller)
        return None
    link.used_at = clock.now()
    user.password_hash = password_hash
    actor = sign_in_sessions.actor_of(user, caller)
    await audit.record(session, actor, AuditAction.RESET_LINK_USED, user, changes={})
    message = "Your password was set anew with a link. Was it not you? Tell an admin at once."
    notifications.notify(session, DESK, [user.id], NotificationType.PASSWORD_LINK, message, None)
    await sign_in_sessions.end_all(session, user.id)
    return user


async def _found(session: AsyncSession, token: str) -> PasswordLink | None:
    statement = select(PasswordLink).where(PasswordLink.token_hash == sign_in_sessions.hash_of(token))
    found: PasswordLink | None = await session.scalar(statement.execution_options(populate_existing=True))
    return found


def _why_not(link: PasswordLink, user: User) -> str:
    if link.used_at is not None:
        return "it was used already"
    if link.expires_at <= clock.now():
        return "it was too old"
    return "" if user.is_active and user.role in DESK_ROLES else "this account cannot sign in"


async def _refuse(session: AsyncSession, link: PasswordLink, caller: Caller) -> User | None:
    user = await second_factor.locked_person(session, link.user_id)
    await session.refresh(link, ["refused_at"])
    why = _why_not(link, user)
    if not why or link.refused_at is not None:
        return None
    link.refused_at = clock.now()
    actor = sign_in_sessions.actor_of(user, caller)
    await audit.record(session, actor, AuditAction.RESET_LINK_REFUSED, user, changes={}, reason=why)
    return user
