"""Who somebody is at the provider of single sign-on: seen and unlinked, by the person or by an admin."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import Conflict, NotFound
from admin_app.models.audit_log import AuditAction
from admin_app.models.external_identity import ExternalIdentity
from admin_app.models.user import User
from admin_app.permissions import Permission
from admin_app.services.blocks import second_factor, sign_in_sessions
from admin_app.services.records import audit, lookup


async def own(session: AsyncSession, actor: Actor) -> Sequence[ExternalIdentity]:
    """The actor's identities, the oldest first."""
    return await _of(session, actor.id)


async def of_person(session: AsyncSession, actor: Actor, user_id: int) -> Sequence[ExternalIdentity]:
    """Anybody's identities, for those who may say how somebody signs in."""
    actor.require(Permission.USER_RESET_PASSWORD)
    user = await lookup.user(session, actor, user_id)
    return await _of(session, user.id)


async def unlink_own(session: AsyncSession, actor: Actor, identity_id: int, *, kept_id: int) -> User:
    """Unlink one of the actor's own; `kept_id` is the sign-in that asks, which stays open.

    `Conflict` without a password: this would be the last way in.
    """
    user = await second_factor.locked_person(session, actor.id)
    if user.password_hash is None:
        raise Conflict("You have no password, so this is your only way in. Ask an admin to set one first.")
    return await _unlink(session, actor, user, identity_id, kept_id)


async def unlink_of(session: AsyncSession, actor: Actor, identity_id: int, *, user_id: int) -> User:
    """Unlink one of this person's. Their next single sign-on links anew, by a verified e-mail address."""
    actor.require(Permission.USER_RESET_PASSWORD)
    user = await lookup.user(session, actor, user_id, lock=True)
    return await _unlink(session, actor, user, identity_id, sign_in_sessions.NONE_KEPT)


async def _of(session: AsyncSession, user_id: int | None) -> Sequence[ExternalIdentity]:
    statement = select(ExternalIdentity).where(ExternalIdentity.user_id == user_id).order_by(ExternalIdentity.id)
    return (await session.scalars(statement)).all()


async def _unlink(session: AsyncSession, actor: Actor, user: User, identity_id: int, kept_id: int) -> User:
    """Every other sign-in ends: with a code after it, one through the provider looks like one with a password."""
    own = (ExternalIdentity.id == identity_id, ExternalIdentity.user_id == user.id)
    identity = await session.scalar(select(ExternalIdentity).where(*own))
    if identity is None:
        raise NotFound("There is no such link to single sign-on.")
    await session.delete(identity)
    await sign_in_sessions.end_others(session, user.id, kept_id=kept_id)
    changes = {"identity": (f"{identity.subject} at {identity.issuer}", None)}
    await audit.record(session, actor, AuditAction.UNLINK_IDENTITY, user, changes=changes)
    return user
