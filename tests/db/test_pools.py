"""A connection pool that can say how it feels."""

import asyncio
import logging
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from admin_app.db import pools
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.db.holders import Holder, current_holder
from admin_app.db.pools import PoolWatch, WatchedPool, log_event
from tests.support import chaos
from tests.support.faults import end_backend, end_backend_number, raised_by


@pytest.fixture
async def engine(database_url):
    """An engine for two connections, and one more under load."""
    engines = create_engines(database_url, PoolOptions(size=2, max_overflow=1, timeout=0.1))
    yield engines.read
    await engines.dispose()


@pytest.fixture
async def patient_engine(database_url):
    """An engine for one connection, whose queue nobody leaves in vain."""
    engines = create_engines(database_url, PoolOptions(size=1, max_overflow=0, timeout=30))
    yield engines.read
    await engines.dispose()


@pytest.fixture
def pool(engine) -> WatchedPool:
    return engine.pool


async def open_connections(engine, count: int) -> list:
    connections = [await engine.connect() for _ in range(count)]
    for connection in connections:
        await connection.execute(text("SELECT 1"))
    return connections


async def close(connections) -> None:
    for connection in connections:
        await connection.close()


class TestFigures:
    def figures(self, pool) -> tuple[int, int, int, int, int]:
        return (pool.size(), pool.checkedin(), pool.checkedout(), max(pool.overflow(), 0), pool.limit)

    async def test_a_fresh_pool_holds_nothing(self, pool) -> None:
        assert self.figures(pool) == (2, 0, 0, 0, 3)

    async def test_connections_in_use_are_checked_out_and_the_third_is_overflow(self, engine, pool) -> None:
        connections = await open_connections(engine, 3)
        assert self.figures(pool) == (2, 0, 3, 1, 3)
        await close(connections)

    async def test_what_comes_back_is_kept_up_to_the_size(self, engine, pool) -> None:
        await close(await open_connections(engine, 3))
        assert self.figures(pool) == (2, 2, 0, 0, 3)


class TestWaiting:
    async def test_whoever_finds_nothing_free_is_counted_while_waiting(self, patient_engine) -> None:
        connections, watch = await open_connections(patient_engine, 1), patient_engine.pool.watch
        waiter = asyncio.create_task(patient_engine.connect().start())
        await asyncio.sleep(0.02)
        assert watch.waiting == 1
        await close(connections)
        await (await waiter).close()
        assert watch.waiting == 0

    async def test_how_long_the_wait_was_is_remembered(self, patient_engine) -> None:
        connections, watch = await open_connections(patient_engine, 1), patient_engine.pool.watch
        started = time.monotonic()
        waiter = asyncio.create_task(patient_engine.connect().start())
        await asyncio.sleep(0.05)
        await close(connections)
        await (await waiter).close()
        assert len(watch.waits) == 2
        assert 0.03 < watch.waits[-1] <= time.monotonic() - started

    async def test_it_is_written_on_the_note_of_whoever_waited(self, engine) -> None:
        current_holder.set(Holder("GET /a"))
        await close(await open_connections(engine, 1))
        assert current_holder.get().waited_seconds == engine.pool.watch.waits[-1] > 0

    async def test_waiting_ends_with_a_time_out_that_is_counted(self, engine, pool, caplog) -> None:
        connections = await open_connections(engine, 3)
        started = time.monotonic()
        assert isinstance(await raised_by(engine.connect().start()), PoolTimeout)
        assert time.monotonic() - started < chaos.seconds(with_others=10.0, alone=2.0)
        assert (pool.watch.timeouts, pool.watch.waiting) == (1, 0)
        assert [record.levelname for record in caplog.records if record.message == "pool.timeout"] == ["WARNING"]
        await close(connections)

    async def test_after_a_time_out_everything_works_again(self, engine, pool) -> None:
        connections = await open_connections(engine, 3)
        await raised_by(engine.connect().start())
        await close(connections)
        await close(await open_connections(engine, 3))
        assert pool.checkedout() == 0


class TestTrust:
    """A connection is asked whether it still works, unless that was seen just now."""

    @pytest.fixture
    def asked(self, engine, monkeypatch) -> list:
        """Every question."""
        questions, really = [], engine.dialect.do_ping
        monkeypatch.setattr(engine.sync_engine.dialect, "do_ping", lambda c: (questions.append(c), really(c))[1])
        return questions

    async def test_one_that_was_used_just_now_is_not_asked_and_one_that_idled_is(
        self, engine, asked, monkeypatch
    ) -> None:
        for _ in range(3):
            await close(await open_connections(engine, 1))
        assert asked == []
        monkeypatch.setattr(pools, "TRUSTED_SECONDS", 0.0)
        await close(await open_connections(engine, 1))
        assert len(asked) == 1

    async def test_one_that_was_cut_is_asked_at_once_and_replaced(self, postgresql_url) -> None:
        engines = create_engines(postgresql_url)
        connection = await engines.write.connect()
        number = await connection.scalar(text("SELECT pg_backend_pid()"))
        await connection.close()
        await end_backend_number(engines, number)
        async with engines.write.connect() as another:
            assert await another.scalar(text("SELECT pg_backend_pid()")) != number
        await engines.dispose()


class TestHoldings:
    async def test_it_says_who_holds_each_connection(self, engine, pool) -> None:
        current_holder.set(Holder("GET /admin/ticket/list", "Sam Staff"))
        connections = await open_connections(engine, 1)
        (holding,) = pool.watch.holdings()
        assert (holding.route, holding.actor) == ("GET /admin/ticket/list", "Sam Staff")
        assert holding.since.tzinfo is not None
        await close(connections)
        assert pool.watch.holdings() == []

    async def test_the_longest_held_comes_first(self, engine, pool) -> None:
        current_holder.set(Holder("first"))
        first = await open_connections(engine, 1)
        await asyncio.sleep(0.01)
        current_holder.set(Holder("second"))
        second = await open_connections(engine, 1)
        assert [holding.route for holding in pool.watch.holdings()] == ["first", "second"]
        await close(first + second)

    async def test_the_longest_of_all_is_remembered_after_it_came_back(self, engine, pool) -> None:
        for route, seconds in (("short", 0), ("long", 0.05), ("short again", 0)):
            current_holder.set(Holder(route))
            connections = await open_connections(engine, 1)
            await asyncio.sleep(seconds)
            await close(connections)
            current_holder.get().actor = "Sam Staff"  # who asks is read over the first connection
        assert (pool.watch.longest.route, pool.watch.longest.actor) == ("long", "Sam Staff")
        assert 0.05 <= pool.watch.longest.seconds < chaos.seconds(with_others=10.0, alone=1.0)

    def test_a_connection_that_nobody_took_can_come_back(self) -> None:
        watch = PoolWatch()
        watch.returned(object())
        assert watch.longest is None


class TestInvalidated:
    async def test_a_lost_connection_is_counted_once_and_held_by_nobody(self, postgresql_url, caplog) -> None:
        engines = create_engines(postgresql_url)
        connection = await engines.write.connect()
        await end_backend(engines, connection)
        await raised_by(connection.execute(text("SELECT 1")))
        watch = engines.pools["main"].watch
        assert (watch.invalidated, watch.holdings()) == (1, [])
        assert [record.levelname for record in caplog.records if record.message == "pool.invalidate"] == ["WARNING"]
        await connection.close()
        await engines.dispose()

    async def test_a_connection_given_up_without_an_error_counts_as_well(self, engine, pool) -> None:
        (connection,) = await open_connections(engine, 1)
        await connection.invalidate()
        assert pool.watch.invalidated == 1
        await close([connection])


class TestRecreate:
    async def test_the_figures_survive_a_dispose(self, engine, pool) -> None:
        connections = await open_connections(engine, 3)
        await raised_by(engine.connect().start())
        await close(connections)
        await engine.dispose()
        assert engine.pool is not pool
        assert engine.pool.watch is pool.watch
        assert engine.pool.watch.timeouts == 1

    async def test_nothing_counts_twice_after_a_dispose(self, engine) -> None:
        await engine.dispose()
        await engine.dispose()
        (connection,) = await open_connections(engine, 1)
        assert len(engine.pool.watch.holdings()) == 1
        await connection.invalidate()
        assert engine.pool.watch.invalidated == 1
        await close([connection])


class TestLogEvent:
    @pytest.mark.parametrize(
        ("name", "level"),
        [("pool.timeout", "WARNING"), ("pool.invalidate", "WARNING"), ("pool.connect", "DEBUG")],
    )
    async def test_what_ops_must_see_is_a_warning(self, caplog, name: str, level: str) -> None:
        current_holder.set(Holder("GET /", "Sam Staff"))
        with caplog.at_level(logging.DEBUG, "admin_app.pool"):
            log_event(name, limit=3)
        (record,) = caplog.records
        assert (record.levelname, record.event, record.route, record.actor, record.limit) == (
            level,
            name,
            "GET /",
            "Sam Staff",
            3,
        )
