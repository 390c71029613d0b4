"""The sequence behind ticket numbers. SQLite has none, so a one-row table stands in for it."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SEQUENCE = "ticket_number_seq"


async def take(session: AsyncSession, count: int = 1) -> list[str]:
    """The next `count` numbers, in order. Never reused; PostgreSQL leaves a gap where a transaction rolls back."""
    if session.get_bind().dialect.name == "sqlite":
        statement = text(f"UPDATE {SEQUENCE} SET value = value + :count RETURNING value")  # noqa: S608 - a constant
        last = (await session.execute(statement, {"count": count})).scalar_one()
        values = list(range(last - count + 1, last + 1))
    else:
        statement = text(f"SELECT nextval('{SEQUENCE}') FROM generate_series(1, :count)")  # noqa: S608
        values = sorted((await session.execute(statement, {"count": count})).scalars())
    return [f"T-{value:06d}" for value in values]
