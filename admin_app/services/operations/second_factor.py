"""Somebody's second factor: set up, confirmed, renewed, turned off; or reset by an admin when the phone is lost.

Whatever changes what signing in asks for ends the other sign-ins of the person: they were let in under the old rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import Conflict, InvalidInput, NotFound
from admin_app.models.audit_log import AuditAction
from admin_app.models.second_factor import RecoveryCode, SecondFactor
from admin_app.models.user import User
from admin_app.permissions import Permission
from admin_app.services.blocks import second_factor, sign_in_sessions
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.records import audit, lookup, one_time_codes, text_rules
from admin_app.services.records.secret_box import SecretBox

TO_TURN_OFF = "to turn the second factor off"
TO_RENEW = "to make new recovery codes"


@dataclass(frozen=True)
class State:
    """What the person's own page shows. The secret is there only while the second factor is being set up."""

    since: datetime | None = None
    codes_left: int = 0
    secret: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class Proof:
    """A code that somebody typed, what reads the secret that it is checked against, and where they typed it."""

    typed: str
    box: SecretBox
    session_id: int = sign_in_sessions.NONE_KEPT
    """The sign-in that stays open."""


async def state(session: AsyncSession, actor: Actor, *, box: SecretBox) -> State:
    """The actor's own second factor, however far it is."""
    factor = await session.scalar(select(SecondFactor).where(SecondFactor.user_id == actor.id))
    if factor is None:
        return State()
    if factor.confirmed_at is not None:
        return State(since=factor.confirmed_at, codes_left=await second_factor.codes_left(session, factor))
    secret = box.open(factor.sealed_secret, owner_id=factor.user_id)
    if secret is None:
        return State()
    email = (await session.scalars(select(User.email).where(User.id == actor.id))).one()
    return State(secret=secret, address=one_time_codes.address(secret, email))


async def is_on(session: AsyncSession, actor: Actor, user_id: int) -> bool:
    """Whether somebody's sign-in asks for a code; for those who may reset it."""
    actor.require(Permission.USER_RESET_PASSWORD)
    return await second_factor.active(session, user_id) is not None


async def begin(session: AsyncSession, actor: Actor, *, box: SecretBox) -> SecondFactor:
    """Make a new secret for the actor; it counts only once a code of it was typed. `Conflict` when one counts already.

    An earlier secret that was never confirmed is replaced.
    """
    user = await second_factor.locked_person(session, actor.id)
    factor = await session.scalar(select(SecondFactor).where(SecondFactor.user_id == user.id))
    if factor is not None and factor.confirmed_at is not None:
        raise Conflict("You have a second factor already. Turn it off first.")
    factor = factor or SecondFactor(user_id=user.id)
    factor.sealed_secret = box.seal(one_time_codes.new_secret(), owner_id=user.id)
    session.add(factor)
    await audit.record(session, actor, AuditAction.SECOND_FACTOR_BEGUN, user, changes={})
    return factor


async def confirm(session: AsyncSession, actor: Actor, *, proof: Proof, recovery_codes: Sequence[str]) -> User:
    """Let the second factor count from now on, with these recovery codes. `InvalidInput` at `code` when it is wrong.

    A wrong code here is no guess at a secret, for the secret is on the page; it is not written down.
    """
    user = await second_factor.locked_person(session, actor.id)
    factor = await session.scalar(select(SecondFactor).where(SecondFactor.user_id == user.id))
    if factor is None or factor.confirmed_at is not None:
        raise Conflict("There is no second factor to confirm. Begin again.")
    secret = proof.box.open(factor.sealed_secret, owner_id=user.id)
    if secret is None:
        raise Conflict("The secret key of this desk was changed in between. Begin again.")
    now = clock.now()
    step = one_time_codes.matching_step(secret, one_time_codes.bare(proof.typed), now)
    if step is None:
        raise InvalidInput(code="This is not the code that the app shows now. Is the clock of the phone right?")
    factor.confirmed_at, factor.last_used_step = now, step
    await _store_codes(session, factor, recovery_codes)
    await audit.record(session, actor, AuditAction.SECOND_FACTOR_ON, user, changes={})
    await sign_in_sessions.end_others(session, user.id, kept_id=proof.session_id)
    return user


async def renew_recovery_codes(
    session: AsyncSession, actor: Actor, *, proof: Proof, recovery_codes: Sequence[str]
) -> User | Verdict:
    """Put these recovery codes in the place of all earlier ones, or say why the code was refused."""
    user, factor = await _own_factor(session, actor)
    verdict = await second_factor.check(session, actor, user, proof.typed, box=proof.box, purpose=TO_RENEW)
    if verdict is not Verdict.RIGHT:
        return verdict
    await _store_codes(session, factor, recovery_codes)
    await audit.record(session, actor, AuditAction.RECOVERY_CODES_NEW, user, changes={})
    await sign_in_sessions.end_others(session, user.id, kept_id=proof.session_id)
    return user


async def turn_off(session: AsyncSession, actor: Actor, *, proof: Proof) -> User | Verdict:
    """Take the actor's second factor away, or say why the code was refused."""
    user, factor = await _own_factor(session, actor)
    verdict = await second_factor.check(session, actor, user, proof.typed, box=proof.box, purpose=TO_TURN_OFF)
    if verdict is not Verdict.RIGHT:
        return verdict
    await _remove(session, factor)
    await audit.record(session, actor, AuditAction.SECOND_FACTOR_OFF, user, changes={})
    await sign_in_sessions.end_others(session, user.id, kept_id=proof.session_id)
    return user


async def reset(session: AsyncSession, actor: Actor, user_id: int, *, reason: str) -> User:
    """Take somebody's second factor away who cannot use it, and sign them out everywhere.

    `Conflict` for the actor's own: that one is turned off with a code.
    """
    actor.require(Permission.USER_RESET_PASSWORD)
    user = await lookup.user(session, actor, user_id, lock=True)
    text_rules.check({"reason": reason}, required=("reason",))
    if user.id == actor.id:
        raise Conflict("Turn your own second factor off with a code.")
    factor = await session.scalar(select(SecondFactor).where(SecondFactor.user_id == user.id))
    if factor is None:
        raise Conflict(f"{user.full_name} has no second factor.")
    await _remove(session, factor)
    await audit.record(session, actor, AuditAction.SECOND_FACTOR_RESET, user, changes={}, reason=reason.strip())
    await sign_in_sessions.end_all(session, user.id)
    return user


async def reset_by_address(session: AsyncSession, actor: Actor, email: str, *, reason: str) -> User:
    """The same for a person named by address, as on the command line. `NotFound` for nobody."""
    actor.require(Permission.USER_RESET_PASSWORD)
    user_id = await session.scalar(select(User.id).where(User.email == lookup.address_in(email)))
    if user_id is None:
        raise NotFound(f"Nobody here has the address {email.strip()[:254]}.")
    return await reset(session, actor, user_id, reason=reason)


async def _own_factor(session: AsyncSession, actor: Actor) -> tuple[User, SecondFactor]:
    user = await second_factor.locked_person(session, actor.id)
    factor = await second_factor.active(session, user.id)
    if factor is None:
        raise Conflict("You have no second factor.")
    return user, factor


async def _remove(session: AsyncSession, factor: SecondFactor) -> None:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.second_factor_id == factor.id))
    await session.delete(factor)


async def _store_codes(session: AsyncSession, factor: SecondFactor, codes: Sequence[str]) -> None:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.second_factor_id == factor.id))
    session.add_all(RecoveryCode(second_factor_id=factor.id, code_hash=one_time_codes.hash_of(code)) for code in codes)
