"""Rows and the bytes they speak of, kept in step: nobody's bytes go because somebody else's row did."""

from collections.abc import Iterable
from typing import BinaryIO

import anyio.to_thread
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from admin_app.db import locks
from admin_app.db.sessions import INCLUDE_DELETED, afterwards
from admin_app.services.records.file_store import FileStore, StoredFile


async def put(session: AsyncSession, store: FileStore, content: BinaryIO) -> StoredFile:
    """Store bytes for a row that this transaction adds; they stay until it has ended."""
    stored = await anyio.to_thread.run_sync(store.put, content)
    if not await are_kept(session, store, stored.key):
        await anyio.to_thread.run_sync(store.put, content)
    return stored


async def are_kept(session: AsyncSession, store: FileStore, key: str) -> bool:
    """Whether the bytes are there, and then until this transaction has ended."""
    await locks.hold(session, key)
    return store.has(key)


def remove_when_unused(
    session: AsyncSession, store: FileStore, column: InstrumentedAttribute[str], keys: Iterable[str]
) -> None:
    """Once this transaction is in, remove the bytes behind the keys that no row has in `column` by then.

    That is looked up in a transaction of its own, with the key locked: a row that came meanwhile keeps its bytes.
    """
    wanted = sorted(set(keys))

    async def remove(later: AsyncSession) -> None:
        for key in wanted:
            await locks.hold(later, key)
            used = select(column).where(column == key).limit(1).execution_options(**INCLUDE_DELETED)
            if await later.scalar(used) is None:
                await anyio.to_thread.run_sync(store.remove, [key])

    if wanted:
        afterwards(session, remove)
