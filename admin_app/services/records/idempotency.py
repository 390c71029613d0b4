"""A double click is applied once: each write form carries a key that is committed with the change."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.models.idempotency_key import IdempotencyKey

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class Outcome:
    """Which record was written, and whether this very form had been applied before."""

    record_id: int | None
    replayed: bool = False
    version: int | None = None
    """Of the record afterwards, where it has one; not known of a form that had been applied before."""


def outcome_of(result: object) -> Outcome:
    """What a form has led to, from the record that its service returned."""
    version = getattr(result, "__dict__", {}).get("version")  # as far as it is loaded: nothing is asked for here
    return Outcome(getattr(result, "id", None), version=version)


def key_hash(*parts: object) -> str:
    """One key from the form's key, who sends it, where to and what: changed text is a new request, never a repeat."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = str(part).encode()
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()


async def once(session: AsyncSession, hashed: str, work: Callable[[AsyncSession], Awaitable[object]]) -> Outcome:
    """Do `work` unless a transaction with this key was committed; then answer what that one answered.

    The key is written first, so that a second request at the same moment waits for the first one's commit and
    then fails on the unique key: `Database.run` runs it again, and it finds the key.
    """
    known = await session.scalar(select(IdempotencyKey).where(IdempotencyKey.key_hash == hashed))
    if known is not None:
        return Outcome(known.record_id, replayed=True)
    key = IdempotencyKey(key_hash=hashed)
    session.add(key)
    await session.flush()
    result = await work(session)
    key.record_id = outcome_of(result).record_id
    return outcome_of(result)


async def forget_old(session: AsyncSession) -> None:
    """Remove keys that no browser will send again."""
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.now() - KEPT_FOR))
