"""Locks on names, for what lives outside the tables."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def hold(session: AsyncSession, name: str) -> None:
    """Keep everybody else who holds this name waiting until the transaction ends.

    SQLite needs no more than a transaction that has begun: that of a writer excludes all other writers.
    """
    await session.connection()
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
