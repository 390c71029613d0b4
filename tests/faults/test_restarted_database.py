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
from tests.faults.posting import Poster, several
from tests.flows.serving import Server, serving
from tests.services.scenes import Desk
from tests.support.breakable import BreakableServer, breakable_server
from tests.support.cast import store_cast
from tests.support.migrating import migrate

WRITERS = 16
FROZEN = 8
COMMAND_TIMEOUT = 2.0
CONNECT_TIMEOUT = 1.0
NORMAL_WITHIN = 5.0
HEALTHY_P99 = 0.1


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
        acked: list[str] = []
        statuses: Counter[int] = Counter()
        is_over = asyncio.Event()

        async def write(number: int) -> None:
            poster, turn = posters[number], 0
            while not is_over.is_set():
                turn += 1
                body = f"{number}/{turn}"
                status = await poster.comment(ticket.id, body)
                statuses[status] += 1
                if status == 303:
                    acked.append(body)
                else:
                    await asyncio.sleep(0.05)

        writers = [asyncio.create_task(write(number)) for number in range(WRITERS)]
        await asyncio.sleep(2)
        await asyncio.to_thread(postgres.stop)
        await asyncio.sleep(1)
        await asyncio.to_thread(postgres.start)
        started, before = time.monotonic(), len(acked)
        while len(acked) == before and time.monotonic() - started < NORMAL_WITHIN:
            await asyncio.sleep(0.02)
        normal_after = time.monotonic() - started
        await asyncio.sleep(1)
        is_over.set()
        await asyncio.gather(*writers)
        stored = {comment.body for comment in await desk.rows(Comment)}
        lost = set(acked) - stored
        with capsys.disabled():
            print(
                f"\nR-06: answers {dict(statuses)}, acked {len(acked)}, lost {len(lost)}, "
                f"applied but answered otherwise {len(stored) - len(acked)}, normal after {normal_after:.2f} s"
            )
        assert lost == set()
        assert set(statuses) <= {303, 503}
        assert statuses[503], "the database was gone, and nobody noticed: the test proves nothing"
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
        statuses = [await poster.comment(ticket.id, "before") for poster in posters[:FROZEN]]
        assert set(statuses) == {303}
        ordinarily = await p99_of_health(server)
        postgres.freeze()
        try:

            async def timed(poster: Poster, number: int) -> tuple[int, float]:
                started = time.monotonic()
                status = await poster.comment(ticket.id, f"frozen {number}")
                return status, time.monotonic() - started

            health = asyncio.create_task(p99_of_health(server))
            answers = await asyncio.gather(*(timed(poster, number) for number, poster in enumerate(posters[:FROZEN])))
            p99 = await health
        finally:
            postgres.thaw()
        slowest = max(seconds for _, seconds in answers)
        with capsys.disabled():
            shown = dict(Counter(status for status, _ in answers))
            print(
                f"\nR-12: answers {shown}, slowest {slowest:.2f} s, "
                f"health p99 {1000 * p99:.1f} ms, {1000 * ordinarily:.1f} ms before"
            )
        assert {status for status, _ in answers} <= {503, 504}
        assert slowest < COMMAND_TIMEOUT + 1
        assert p99 < max(HEALTHY_P99, 2 * ordinarily)
        assert await posters[0].comment(ticket.id, "thawed") == 303


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
