"""A streaming replica to read from: a real one, that is paused, stopped, frozen, and throws its readers out."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette

from admin_app.app import create_app
from admin_app.db import replica
from admin_app.db.database import Database
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.db.holders import Holder, current_holder
from admin_app.db.replica import UNKNOWN, Yardstick
from admin_app.errors import InvalidInput, TimedOut
from admin_app.settings import Settings
from tests.support.cast import store_cast
from tests.support.clusters import Cluster, Pair, cluster_pair
from tests.support.migrating import migrate
from tests.support.waiting import until
from tests.web.browsing import Visitor, text_of
from tests.web.windows import windows

OPTIONS = PoolOptions(size=3, max_overflow=0, statement_timeout=2.0)
PATIENT = 30.0
"""Seconds that a replica may be behind where a test is about something else."""


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """One for all tests of this file: each leaves it as it was."""
    with cluster_pair() as pair:
        migrate(pair.primary.url)
        yield pair


@asynccontextmanager
async def reading(pair: Pair, limit: float = PATIENT, **options: float) -> AsyncIterator[Database]:
    """The desk's database with its replica."""
    chosen = replace(OPTIONS, replica_lag_limit=limit, **options)
    database = Database(create_engines(pair.primary.url, chosen, replica_url=pair.replica.url))
    yield database
    await database.dispose()


@contextmanager
def somebody() -> Iterator[Holder]:
    """A request from a browser that nothing was changed with yet."""
    holder = Holder("GET /admin/ticket/list")
    before = current_holder.set(holder)
    yield holder
    current_holder.reset(before)


@contextmanager
def short_rests() -> Iterator[None]:
    """A replica that failed is soon tried again."""
    before = dict(replica.RESTS_SECONDS)
    replica.RESTS_SECONDS.update(behind=0.05, gone=0.05)
    yield
    replica.RESTS_SECONDS.update(before)


async def port(session) -> int:
    """Which server answers."""
    return int(await session.scalar(text("SELECT inet_server_port()")))


async def tags(session) -> set[str]:
    """Something to change, and to look at."""
    return set(await session.scalars(text("SELECT name FROM tags")))


async def add_tag(database: Database, name: str) -> None:
    statement = text("INSERT INTO tags (name, created_at, updated_at) VALUES (:name, now(), now())")
    await database.run(lambda session: session.execute(statement, {"name": name}))


async def read_from(database: Database, cluster: Cluster) -> set[str]:
    """What pages that may lag show, once they are read there."""

    async def look(session) -> tuple[int, set[str]]:
        return await port(session), await tags(session)

    async def seen() -> tuple[set[str]] | None:
        place, found = await database.read(look, may_lag=True)
        return (found,) if place == cluster.port else None

    [found] = await until(seen, f"pages are read from {cluster.address}", patience=20)
    return found


async def looked_up_in(database: Database, cluster: Cluster) -> bool:
    return await database.look_up(port, may_lag=True) == cluster.port


async def export_from(database: Database, cluster: Cluster) -> None:
    """Wait until exports are read there."""

    async def is_so() -> bool:
        async with database.snapshot() as session:
            return await port(session) == cluster.port

    await until(is_so, f"exports are read from {cluster.address}", patience=20)


@asynccontextmanager
async def paused(pair: Pair) -> AsyncIterator[None]:
    """The replica receives what is written, and does not replay it."""
    await pair.replica.ask("SELECT pg_wal_replay_pause()")
    await until(lambda: pair.replica.ask("SELECT pg_get_wal_replay_pause_state() = 'paused'"), "replay is paused")
    try:
        yield
    finally:
        await pair.replica.ask("SELECT pg_wal_replay_resume()")


class TestRead:
    async def test_only_what_may_lag_is_read_there_and_one_sees_ones_own_changes_at_once(self, pair) -> None:
        async with reading(pair) as database:
            with somebody() as sam:
                await read_from(database, pair.replica)
                assert await database.read(port) == pair.primary.port
                async with paused(pair):
                    await add_tag(database, "sams")
                    assert sam.written > 0
                    assert "sams" in await database.read(tags, may_lag=True)
                    assert await database.read(port, may_lag=True) == pair.primary.port
                    assert await database.look_up(port, may_lag=True) == pair.primary.port
                    with somebody():
                        await until(lambda: looked_up_in(database, pair.replica), "one statement is asked there too")
                        assert "sams" not in await read_from(database, pair.replica)
                assert "sams" in await read_from(database, pair.replica)
                answered = database.replica.answered
                assert (answered["replica"] >= 3, answered["behind"] >= 2, answered["gone"]) == (True, True, 0)

    async def test_it_gets_a_moment_to_catch_up(self, pair) -> None:
        async with reading(pair, replica_wait=20.0) as database:
            with somebody():
                async with paused(pair):
                    await add_tag(database, "waited for")
                    looking = asyncio.create_task(database.read(port, may_lag=True))
                    await asyncio.sleep(0.05)
                    assert not looking.done()
                assert await looking == pair.replica.port

    async def test_nobody_is_shown_a_desk_that_is_older_than_the_limit(self, pair) -> None:
        async with reading(pair, limit=0.5) as database:
            with somebody(), short_rests():
                await read_from(database, pair.replica)
                async with paused(pair):
                    with somebody():
                        await add_tag(database, "somebody else's")
                    assert "somebody else's" in await read_from(database, pair.primary)
                await read_from(database, pair.replica)

    async def test_no_page_fails_when_it_is_gone_refuses_or_is_silent(self, pair) -> None:
        async with reading(pair) as database:
            with somebody(), short_rests():
                await read_from(database, pair.replica)
                pair.replica.stop()
                try:
                    for _ in range(2):
                        assert await database.read(port, may_lag=True) == pair.primary.port
                        await asyncio.sleep(0.06)
                finally:
                    pair.replica.start()
                await read_from(database, pair.replica)
                pair.replica.freeze()
                try:
                    assert await database.read(port, may_lag=True) == pair.primary.port
                finally:
                    pair.replica.thaw()
                assert database.replica.answered["gone"] >= 3

                async def is_ready() -> bool:
                    return await database.why_not_ready() is None

                await until(is_ready, "the desk is ready without it")

    async def test_it_is_left_alone_for_a_while_after_it_failed(self, pair) -> None:
        async with reading(pair) as database:
            database.replica._rests = (time.monotonic() + 60, "gone")
            assert await database.read(port, may_lag=True) == pair.primary.port
            assert database.replica._engines.read.pool.watch.connects == 0

    async def test_who_is_thrown_out_by_the_replay_is_answered_by_the_primary(self, pair) -> None:
        await pair.replica.ask("ALTER SYSTEM SET max_standby_streaming_delay = 0")
        await pair.replica.ask("SELECT pg_reload_conf()")
        async with reading(pair) as database:
            with somebody():
                await read_from(database, pair.replica)
            asked: list[int] = []

            async def look(session) -> set[str]:
                asked.append(await port(session))
                found = await tags(session)
                if len(asked) == 1:
                    await pair.primary.ask("DO $$ BEGIN LOCK TABLE tags IN ACCESS EXCLUSIVE MODE; END $$")
                    await session.execute(text("SELECT pg_sleep(1.5) FROM tags LIMIT 1"))
                return found

            with somebody():
                await database.read(look, may_lag=True)
        assert asked == [pair.replica.port, pair.primary.port]

    async def test_a_fault_of_the_readers_own_is_theirs(self, pair) -> None:
        asked: Counter[str] = Counter()

        async def too_long(session) -> None:
            asked["too long"] += 1
            await session.execute(text("SELECT pg_sleep(5)"))

        async def mistaken(session) -> None:
            asked["mistaken"] += 1
            raise InvalidInput("no such thing")

        async def of_nothing(session) -> None:
            asked["of nothing"] += 1
            await session.execute(text("SELECT * FROM nothing"))

        async with reading(pair, statement_timeout=0.5) as database:
            with somebody():
                await read_from(database, pair.replica)
                with pytest.raises(TimedOut):
                    await database.read(too_long, may_lag=True)
                with pytest.raises(InvalidInput):
                    await database.read(mistaken, may_lag=True)
                with pytest.raises(DBAPIError, match="does not exist"):
                    await database.read(of_nothing, may_lag=True)
        assert asked == {"too long": 1, "mistaken": 1, "of nothing": 2}, "the primary may have a table that it lacks"


class TestSnapshot:
    async def test_exports_are_read_there_too_and_only_once_it_has_ones_own_changes(self, pair) -> None:
        async with reading(pair) as database:
            with somebody():
                await export_from(database, pair.replica)
                async with database.snapshot() as session:
                    before = await tags(session)
                    assert await port(session) == pair.replica.port
                    await add_tag(database, "while it is exported")
                    assert await tags(session) == before
                async with paused(pair):
                    await add_tag(database, "just now")
                    async with database.snapshot() as session:
                        assert "just now" in await tags(session)
                        assert await port(session) == pair.primary.port


class TestTheWholeDesk:
    async def test_a_ticket_is_in_ones_own_list_on_every_host_before_the_replica_has_it(self, pair, tmp_path) -> None:
        hosts = [create_app(settings(pair, tmp_path)) for _ in range(2)]
        database: Database = hosts[0].state.database
        cast = await store_cast(database)
        async with (
            windows(hosts, database, cast.sam.id) as (here, elsewhere),
            windows(hosts[:1], database, cast.sid.id) as [sids],
        ):
            for host in hosts:
                await read_from(host.state.database, pair.replica)
            async with paused(pair):
                typed = {"title": "Printer on fire", "description": "Smoke.", "creator": "kim@desk.example"}
                answer = await here.fill_in("/admin/ticket/create", **typed)
                assert answer.status_code == 303, text_of(answer)
                here.client.cookies.delete("desk_message")  # it names the ticket, and is not what is looked for
                elsewhere.client.cookies.update(here.client.cookies)
                assert "Printer on fire" in (await here.get("/admin/ticket/list")).text
                assert "Printer on fire" in (await elsewhere.get("/admin/ticket/list")).text
                await until(lambda: lacks(sids, "Printer on fire"), "who changed nothing reads from the replica")
        for app in hosts:
            await close(app)


async def lacks(visitor: Visitor, title: str) -> bool:
    return title not in (await visitor.get("/admin/ticket/list")).text


def settings(pair: Pair, folder: Path) -> Settings:
    return Settings(
        environment="test",
        database_url=pair.primary.url,
        replica_url=pair.replica.url,
        replica_lag_limit_seconds=PATIENT,
        secret_key="the same on every host, as it must be",
        attachments_folder=folder / "files",
    )


async def close(app: Starlette) -> None:
    await app.state.errors.close()
    await app.state.database.dispose()


class TestNotePosition:
    async def test_a_change_that_is_in_stays_in_when_nobody_can_say_where(self, pair) -> None:
        async with reading(pair) as database:
            with somebody() as sam:
                broken = replica._WRITTEN
                replica._WRITTEN = "SELECT nothing"
                try:
                    await add_tag(database, "somewhere")
                finally:
                    replica._WRITTEN = broken
                assert sam.written == UNKNOWN
                assert await database.read(port, may_lag=True) == pair.primary.port
                assert "somewhere" in await database.read(tags)


class TestYardstick:
    async def test_it_asks_for_what_was_there_a_while_ago_and_for_all_after_a_pause(self) -> None:
        positions = iter(range(1, 1000))

        async def position() -> int:
            return next(positions)

        yardstick = Yardstick(position, limit=100.0)
        assert [await yardstick(), await yardstick()] == [1, 1], "nothing is older yet"
        yardstick._samples[0] = (time.monotonic() - 60, 1)
        assert [await yardstick(), await yardstick()] == [1, 1]
        yardstick._samples[-1] = (time.monotonic() - 101, 2)
        assert await yardstick() == 3, "nobody has looked for longer than the limit"

    async def test_older_positions_are_forgotten(self) -> None:
        now = time.monotonic()

        async def position() -> int:
            return 5

        yardstick = Yardstick(position, limit=10.0)
        yardstick._samples.extend([(now - 14, 1), (now - 12, 2), (now - 9, 3), (now - 5, 4)])
        assert await yardstick() == 2
        assert [position for _, position in yardstick._samples] == [2, 3, 4, 5]


def test_a_replica_is_none_of_sqlites(tmp_path) -> None:
    database = Database(create_engines(f"sqlite:///{tmp_path / 'x.sqlite3'}"))
    assert database.replica is None
