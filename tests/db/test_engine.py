"""Every difference between SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from admin_app.db.database import Database
from admin_app.db.engine import PoolOptions, async_url, create_engines
from admin_app.db.sessions import LiveSession

WRITERS = 20
EACH = 5


async def value_of(engine, statement: str) -> object:
    async with engine.connect() as connection:
        return await connection.scalar(text(statement))


class TestAsyncUrl:
    @pytest.mark.parametrize(
        ("given", "driver"),
        [
            ("sqlite:///x.sqlite3", "sqlite+aiosqlite"),
            ("sqlite+pysqlite:///x.sqlite3", "sqlite+aiosqlite"),
            ("postgres://desk@db/desk", "postgresql+asyncpg"),
            ("postgresql://desk@db/desk", "postgresql+asyncpg"),
            ("postgresql+psycopg://desk@db/desk", "postgresql+asyncpg"),
        ],
    )
    def test_short_forms_get_their_async_driver(self, given: str, driver: str) -> None:
        assert async_url(given).drivername == driver

    def test_the_rest_of_the_url_is_kept(self) -> None:
        url = async_url("postgres://desk:pa%40ss@db:5433/desk?host=/run")
        assert (url.username, url.password, url.host, url.port, url.database) == ("desk", "pa@ss", "db", 5433, "desk")
        assert url.query == {"host": "/run"}

    def test_any_other_database_is_refused_by_name(self) -> None:
        with pytest.raises(ValueError, match="must be for SQLite or PostgreSQL, not mysql"):
            async_url("mysql+aiomysql://desk@db/desk")


class TestCreateEngines:
    async def test_pages_share_one_pool_on_postgresql_and_have_two_on_sqlite(self, database) -> None:
        expected = {"sqlite": {"readers", "writer"}, "postgresql": {"main"}}
        assert set(database.engines.pools) == expected[database.engines.dialect]

    async def test_health_and_ops_have_one_connection_of_their_own(self, database) -> None:
        aside = database.engines.aside.pool
        assert aside.limit == 1
        assert aside not in database.engines.pools.values()

    async def test_values_never_show_in_a_message(self, database) -> None:
        async with database.engines.write.connect() as connection:
            with pytest.raises(DBAPIError) as failed:
                await connection.execute(text("INSERT INTO tags (name) VALUES (:name)"), {"name": "s3cret"})
        assert "s3cret" not in str(failed.value)

    async def test_another_pool_than_ours_is_a_mistake(self, database) -> None:
        other = create_async_engine("sqlite+aiosqlite:///x", poolclass=NullPool)
        with pytest.raises(TypeError, match="WatchedPool"):
            _ = replace(database.engines, write=other, read=other).pools

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_a_database_in_memory_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="needs an SQLite file"):
            create_engines(url)

    async def test_disposing_closes_every_connection(self, database) -> None:
        for engine in (database.engines.write, database.engines.read, database.engines.aside):
            await value_of(engine, "SELECT 1")
        await database.engines.dispose()
        pools = [*database.engines.pools.values(), database.engines.aside.pool]
        assert [pool.checkedin() + pool.checkedout() for pool in pools] == [0] * len(pools)


class TestReaders:
    @pytest.mark.parametrize("name", ["read", "aside"])
    async def test_their_connections_cannot_write(self, database, cast, name: str) -> None:
        engine = getattr(database.engines, name)
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError, match=r"readonly database|read-only transaction"):
                await connection.execute(text("UPDATE users SET full_name = 'x'"))

    async def test_a_writer_that_takes_the_same_connection_next_can(self, database, cast) -> None:
        """On PostgreSQL the two share a pool: read-only must end with the transaction."""
        await value_of(database.engines.read, "SELECT 1")
        async with database.engines.write.begin() as connection:
            changed = await connection.execute(text("UPDATE users SET full_name = 'x'"))
        assert changed.rowcount == len(cast.users)

    async def test_they_read_while_somebody_writes(self, database, cast) -> None:
        async with database.engines.write.begin() as connection:
            await connection.execute(text("UPDATE users SET full_name = 'x'"))
            assert await value_of(database.engines.read, "SELECT count(*) FROM users WHERE full_name = 'x'") == 0


class TestSqlite:
    @pytest.mark.parametrize("name", ["write", "read", "aside"])
    @pytest.mark.parametrize(
        ("pragma", "expected"),
        [
            ("journal_mode", "wal"),
            ("foreign_keys", 1),
            ("busy_timeout", 1500),
            ("synchronous", 2),
            ("recursive_triggers", 1),
        ],
    )
    async def test_every_connection_is_made_safe(self, sqlite_url, name, pragma, expected) -> None:
        engines = create_engines(sqlite_url, PoolOptions(lock_timeout=1.5))
        assert await value_of(getattr(engines, name), f"PRAGMA {pragma}") == expected
        await engines.dispose()


class TestPostgresql:
    @pytest.mark.parametrize("transaction_pooling", [False, True])
    async def test_the_server_keeps_every_limit(self, postgresql_url, transaction_pooling: bool) -> None:
        """For as long as the connection lasts, or in each transaction where connections are lent for one."""
        options = PoolOptions(lock_timeout=1.5, statement_timeout=7, idle_in_transaction_timeout=9)
        engines = create_engines(postgresql_url, replace(options, transaction_pooling=transaction_pooling))
        usual = {
            "lock_timeout": "1500ms",
            "jit": "off",
            "statement_timeout": "7s",
            "idle_in_transaction_session_timeout": "9s",
            "TimeZone": "UTC",
            "application_name": "support-desk-admin",
        }
        expected = {
            "write": usual,
            "read": usual,
            "aside": usual,
            "lookups": usual,
            "watching": {"lock_timeout": "1s", "statement_timeout": "1s"},
            "snapshots": {"idle_in_transaction_session_timeout": "90s", "plan_cache_mode": "force_custom_plan"},
        }
        wrong = {
            (name, setting): found
            for name, settings in expected.items()
            for setting, value in settings.items()
            if (found := await value_of(getattr(engines, name), f"SHOW {setting}")) != value
        }
        await engines.dispose()
        assert wrong == {}

    async def test_nothing_is_left_on_a_connection_that_is_lent(self, postgresql_url) -> None:
        engines = create_engines(postgresql_url, PoolOptions(transaction_pooling=True))
        async with engines.write.connect() as connection:
            await connection.execute(text("SELECT 1"))
            await connection.commit()
            driver = (await connection.get_raw_connection()).driver_connection
            assert await driver.fetchval("SHOW statement_timeout") == "0"
            assert await driver.fetchval("SELECT count(*) FROM pg_prepared_statements") == 0
        await engines.dispose()

    async def test_a_frozen_answer_is_given_up_on_the_clients_side(self, postgresql_url) -> None:
        engines = create_engines(postgresql_url, PoolOptions(command_timeout=0.2))
        with pytest.raises(TimeoutError):
            await value_of(engines.write, "SELECT pg_sleep(5)")
        await engines.dispose()


class TestBeginImmediate:
    """Reading, deciding, writing: what most services do. SQLite's default begin loses such updates."""

    async def _count_up(self, engine) -> tuple[int, int]:
        """How many of the increments were acknowledged, and how many are stored."""

        async def add_one() -> int:
            try:
                async with engine.begin() as connection:
                    seen = await connection.scalar(text("SELECT value FROM ticket_number_seq"))
                    await asyncio.sleep(0)
                    await connection.execute(text("UPDATE ticket_number_seq SET value = :next"), {"next": seen + 1})
            except DBAPIError:
                return 0
            return 1

        async def several() -> int:
            return sum([await add_one() for _ in range(EACH)])

        acknowledged = sum(await asyncio.gather(*(several() for _ in range(WRITERS))))
        return acknowledged, await value_of(engine, "SELECT value FROM ticket_number_seq")

    async def test_writers_wait_for_each_other_and_none_is_lost(self, sqlite_url) -> None:
        engines = create_engines(sqlite_url, PoolOptions(writer_timeout=30))
        assert await self._count_up(engines.write) == (WRITERS * EACH, WRITERS * EACH)
        await engines.dispose()

    async def test_several_processes_lose_none_either(self, sqlite_url) -> None:
        """Another process has a pool of its own, so only the database keeps the two apart."""
        processes = [create_engines(sqlite_url, PoolOptions(writer_timeout=30, lock_timeout=30)) for _ in range(4)]
        counts = await asyncio.gather(*(self._count_up(engines.write) for engines in processes))
        assert sum(acknowledged for acknowledged, _ in counts) == 4 * WRITERS * EACH
        stored = await value_of(processes[0].read, "SELECT value FROM ticket_number_seq")
        assert stored == 4 * WRITERS * EACH
        for engines in processes:
            await engines.dispose()

    async def test_a_plain_begin_would_turn_writers_away(self, sqlite_url) -> None:
        """The negative control: the same load with the default begin does not get through."""
        engine = create_async_engine(sqlite_url, pool_size=4, max_overflow=0)

        @event.listens_for(engine.sync_engine, "connect")
        def leave_transactions_to_us(connection, record) -> None:
            connection.isolation_level = None

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection) -> None:
            connection.exec_driver_sql("BEGIN")

        acknowledged, _ = await self._count_up(engine)
        assert acknowledged < WRITERS * EACH
        await engine.dispose()

    async def test_the_drivers_own_begin_would_lose_updates(self, sqlite_url) -> None:
        """The negative control: the driver opens a transaction only at the first write, after the read."""
        engine = create_async_engine(sqlite_url, pool_size=4, max_overflow=0)
        acknowledged, stored = await self._count_up(engine)
        assert stored < acknowledged
        await engine.dispose()


class TestWriterQueue:
    async def test_on_sqlite_a_second_writer_waits_in_the_pool(self, sqlite_url) -> None:
        database = Database(create_engines(sqlite_url))
        order: list[str] = []

        async def quickly(session: LiveSession) -> None:
            await session.execute(text("SELECT 1"))
            order.append("second")

        async with database.engines.write.begin():
            waiting = asyncio.create_task(database.run(quickly))
            await asyncio.sleep(0.05)
            assert database.engines.pools["writer"].watch.waiting == 1
            order.append("first ends")
        await waiting
        assert order == ["first ends", "second"]
        await database.dispose()
