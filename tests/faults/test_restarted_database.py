"""R-06: PostgreSQL is stopped and started again under 16 writers; R-12: it freezes."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import httpx
import pytest

from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.models import Comment
from tests.faults import builds
from tests.faults.posting import Poster, Storm, several
from tests.flows.serving import THE_DESK, Server, serving
from tests.services.scenes import Desk
from tests.support import chaos
from tests.support.breakable import BreakableServer, breakable_server
from tests.support.cast import store_cast
from tests.support.migrating import migrate

WRITERS = 16
FROZEN = 8
COMMAND_TIMEOUT = 2.0
ANSWERED_WITHIN = COMMAND_TIMEOUT + chaos.seconds(with_others=2.5, alone=1.0)
CONNECT_TIMEOUT = 1.0
NORMAL_WITHIN = 5.0
LULL = chaos.seconds(with_others=1.0, alone=2.0)
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


@contextmanager
def server_of(postgres: BreakableServer, folder: Path, build: str = THE_DESK, **settings: object) -> Iterator[Server]:
    """A build of the desk, served by a process of its own."""
    timeouts = {"command_timeout_seconds": COMMAND_TIMEOUT, "connect_timeout_seconds": CONNECT_TIMEOUT, **settings}
    with serving(postgres.database_url, folder, build=build, **timeouts) as server:
        yield server


@dataclass(frozen=True)
class Restart:
    """What a restart of the database did to those who were writing."""

    statuses: Counter[int]
    acked: set[str]
    stored: set[str]
    normal_after: float

    def complaints(self) -> list[str]:
        """What is not as it must be."""
        checks = {
            "acknowledged comments are lost": not self.acked <= self.stored,
            "somebody heard something else than to come back": not set(self.statuses) <= {303, 503},
            "it took long to be normal again": self.normal_after >= NORMAL_WITHIN,
        }
        return [complaint for complaint, is_so in checks.items() if is_so]

    def __str__(self) -> str:
        return (
            f"answers {dict(self.statuses)}, acked {len(self.acked)}, refused {self.statuses[503]}, "
            f"unknown {self.statuses.total() - len(self.acked) - self.statuses[503]}, "
            f"lost {len(self.acked - self.stored)}, applied but answered otherwise {len(self.stored - self.acked)}, "
            f"normal after {self.normal_after:.2f} s"
        )


async def restart(postgres: BreakableServer, desk: Desk, server: Server) -> Restart:
    """Stop the database under sixteen writers, start it again a second later, and let them go on."""
    ticket = await desk.ticket()
    async with several(desk.database, server, desk.cast.sam.id, WRITERS) as posters:
        storm = Storm(posters, ticket.id)
        await asyncio.sleep(LULL)
        await asyncio.to_thread(postgres.stop)
        await asyncio.sleep(1)
        await asyncio.to_thread(postgres.start)
        normal_after = await storm.seconds_until_acked(NORMAL_WITHIN)
        await asyncio.sleep(LULL)
        await storm.stop()
    stored = {comment.body for comment in await desk.rows(Comment)}
    assert storm.acked, "nobody was acknowledged: the test proves nothing"
    assert storm.statuses.total() > len(storm.acked), "the database was gone, and nobody noticed: it proves nothing"
    return Restart(storm.statuses, set(storm.acked), stored, normal_after)


class TestStoppedAndStarted:
    async def test_nothing_acknowledged_is_lost_and_the_desk_is_back_within_seconds(
        self, postgres: BreakableServer, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with server_of(postgres, tmp_path) as server:
            found = await restart(postgres, desk, server)
        with capsys.disabled():
            print(f"\nR-06: {found}")
        assert found.complaints() == []

    @pytest.mark.parametrize(
        ("build", "complaint"),
        [
            ("acknowledging_before_the_commit", "acknowledged comments are lost"),
            ("knowing_no_lost_connection", "somebody heard something else than to come back"),
        ],
    )
    async def test_a_broken_build_is_found_out(
        self, postgres: BreakableServer, desk: Desk, tmp_path: Path, build: str, complaint: str
    ) -> None:
        """Negative controls."""
        with server_of(postgres, tmp_path, f"{builds.HERE}:{build}") as server:
            found = await restart(postgres, desk, server)
        assert complaint in found.complaints(), str(found)


@dataclass(frozen=True)
class Frost:
    """What a frozen database did to those who were writing, and to those who look after the desk."""

    answers: list[tuple[int, float]]
    ordinarily: float
    p99: float

    def complaints(self) -> list[str]:
        """What is not as it must be."""
        checks = {
            "somebody got no answer in time": not {status for status, _ in self.answers} <= {503, 504},
            "an answer took long": max(seconds for _, seconds in self.answers) >= ANSWERED_WITHIN,
            "health was slow": self.p99 >= HEALTHY_P99,
        }
        return [complaint for complaint, is_so in checks.items() if is_so]

    def __str__(self) -> str:
        statuses = Counter(status for status, _ in self.answers)
        return (
            f"acked {statuses[303]}, refused {statuses[503] + statuses[504]}, unknown {statuses[0]}; slowest "
            f"{max(seconds for _, seconds in self.answers):.2f} s with a time-out of {COMMAND_TIMEOUT:.0f} s, "
            f"health p99 {1000 * self.p99:.1f} ms, {1000 * self.ordinarily:.1f} ms before"
        )


async def freeze(postgres: BreakableServer, desk: Desk, server: Server) -> Frost:
    """Eight comments and a hundred health checks while the database neither answers nor refuses."""
    ticket = await desk.ticket()
    async with several(desk.database, server, desk.cast.sam.id, FROZEN) as posters:
        assert {await poster.comment(ticket.id, "before") for poster in posters} == {303}
        ordinarily = await p99_of_health(server)
        postgres.freeze()
        try:
            health = asyncio.create_task(p99_of_health(server))
            answers = await asyncio.gather(*(timed_comment(poster, ticket.id) for poster in posters))
            p99 = await health
        finally:
            postgres.thaw()
        assert await posters[0].comment(ticket.id, "thawed") == 303
    return Frost(answers, ordinarily, p99)


class TestFrozen:
    async def test_everybody_gets_an_answer_and_health_stays_quick(
        self, postgres: BreakableServer, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with server_of(postgres, tmp_path) as server:
            found = await freeze(postgres, desk, server)
        with capsys.disabled():
            print(f"\nR-12: {found}")
        assert found.complaints() == []

    async def test_a_build_that_waits_for_the_database_is_found_out(
        self, postgres: BreakableServer, desk: Desk, tmp_path: Path
    ) -> None:
        """The negative control: health asks through the pool, and nobody hangs up on silence."""
        waits = {"command_timeout_seconds": 8, "statement_timeout_seconds": 8}
        with server_of(postgres, tmp_path, f"{builds.HERE}:health_through_the_pool", **waits) as server:
            found = await freeze(postgres, desk, server)
        assert {"somebody got no answer in time", "an answer took long", "health was slow"} <= set(found.complaints())


async def timed_comment(poster: Poster, ticket_id: int) -> tuple[int, float]:
    """The answer to a comment, 0 when none came in time, and the seconds it took."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(ANSWERED_WITHIN + 1):
            status = await poster.comment(ticket_id, "frozen")
    except TimeoutError:
        status = 0
    return status, time.monotonic() - started


async def p99_of_health(server: Server) -> float:
    """Seconds within which 99 of 100 health checks are answered; fewer when they take that long."""
    times: list[float] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        for turn in range(100):
            if sum(times) >= COMMAND_TIMEOUT + 2:
                break
            started = time.monotonic()
            await client.get("/health/live" if turn % 2 else "/health/ready")
            times.append(time.monotonic() - started)
            await asyncio.sleep(0.02)
    return quantiles(times, n=100, method="inclusive")[98] if len(times) > 1 else times[0]
