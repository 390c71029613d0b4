"""Checking codes of a second factor: each counts once, and there are only so many guesses."""

from datetime import timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.second_factor import RecoveryCode, SecondFactor
from admin_app.models.user import User
from admin_app.services.records import audit, one_time_codes
from admin_app.services.records.secret_box import SecretBox

MOST_GUESSES = 10
GUESSES_WITHIN = timedelta(minutes=5)
REFUSALS = (AuditAction.CODE_REFUSED, AuditAction.PASSWORD_REFUSED)


class Verdict(StrEnum):
    """What became of a proof that somebody typed."""

    RIGHT = "right"
    WRONG = "wrong"
    USED = "used"
    TOO_MANY = "too many"


async def locked_person(session: AsyncSession, user_id: int | None) -> User:
    """The person, with everybody else who checks a proof of theirs waiting until this transaction ends."""
    statement = select(User).where(User.id == user_id).with_for_update(key_share=True)
    return (await session.scalars(statement)).one()


async def active(session: AsyncSession, user_id: int) -> SecondFactor | None:
    """The person's second factor, when it counts."""
    statement = select(SecondFactor).where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
    found: SecondFactor | None = await session.scalar(statement)
    return found


async def check(
    session: AsyncSession, actor: Actor, user: User, typed: str, *, box: SecretBox, purpose: str
) -> Verdict:
    """Whether a code is right, and use it up. `user` comes from `locked_person`, so that of two at once one wins.

    A refused code is written to the audit log with its purpose, hence nothing is raised here; after `MOST_GUESSES`
    of them within `GUESSES_WITHIN` even a right code is not looked at.
    """
    if await is_too_many(session, user):
        return Verdict.TOO_MANY
    verdict = await _look_at(session, actor, user, one_time_codes.bare(typed), box)
    if verdict is not Verdict.RIGHT:
        await audit.record(session, actor, AuditAction.CODE_REFUSED, user, changes={}, reason=purpose)
    return verdict


async def is_too_many(session: AsyncSession, user: User) -> bool:
    """Whether this account has had its wrong guesses for now."""
    statement = (
        select(func.count())
        .select_from(AuditLog)
        .where(
            AuditLog.table_name == User.__tablename__,
            AuditLog.record_id == user.id,
            AuditLog.action.in_(REFUSALS),
            AuditLog.occurred_at > clock.now() - GUESSES_WITHIN,
        )
    )
    return (await session.scalar(statement) or 0) >= MOST_GUESSES


async def codes_left(session: AsyncSession, factor: SecondFactor) -> int:
    """How many recovery codes were not used yet."""
    unused = (RecoveryCode.second_factor_id == factor.id, RecoveryCode.used_at.is_(None))
    return await session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


async def _look_at(session: AsyncSession, actor: Actor, user: User, code: str, box: SecretBox) -> Verdict:
    factor = await active(session, user.id)
    if factor is None:
        return Verdict.WRONG
    if one_time_codes.is_time_based(code):
        return _use_step(factor, code, box)
    return await _use_recovery_code(session, actor, user, factor, code)


def _use_step(factor: SecondFactor, code: str, box: SecretBox) -> Verdict:
    secret = box.open(factor.sealed_secret, owner_id=factor.user_id)
    step = one_time_codes.matching_step(secret, code, clock.now()) if secret is not None else None
    if secret is None or step is None:
        return Verdict.WRONG
    if step <= factor.last_used_step:
        return Verdict.USED
    factor.last_used_step = step
    if not box.is_sealed_with_newest(factor.sealed_secret, owner_id=factor.user_id):
        factor.sealed_secret = box.seal(secret, owner_id=factor.user_id)
    return Verdict.RIGHT


async def _use_recovery_code(
    session: AsyncSession, actor: Actor, user: User, factor: SecondFactor, code: str
) -> Verdict:
    statement = select(RecoveryCode).where(
        RecoveryCode.second_factor_id == factor.id, RecoveryCode.code_hash == one_time_codes.hash_of(code)
    )
    found = await session.scalar(statement)
    if found is None:
        return Verdict.WRONG
    if found.used_at is not None:
        return Verdict.USED
    left = await codes_left(session, factor)
    found.used_at = clock.now()
    changes = {"recovery_codes": (left, left - 1)}
    await audit.record(session, actor, AuditAction.RECOVERY_CODE_USED, user, changes=changes)
    return Verdict.RIGHT
