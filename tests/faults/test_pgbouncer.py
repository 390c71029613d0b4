"""PgBouncer in transaction mode stands between the desk and PostgreSQL, with the configuration that is shipped."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import text

from admin_app.app import create_app
from admin_app.db.database import Database
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.errors import TimedOut, Unavailable
from admin_app.models import Comment
from admin_app.settings import Settings
from tests.services.scenes import Desk
from tests.support.cast import store_cast
from tests.support.house import PROJECT_ROOT
from tests.support.pgbouncer import HOW_TO_GET_IT, find_pgbouncer, pgbouncer
from tests.support.programs import needed
from tests.support.waiting import until
from tests.web.browsing import text_of
from tests.web.windows import windows

LENT = 2
"""Connections to the server, for many more of the desk's."""
OPTIONS = PoolOptions(size=8, max_overflow=0, timeout=30.0, transaction_pooling=True)
WRITERS, EACH = 8, 10


@pytest.fixture(scope="module")
def program() -> str:
    """It, or a skip."""
    return needed(find_pgbouncer(), HOW_TO_GET_IT)


@pytest.fixture
def pooled_url(program: str, postgresql_url: str) -> Iterator[str]:
    """The database of this test, by way of PgBouncer."""
    sizes = {"default_pool_size": str(LENT), "reserve_pool_size": "0", "query_wait_timeout": "30"}
    with pgbouncer(program, postgresql_url, **sizes) as url:
        yield url


@pytest.fixture
async def database(pooled_url: str) -> AsyncIterator[Database]:
    """The desk's database, told what stands in between."""
    database = Database(create_engines(pooled_url, OPTIONS))
    yield database
    await database.dispose()


async def limits(session) -> list[str]:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "plan_cache_mode")
    return [await session.scalar(text(f"SHOW {name}")) for name in names]


class TestTransactionPooling:
    async def test_eight_writers_share_two_connections_and_nothing_is_lost_or_mixed_up(self, database) -> None:
        desk = Desk(database, await store_cast(database))
        tickets = [await desk.ticket(title=f"Ticket {number}") for number in range(WRITERS)]
        seen: list[int] = []

        async def count(session) -> int:
            backends = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            return int(await session.scalar(backends))

        async def write(number: int) -> list[str]:
            bodies = [f"{number}/{turn}" for turn in range(EACH)]
            for body in bodies:
                await desk.comment(tickets[number], body)
                seen.append(await database.read(count))
            return bodies

        acked = {body for bodies in await asyncio.gather(*map(write, range(WRITERS))) for body in bodies}
        stored = {comment.body: comment.ticket_id for comment in await desk.rows(Comment)}
        assert set(stored) == acked
        assert all(ticket_id == tickets[int(body.split("/")[0])].id for body, ticket_id in stored.items())
        assert max(seen) <= LENT + 1, "the test's own connection is the third"

    async def test_the_limits_hold_in_every_transaction_and_stay_in_it(self, database, pooled_url) -> None:
        usual = ["2s", "10s", "15s", "auto"]
        assert await database.run(limits) == usual
        assert await database.read(limits) == usual
        assert await database.read(limits, aside=True) == usual
        assert await database.look_up(limits) == usual
        async with database.snapshot() as session:
            assert await limits(session) == ["2s", "10s", "90s", "force_custom_plan"]
        outside = await asyncpg.connect(pooled_url.replace("+asyncpg", ""), statement_cache_size=0)
        found = {await outside.fetchval("SHOW statement_timeout") for _ in range(LENT * 3)}
        await outside.close()
        assert found == {"0"}, "a limit was left behind on a connection that others get next"

    async def test_they_are_kept_to(self, pooled_url) -> None:
        hurried = Database(create_engines(pooled_url, replace(OPTIONS, statement_timeout=0.2)))
        with pytest.raises(TimedOut):
            await hurried.read(lambda session: session.execute(text("SELECT pg_sleep(5)")))
        assert await hurried.read(lambda session: session.scalar(text("SELECT 1"))) == 1
        await hurried.dispose()

    async def test_a_desk_that_was_not_told_is_refused(self, pooled_url) -> None:
        """The negative control: what it sets for a whole connection has no place here."""
        untold = Database(create_engines(pooled_url, replace(OPTIONS, transaction_pooling=False)))
        with pytest.raises(Unavailable) as refused:
            await untold.read(lambda session: session.scalar(text("SELECT 1")))
        assert "unsupported startup parameter" in str(refused.value.__cause__)
        await untold.dispose()


class TestTheWholeDesk:
    async def test_pages_forms_downloads_and_reports_of_workers(self, pooled_url, tmp_path) -> None:
        app = create_app(
            Settings(
                environment="test",
                database_url=pooled_url,
                transaction_pooling=True,
                secret_key="the same on every host, as it must be",
                attachments_folder=tmp_path / "files",
            )
        )
        database: Database = app.state.database
        cast = await store_cast(database)
        async with windows([app], database, cast.ada.id) as [ada]:
            typed = {"title": "Printer on fire", "description": "Smoke.", "creator": "kim@desk.example"}
            opened = await ada.fill_in("/admin/ticket/create", **typed)
            assert opened.status_code == 303, text_of(opened)
            for path in ("/admin/", "/admin/ticket/list?search=printer", opened.headers["location"], "/admin/pool"):
                answer = await ada.get(path)
                assert answer.status_code == 200, f"{path}: {text_of(answer)[:300]}"
            asked = await ada.post("/admin/ticket/export", {"query": "", "format": "csv"})
            export = asked.headers["location"].split("?")[0]
            file = await ada.post(export.replace("/export/", "/export/download/"))
            assert "Printer on fire" in file.text

        async def is_reported() -> bool:
            await app.state.crew.report()
            count = text("SELECT count(*) FROM worker_reports")
            return await database.read(lambda session: session.scalar(count)) == 1

        await until(is_reported, "this worker has reported")
        await app.state.errors.close()
        await app.state.database.dispose()


class TestNothingOutlivesItsTransaction:
    def test_no_code_of_the_desk_keeps_something_on_a_connection(self) -> None:
        """Locks of a session, LISTEN and SET without LOCAL would stay with whoever gets the connection next."""
        kept = ("pg_advisory_lock(", "pg_try_advisory_lock(", "LISTEN ", '("SET ', "CREATE TEMP", "WITH HOLD")
        allowed = '("SET LOCAL '
        found = [
            (file.name, word)
            for file in sorted((PROJECT_ROOT / "admin_app").rglob("*.py"))
            for word in kept
            if word in file.read_text().replace(allowed, "")
        ]
        assert found == []
