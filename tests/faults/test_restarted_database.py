"""R-06: PostgreSQL is stopped and started again under 16 writers; R-12: it freezes."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import quantiles

import httpx
import pytest

from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.models import Comment
from tests.faults.posting import Poster, Storm, several
from tests.flows.serving import Server, serving
from tests.services.scenes import Desk
from tests.support import chaos
from tests.support.breakable import BreakableServer, breakable_server
from tests.support.cast import store_cast
from tests.support.migrating import migrate

WRITERS = 16
FROZEN = 8
COMMAND_TIMEOUT = 2.0
CONNECT_TIMEOUT = 1.0
NORMAL_WITHIN = 5.0
HEALTHY_P99 = chaos.seconds(with_others=0.5, alone=0.1)


@pytest.fixture
def postgres() -> Iterator[BreakableServer]:
    """A server that this test may break."""
    with breakable_server() as server:
        migrate(server.database_url)
        yield server


@pytest.fixture
async def desk(postgres: BreakableServer) -> AsyncIterator[Desk]:
    """The cast on it."""
    database = Database(create_engines(postgres.database_url))
    yield Desk(database, await store_cast(database))
    await database.dispose()


@pytest.fixture
def server(postgres: BreakableServer, desk: Desk, tmp_path: Path) -> Iterator[Server]:
    """The desk, served by a process of its own."""
    timeouts = {"command_timeout_seconds": COMMAND_TIMEOUT, "connect_timeout_seconds": CONNECT_TIMEOUT}
    with serving(postgres.database_url, tmp_path, **timeouts) as server:
        yield server


@pytest.fixture
async def posters(desk: Desk, server: Server) -> AsyncIterator[list[Poster]]:
    """Sam, at 16 windows."""
    async with several(desk.database, server, desk.cast.sam.id, WRITERS) as posters:
        yield posters


class TestStoppedAndStarted:
    async def test_nothing_acknowledged_is_lost_and_the_desk_is_back_within_seconds(
        self,
        postgres: BreakableServer,
        desk: Desk,
        server: Server,
        posters: list[Poster],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        ticket = await desk.ticket()
        storm = Storm(posters, ticket.id)
        await asyncio.sleep(2)
        await asyncio.to_thread(postgres.stop)
        await asyncio.sleep(1)
        await asyncio.to_thread(postgres.start)
        normal_after = await storm.seconds_until_acked(NORMAL_WITHIN)
        await asyncio.sleep(1)
        await storm.stop()
        stored = {comment.body for comment in await desk.rows(Comment)}
        lost, acked = set(storm.acked) - stored, len(storm.acked)
        with capsys.disabled():
            print(
                f"\nR-06: answers {dict(storm.statuses)}, acked {acked}, lost {len(lost)}, "
                f"applied but answered otherwise {len(stored) - acked}, normal after {normal_after:.2f} s"
            )
        assert lost == set()
        assert set(storm.statuses) <= {303, 503}
        assert storm.statuses[503], "the database was gone, and nobody noticed: the test proves nothing"
        assert normal_after < NORMAL_WITHIN


class TestFrozen:
    async def test_everybody_gets_an_answer_and_health_stays_quick(
        self,
        postgres: BreakableServer,
        desk: Desk,
        server: Server,
        posters: list[Poster],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        ticket = await desk.ticket()
        assert {await poster.comment(ticket.id, "before") for poster in posters[:FROZEN]} == {303}
        ordinarily = await p99_of_health(server)
        postgres.freeze()
        try:
            health = asyncio.create_task(p99_of_health(server))
            answers = await asyncio.gather(*(timed_comment(poster, ticket.id) for poster in posters[:FROZEN]))
            p99 = await health
        finally:
            postgres.thaw()
        slowest = max(seconds for _, seconds in answers)
        with capsys.disabled():
            print(
                f"\nR-12: answers {dict(Counter(status for status, _ in answers))}, slowest {slowest:.2f} s, "
                f"health p99 {1000 * p99:.1f} ms, {1000 * ordinarily:.1f} ms before"
            )
        assert {status for status, _ in answers} <= {503, 504}
        assert slowest < COMMAND_TIMEOUT + 1
        assert p99 < HEALTHY_P99
        assert await posters[0].comment(ticket.id, "thawed") == 303


async def timed_comment(poster: Poster, ticket_id: int) -> tuple[int, float]:
    """The answer to a comment, and the seconds it took."""
    started = time.monotonic()
    status = await poster.comment(ticket_id, "frozen")
    return status, time.monotonic() - started


async def p99_of_health(server: Server) -> float:
    """Seconds within which 99 of 100 health checks are answered."""
    times = []
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        for turn in range(100):
            started = time.monotonic()
            await client.get("/health/live" if turn % 2 else "/health/ready")
            times.append(time.monotonic() - started)
            await asyncio.sleep(0.02)
    return quantiles(times, n=100)[98]
