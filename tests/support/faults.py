"""Real faults, raised by real databases."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from admin_app.db.engine import Engines


async def raised_by(work: Awaitable[Any]) -> Exception:
    """The exception that `work` ends in."""
    try:
        await work
    except Exception as error:
        return error
    raise AssertionError("nothing went wrong, although it should have")


async def end_backend(engines: Engines, connection: Any) -> None:
    """Cut this PostgreSQL connection from the server's side."""
    number = await connection.scalar(text("SELECT pg_backend_pid()"))
    await end_backend_number(engines, number)


async def end_backend_number(engines: Engines, number: int) -> None:
    """Cut the PostgreSQL connection of this server process, and wait until it is gone."""
    async with engines.aside.connect() as other:
        await other.execute(text("SELECT pg_terminate_backend(:number, 2000)"), {"number": number})
    await asyncio.sleep(0.02)  # let the client's side hear of it


async def deadlock(engines: Engines) -> Exception:
    """Two transactions that each wait for the other's row; the error of the one that PostgreSQL picks."""
    lock = "SELECT id FROM users WHERE id = :id FOR UPDATE"

    async def lock_both(connection: AsyncConnection, first: int, second: int, ready: asyncio.Barrier) -> None:
        await connection.execute(text("SET LOCAL lock_timeout = 0"))
        await connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
        await connection.execute(text(lock), {"id": first})
        await ready.wait()
        await connection.execute(text(lock), {"id": second})

    async def attempt(first: int, second: int, ready: asyncio.Barrier) -> Exception | None:
        try:
            async with engines.write.begin() as connection:
                await lock_both(connection, first, second, ready)
        except Exception as error:
            return error
        return None

    ready = asyncio.Barrier(2)
    ends = await asyncio.gather(attempt(1, 2, ready), attempt(2, 1, ready))
    return next(error for error in ends if error is not None)


async def serialization_failure(engines: Engines) -> Exception:
    """A snapshot that somebody else's commit has overtaken."""
    change = text("UPDATE users SET full_name = full_name WHERE id = 1")
    async with engines.write.connect() as mine, engines.write.connect() as theirs:
        await mine.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await mine.execute(text("SELECT full_name FROM users"))
        await theirs.execute(change)
        await theirs.commit()
        return await raised_by(mine.execute(change))
