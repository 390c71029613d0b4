"""SQLite behind its thread, with one visit there per statement.

aiosqlite goes there for a cursor, for the statement, for its rows and to close the cursor again; each visit hands a
message over and one back, which costs more than most statements do. Hence every row is in memory at once: what reads
long reads page by page.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Self

import aiosqlite


class WholeCursor(aiosqlite.Cursor):
    """A cursor whose statement brings all its rows along and closes behind itself."""

    def __init__(self, connection: "OneVisitConnection") -> None:
        """Without a visit: the thread makes a cursor of its own when there is something to ask."""
        super().__init__(connection, None)  # type: ignore[arg-type]
        self._visit = connection.visit
        self._rows: Iterator[Any] = iter(())

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        """Ask, and read every row."""
        self._cursor, self._rows = await self._visit(sqlite3.Cursor.execute, sql, parameters or ())
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        """The same for many."""
        self._cursor, self._rows = await self._visit(sqlite3.Cursor.executemany, sql, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """What the statement found and nobody has taken yet."""
        return list(self._rows)

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next of it."""
        return list(islice(self._rows, size or 1))

    async def fetchone(self) -> Any:
        """The next one, None when there is none."""
        return next(self._rows, None)

    async def close(self) -> None:
        """It is closed already."""


class OneVisitConnection(aiosqlite.Connection):
    """A connection whose cursors are such ones, and which knows by itself when there is nothing to roll back."""

    def cursor(self) -> WholeCursor:  # type: ignore[override]
        """A cursor, at once."""
        return WholeCursor(self)

    async def visit(self, method: Any, *values: Any) -> tuple[sqlite3.Cursor, Iterator[Any]]:
        """Do something with a new cursor, in the thread; the cursor still tells of it, and its rows."""
        found: tuple[sqlite3.Cursor, Iterator[Any]] = await self._in_thread(_whole, self._conn, method, *values)
        return found

    async def rollback(self) -> None:
        """Roll back what has begun."""
        if self.in_transaction:
            await self._in_thread(self._conn.rollback)

    async def _in_thread(self, work: Any, *values: Any) -> Any:
        execute: Any = self._execute  # the driver's own way there
        return await execute(work, *values)


async def connect(path: str, **options: Any) -> OneVisitConnection:
    """A connection to a file, opened in a thread of its own, for which the process does not stay."""
    connection = OneVisitConnection(lambda: sqlite3.connect(path, **options), iter_chunk_size=64)
    connection._thread.daemon = True
    await connection
    return connection


def _whole(connection: sqlite3.Connection, method: Any, *values: Any) -> tuple[sqlite3.Cursor, Iterator[Any]]:
    cursor = connection.cursor()
    try:
        method(cursor, *values)
        return cursor, iter(cursor.fetchall() if cursor.description else ())
    finally:
        cursor.close()
