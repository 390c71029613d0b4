"""R-09: a pool of five, five who hold a connection, and a hundred who want one."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from admin_app.models import Comment
from tests.faults import builds
from tests.faults.posting import Poster, signed_in
from tests.flows.serving import Server, serving
from tests.services.scenes import Desk
from tests.support import chaos
from tests.support.waiting import until

POOL = 5
REQUESTS = 100
POOL_TIMEOUT = 2.0
LOOKS = chaos.times(5, 50)
AT_ONCE_AFTERWARDS = chaos.times(10, REQUESTS)
"""A machine that others use as well may need longer for a hundred pages than the pool lets anybody wait."""
REFUSED_WITHIN = POOL_TIMEOUT + chaos.seconds(with_others=5.0, alone=0.5)
MEANWHILE_WITHIN = chaos.seconds(with_others=POOL_TIMEOUT * 0.95, alone=0.5)
NORMAL_WITHIN = chaos.seconds(with_others=20.0, alone=1.0)


@dataclass(frozen=True)
class Answer:
    """What somebody got; status 0 when nothing came in time."""

    status: int
    seconds: float
    retry_after: str = ""
    text: str = ""


@dataclass
class Tally:
    """What everybody got."""

    during: list[Answer] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    """How long the page of the pool took, one look after the other."""
    meanwhile: dict[str, Answer] = field(default_factory=dict)
    after: list[Answer] = field(default_factory=list)
    seconds_until_normal: float = 0.0
    stored: int = 0

    def complaints(self) -> list[str]:
        """What is not as it must be; empty for a desk that keeps its promise."""
        wanted = {"/admin/pool": 200, "/metrics": 200, "/health/live": 200, "/health/ready": 503}
        held_back = [path for path, answer in self.meanwhile.items() if answer.seconds > MEANWHILE_WITHIN]
        checks = {
            "not everybody was refused": {answer.status for answer in self.during} != {503},
            "somebody waited for longer": max(answer.seconds for answer in self.during) > REFUSED_WITHIN,
            "no whole number in Retry-After": not all(answer.retry_after.isdigit() for answer in self.during),
            "something was stored": self.stored > 0,
            "ops were left in the dark": {path: answer.status for path, answer in self.meanwhile.items()} != wanted,
            f"held back: {held_back}": bool(held_back),
            "the page does not show it": "5 of 5" not in self.meanwhile["/admin/pool"].text,
            "somebody is refused afterwards": {answer.status for answer in self.after} != {200},
            "not back to normal in time": self.seconds_until_normal > NORMAL_WITHIN,
        }
        return [complaint for complaint, is_so in checks.items() if is_so]

    @property
    def p95(self) -> float:
        """Within how many milliseconds the page of the pool answered 95 of 100 times."""
        return 1000 * sorted(self.looks)[int(0.95 * len(self.looks))]

    def __str__(self) -> str:
        counts = Counter(answer.status for answer in self.during)
        return (
            f"acked {counts[303] + counts[200]}, refused {counts[503]}, unknown {counts[0]}, stored {self.stored}; "
            f"slowest {max(answer.seconds for answer in self.during):.2f} s with a time-out of {POOL_TIMEOUT:.0f} s; "
            f"95 % of {len(self.looks)} looks at the pool page within {self.p95:.0f} ms; "
            f"meanwhile { ({path: answer.status for path, answer in self.meanwhile.items()}) } "
            f"within {1000 * max(answer.seconds for answer in self.meanwhile.values()):.0f} ms; "
            f"afterwards {dict(Counter(answer.status for answer in self.after))} "
            f"within {self.seconds_until_normal:.2f} s"
        )


async def timed(request, *, patience: float = REFUSED_WITHIN + 1) -> Answer:
    """The answer to a request, or none within `patience`."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(patience):
            response: httpx.Response = await request
    except TimeoutError:
        return Answer(0, time.monotonic() - started)
    seconds = time.monotonic() - started
    return Answer(response.status_code, seconds, response.headers.get("Retry-After", ""), response.text)


@asynccontextmanager
async def five_held(server: Server, watcher: Poster) -> AsyncIterator[None]:
    """Five connections are held for as long as the block runs."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        holders = [asyncio.create_task(client.get("/hold")) for _ in range(POOL)]
        try:
            await until(lambda: all_held(watcher), "five connections are held")
            yield
        finally:
            await client.get("/release")
            await asyncio.gather(*holders)


async def all_held(watcher: Poster) -> bool:
    """Whether the figures say that five connections are out."""
    lines = (await watcher.look("/metrics")).text.splitlines()
    return any(line.startswith("desk_pool_checked_out") and float(line.split()[-1]) == POOL for line in lines)


async def storm(desk: Desk, server: Server, requests: int = REQUESTS) -> Tally:
    """A hundred requests, half of them comments, while five hold a connection; the same pages afterwards."""
    ticket = await desk.ticket()
    sam = await signed_in(desk.database, server, desk.cast.sam.id)
    olaf = await signed_in(desk.database, server, desk.cast.olaf.id)
    tally = Tally()
    async with five_held(server, olaf):
        everybody = asyncio.gather(
            *(timed(sam.send_comment(ticket.id, str(number))) for number in range(0, requests, 2)),
            *(timed(sam.look("/admin/ticket/list")) for _ in range(1, requests, 2)),
        )
        await asyncio.sleep(POOL_TIMEOUT / 4)
        while len(tally.looks) < LOOKS and sum(tally.looks) < POOL_TIMEOUT:
            tally.looks.append((await timed(olaf.look("/admin/pool"))).seconds)
        for path in ("/admin/pool", "/health/live", "/health/ready", "/metrics"):
            tally.meanwhile[path] = await timed(olaf.look(path))
        tally.during = await everybody
        tally.stored = len(await desk.rows(Comment))
    started = time.monotonic()
    for _ in range(0, requests, AT_ONCE_AFTERWARDS):
        wave = (timed(sam.look("/admin/ticket/list")) for _ in range(min(AT_ONCE_AFTERWARDS, requests)))
        tally.after += await asyncio.gather(*wave)
    tally.seconds_until_normal = time.monotonic() - started
    for poster in (sam, olaf):
        await poster.client.aclose()
    return tally


def small_pool(database_url: str, folder: Path, build: str = "holding", timeout: float = POOL_TIMEOUT):
    """A server process with five connections and not one more."""
    return serving(
        database_url,
        folder,
        build=f"{builds.HERE}:{build}",
        pool_size=POOL,
        pool_max_overflow=0,
        pool_timeout_seconds=timeout,
    )


class TestAHundredWhileFiveHold:
    async def test_all_are_told_in_time_ops_see_why_and_the_desk_is_back_at_once(
        self, desk: Desk, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with small_pool(database_url, tmp_path) as server:
            tally = await storm(desk, server)
        with capsys.disabled():
            print(f"\nR-09 {desk.database.engines.dialect}: {tally}")
        assert tally.complaints() == []


class TestTheTestItself:
    """Negative controls: broken builds, and what the same check says of each."""

    FEW = 10

    async def test_ops_pages_that_need_the_pool_are_found_out(
        self, desk: Desk, database_url: str, tmp_path: Path
    ) -> None:
        with small_pool(database_url, tmp_path, "ops_through_the_pool") as server:
            complaints = (await storm(desk, server, self.FEW)).complaints()
        assert {"ops were left in the dark", "held back: ['/admin/pool', '/health/ready']"} <= set(complaints)

    async def test_a_queue_that_waits_for_half_a_minute_is_found_out(
        self, desk: Desk, database_url: str, tmp_path: Path
    ) -> None:
        with small_pool(database_url, tmp_path, timeout=30) as server:
            complaints = (await storm(desk, server, self.FEW)).complaints()
        assert {"not everybody was refused", "somebody waited for longer"} <= set(complaints)
