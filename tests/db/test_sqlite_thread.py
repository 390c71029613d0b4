"""SQLite behind its thread, with one visit there per statement."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from admin_app.db import sqlite_thread
from admin_app.db.engine import create_engines
from admin_app.db.sqlite_thread import OneVisitConnection
from tests.support.waiting import until

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n"


class Visits:
    """Counts what is handed to the thread of a connection."""

    def __init__(self, connection: OneVisitConnection) -> None:
        self.count = 0
        self._tx = connection._tx
        connection._tx = self  # type: ignore[assignment]

    def put_nowait(self, message: object) -> None:
        """One more, and on to the thread."""
        self.count += 1
        self._tx.put_nowait(message)  # type: ignore[arg-type]


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[OneVisitConnection]:
    """To a file with one small table; transactions are begun by hand, as the desk does it."""
    connection = await sqlite_thread.connect(str(tmp_path / "x.sqlite3"), isolation_level=None)
    await connection.cursor().execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT UNIQUE)")
    yield connection
    await connection.close()


class TestWholeCursor:
    async def test_a_statement_is_one_visit_and_tells_all_that_it_did(self, connection: OneVisitConnection) -> None:
        visits = Visits(connection)
        async with connection.cursor() as many:
            await many.executemany("INSERT INTO notes (body) VALUES (?)", [("a",), ("b",), ("c",)])
        async with connection.cursor() as one:
            await one.execute("INSERT INTO notes (body) VALUES (?) RETURNING id", ("d",))
        async with connection.cursor() as asked:
            await asked.execute("SELECT id, body FROM notes WHERE id < ? ORDER BY id", (3,))
        assert visits.count == 3
        assert (many.rowcount, one.lastrowid, await one.fetchall()) == (3, 4, [(4,)])
        assert [column[0] for column in asked.description] == ["id", "body"]
        assert (await asked.fetchmany(), await asked.fetchone()) == ([(1, "a")], (2, "b"))
        assert (await asked.fetchall(), await asked.fetchone()) == ([], None)

    async def test_a_statement_that_fails_leaves_the_connection_as_it_was(self, connection: OneVisitConnection) -> None:
        cursor = connection.cursor()
        await cursor.execute("INSERT INTO notes (body) VALUES ('a')")
        with pytest.raises(sqlite3.IntegrityError):
            await cursor.execute("INSERT INTO notes (body) VALUES ('a')")
        await cursor.execute("SELECT count(*) FROM notes")
        assert await cursor.fetchall() == [(1,)]


class TestOneVisitConnection:
    async def test_only_what_has_begun_is_rolled_back(self, connection: OneVisitConnection) -> None:
        visits, cursor = Visits(connection), connection.cursor()
        await connection.rollback()
        assert visits.count == 0
        await cursor.execute("BEGIN IMMEDIATE")
        await cursor.execute("INSERT INTO notes (body) VALUES ('a')")
        await connection.rollback()
        await cursor.execute("SELECT count(*) FROM notes")
        assert (visits.count, await cursor.fetchall()) == (4, [(0,)])


class TestConnect:
    def test_the_process_does_not_stay_for_its_thread(self, tmp_path: Path) -> None:
        async def opened() -> bool:
            connection = await sqlite_thread.connect(str(tmp_path / "x.sqlite3"))
            await connection.close()
            return connection._thread.daemon

        assert asyncio.run(opened())

    async def test_whoever_is_stopped_midway_leaves_no_transaction_behind(self, tmp_path: Path) -> None:
        """The connection is given up: the thread may begin what nobody waits for any longer."""
        engines = create_engines(f"sqlite:///{tmp_path / 'x.sqlite3'}")

        async def ask() -> None:
            async with engines.write.connect() as writer:
                await writer.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY)"))
                await writer.execute(text(LONG))

        for _ in range(3):
            task = asyncio.ensure_future(ask())
            await until(engines.pools["writer"].watch.holdings, "nobody writes")
            task.cancel()
            await asyncio.wait({task}, timeout=20)
            assert task.cancelled()
        async with engines.write.begin() as writer:
            await writer.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY)"))
        await engines.dispose()
