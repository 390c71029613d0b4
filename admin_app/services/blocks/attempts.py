"""Counting tries: so many within so long, however many processes ask at once (a sliding window log)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.db.upserts import insert_or_skip
from admin_app.models.attempt_counter import AttemptCounter


@dataclass(frozen=True)
class Limit:
    """So many tries within so long."""

    tries: int
    within: timedelta


@dataclass(frozen=True)
class Admission:
    """A try that was counted, or why it may not be made."""

    keys: tuple[str, ...]
    at: float
    retry_after: int = 0
    """seconds; 0 when the try may be made"""
    is_news: bool = False
    """the first refusal within the window: worth an entry in the audit log"""

    @property
    def is_refused(self) -> bool:
        """Whether there were too many before."""
        return self.retry_after > 0


async def admit(session: AsyncSession, names: Sequence[str], limit: Limit) -> Admission:
    """Count one try under each of these names, or under none of them when one has had its tries.

    Each counter is locked before it is read, always in the same order: of many at once each sees those before it.
    """
    now, keys = clock.now(), tuple(sorted(_key_hash(name) for name in names))
    rows = [{"key_hash": key, "tries": [], "last_try_at": now, "created_at": now, "updated_at": now} for key in keys]
    await session.execute(insert_or_skip(session, AttemptCounter), rows)
    oldest = now.timestamp() - limit.within.total_seconds()
    counters = [await _locked(session, key) for key in keys]
    recent = {counter.key_hash: [at for at in counter.tries if at > oldest] for counter in counters}
    full = [tries for tries in recent.values() if len(tries) >= limit.tries]
    if full:
        wait = max(tries[-limit.tries] for tries in full) - oldest
        return Admission(keys, now.timestamp(), max(1, ceil(wait)), is_news=_tell(counters, limit))
    for counter in counters:
        counter.tries = [*recent[counter.key_hash], now.timestamp()]
        counter.last_try_at = now
    await _forget_old(session, limit)
    return Admission(keys, now.timestamp())


async def give_back(session: AsyncSession, admission: Admission) -> None:
    """The try was no guess: it does not count."""
    for key in admission.keys:
        counter = await _locked(session, key)
        counter.tries = _without(counter.tries, admission.at)


async def clear(session: AsyncSession, name: str) -> None:
    """Forget every try under this name."""
    statement = update(AttemptCounter).where(AttemptCounter.key_hash == _key_hash(name)).values(tries=[])
    await session.execute(statement.execution_options(synchronize_session=False))


def _key_hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


async def _locked(session: AsyncSession, key: str) -> AttemptCounter:
    statement = select(AttemptCounter).where(AttemptCounter.key_hash == key).with_for_update()
    return (await session.scalars(statement.execution_options(populate_existing=True))).one()


def _tell(counters: Sequence[AttemptCounter], limit: Limit) -> bool:
    """Whether nobody was told within the window; from now on somebody was."""
    now = clock.now()
    if any(counter.told_at is not None and counter.told_at + limit.within > now for counter in counters):
        return False
    for counter in counters:
        counter.told_at = now
    return True


def _without(tries: Sequence[float], at: float) -> list[float]:
    left = list(tries)
    if at in left:
        left.remove(at)
    return left


async def _forget_old(session: AsyncSession, limit: Limit) -> None:
    """Counters that nobody has used for two windows say nothing any more; those in use are passed over."""
    old = (
        select(AttemptCounter.id)
        .where(AttemptCounter.last_try_at < clock.now() - 2 * limit.within)
        .order_by(AttemptCounter.id)
        .limit(100)
        .with_for_update(skip_locked=True)
    )
    await session.execute(
        delete(AttemptCounter)
        .where(AttemptCounter.id.in_(old.scalar_subquery()))
        .execution_options(synchronize_session=False)
    )
