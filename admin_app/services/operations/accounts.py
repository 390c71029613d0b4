"""People: made, edited, deactivated; their roles."""

from collections.abc import Mapping
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import AlreadyExists, Conflict, InvalidInput, NotConfirmed, PermissionDenied
from admin_app.models.audit_log import AuditAction
from admin_app.models.user import User
from admin_app.permissions import Permission, Role
from admin_app.services.blocks import deactivation, editing, roles, sign_in_sessions
from admin_app.services.records import audit, lookup, text_rules

EDITABLE_FIELDS = ("full_name", "email", "timezone")


async def create(
    session: AsyncSession,
    actor: Actor,
    *,
    email: str,
    full_name: str,
    role: Role = Role.CUSTOMER,
    password_hash: str | None = None,
) -> User:
    """Make an account; anybody but customers needs `user:edit-staff`.

    `password_hash` comes from `passwords.hash_password`, after `password_rules.check`; without one the person cannot
    sign in. `AlreadyExists` at `email` when the address is taken, in any case of letters.
    """
    actor.require(Permission.USER_CREATE)
    if role is not Role.CUSTOMER:
        actor.require(Permission.USER_EDIT_STAFF)
    text_rules.check({"email": email, "full_name": full_name}, required=("email", "full_name"))
    address = checked_address(email)
    await _refuse_taken(session, address)
    user = User(email=address, full_name=full_name.strip(), role=role, password_hash=password_hash)
    session.add(user)
    await audit.record(session, actor, AuditAction.CREATE, user)
    return user


async def edit(
    session: AsyncSession,
    actor: Actor,
    user_id: int,
    changes: Mapping[str, object],
    *,
    version: int,
    is_confirmed: bool = False,
) -> User:
    """Save an edit form that was opened at `version`. Staff edit customers; the rest needs `user:edit-staff`.

    Signing in depends on the address of everybody but customers: `NotConfirmed` when it changes and the actor has not
    just shown that it is them, which `is_confirmed` says.

    Raises `StaleEdit` when somebody saved first, `AlreadyExists` at `email`, `InvalidInput` at a field.
    """
    actor.require(Permission.USER_EDIT)
    unknown = changes.keys() - set(EDITABLE_FIELDS)
    if unknown:
        raise InvalidInput(**dict.fromkeys(unknown, "This cannot be edited here."))
    user = await lookup.user(session, actor, user_id, lock=True)
    if not can_edit(actor, user):
        raise PermissionDenied(f"Only an admin may edit {user.full_name}.")
    typed = {name: str(value).strip() for name, value in changes.items()}
    await editing.check_version(session, user, version=version, typed=typed)
    texts = {name: text for name, text in typed.items() if name in text_rules.LONGEST}
    text_rules.check(texts, required=("email", "full_name"))
    if "email" in typed:
        typed["email"] = checked_address(typed["email"])
        if typed["email"] != user.email:
            if user.role is not Role.CUSTOMER and not is_confirmed:
                raise NotConfirmed
            await _refuse_taken(session, typed["email"])
    if typed.get("timezone", "UTC") not in available_timezones():
        raise InvalidInput(timezone="This is not a time zone; Europe/Berlin is one.")
    await editing.write(session, actor, user, typed)
    return user


async def change_role(session: AsyncSession, actor: Actor, user_id: int, *, role: Role) -> User:
    """Give a person another role; it acts on their very next request, and nobody changes their own.

    `Conflict` when somebody who owns open tickets would no longer be able to.
    """
    actor.require(Permission.USER_CHANGE_ROLE)
    user = await lookup.user(session, actor, user_id, lock=True)
    if user.id == actor.id:
        raise Conflict("Nobody changes their own role; ask another admin.")
    if user.role is role:
        raise InvalidInput(role=f"{user.full_name} has this role already.")
    await roles.change(session, actor, user, role)
    await sign_in_sessions.end_all(session, user.id)
    return user


async def deactivate(session: AsyncSession, actor: Actor, user_id: int, *, reason: str) -> User:
    """Keep a person out from now on; sessions end.

    `Conflict` while they own open tickets: `off_boarding` hands those on in the same transaction.
    """
    actor.require(Permission.USER_DEACTIVATE)
    user = await lookup.user(session, actor, user_id, lock=True)
    text_rules.check({"reason": reason}, required=("reason",))
    deactivation.check(actor, user)
    await roles.refuse_open_work(session, user)
    await deactivation.write(session, actor, user, reason=reason)
    await sign_in_sessions.end_all(session, user.id)
    return user


async def reactivate(session: AsyncSession, actor: Actor, user_id: int) -> User:
    """Let a deactivated person back in; an admin only with `user:edit-staff`."""
    actor.require(Permission.USER_REACTIVATE)
    user = await lookup.user(session, actor, user_id, lock=True)
    if not deactivation.is_within_reach(actor, user):
        raise PermissionDenied("Only an admin may reactivate an admin.")
    if user.is_active:
        raise Conflict(f"{user.full_name} is active already.")
    user.is_active = True
    await audit.record(session, actor, AuditAction.REACTIVATE, user)
    return user


def checked_address(email: str) -> str:
    """The address in lower case; `InvalidInput` at `email` when it cannot be one."""
    address = email.strip().lower()
    local, at, domain = address.partition("@")
    if not (local and at and "." in domain.strip(".")) or any(character.isspace() for character in address):
        raise InvalidInput(email="Enter an e-mail address such as name@example.com.")
    return address


def can_edit(actor: Actor, user: User) -> bool:
    """Customers with `user:edit`, everybody else with `user:edit-staff`."""
    needed = Permission.USER_EDIT if user.role is Role.CUSTOMER else Permission.USER_EDIT_STAFF
    return actor.can(needed)


async def _refuse_taken(session: AsyncSession, address: str) -> None:
    if await session.scalar(select(User.id).where(User.email == address)) is not None:
        raise AlreadyExists("email", f"{address} is taken already.")
