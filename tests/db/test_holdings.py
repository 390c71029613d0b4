"""What is known of a connection in use."""

import asyncio
import time

import pytest
from sqlalchemy import text

from admin_app.db import holdings
from admin_app.db.database import Database
from admin_app.db.holders import Holder, current_holder
from admin_app.services.records import lookup
from tests.support import chaos


class TestPlacesInOwnCode:
    async def test_a_connection_says_where_a_service_asked_for_it(self, database: Database, cast) -> None:
        async def work(session) -> list[holdings.Holding]:
            await lookup.user(session, cast.ada, cast.sam.id)
            return [one for pool in database.engines.pools.values() for one in pool.watch.holdings()]

        current_holder.set(Holder("GET /admin/user/details/2", "Ada Admin", "abc123"))
        [held] = await database.read(work)
        assert (held.route, held.actor, held.request_id) == ("GET /admin/user/details/2", "Ada Admin", "abc123")
        assert held.taken_in[0].startswith("services/records/lookup.py:")
        assert "SELECT" in held.statement
        assert str(cast.sam.id) not in held.statement.split("WHERE")[-1]
        assert len(held.fingerprint) == 16

    def test_outside_of_a_greenlet_the_caller_is_asked(self) -> None:
        assert holdings.places_in_own_code() == ()  # a test is no code of ours

    async def test_the_note_costs_next_to_nothing(self) -> None:
        started = time.perf_counter()
        for _ in range(1000):
            holdings.places_in_own_code()
        assert (time.perf_counter() - started) / 1000 < chaos.seconds(with_others=0.005, alone=0.001)


class TestAsked:
    async def test_the_last_statement_is_told_without_its_values(self, database: Database) -> None:
        async with database.engines.read.connect() as connection:
            pool = next(iter(database.engines.pools.values()))
            assert pool.watch.holdings()[0].statement == ""
            await connection.execute(text("SELECT 'hunter2', 4711"))
            [held] = pool.watch.holdings()
        assert held.statement == "SELECT ?, ?"
        pool.watch.asked(object(), "SELECT 1")
        assert pool.watch.holdings() == []


class TestCancelled:
    async def test_what_a_cancelled_request_leaves_behind_is_counted(self, database: Database) -> None:
        engine, slow = database.engines.read, {"sqlite": SLOW_ON_SQLITE, "postgresql": "SELECT pg_sleep(5)"}

        async def ask() -> None:
            async with engine.connect() as connection:
                await connection.execute(text(slow[database.engines.dialect]))

        asking = asyncio.create_task(ask())
        await asyncio.sleep(0.2)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        watch = engine.pool.watch
        assert (watch.cancelled, watch.invalidated, watch.holdings()) == (1, 1, [])


SLOW_ON_SQLITE = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) FROM n"
)
