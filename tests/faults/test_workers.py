"""Two servers with several workers each on one database: counted right, leaks, deaths and departures seen by all.

Two workers each in ordinary runs, four each in full ones. On SQLite ordinary runs have one server alone.
"""

import asyncio
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults import builds
from tests.faults.posting import Poster, signed_in
from tests.faults.scraping import Collector
from tests.flows.serving import THE_DESK, Server, serving
from tests.services.records.test_alarms import listening
from tests.services.scenes import Desk
from tests.support import chaos, waiting
from tests.web.browsing import text_of
from tests.web.test_metrics import total

WORKERS, SIZE, OVERFLOW = chaos.times(2, 4), 3, 1
ASKED = 12
GONE_WITHIN = 10.0
START_WITHIN = 30.0
PIDS = re.compile(r"data-worker=\"[\w-]+-(\d+)-\w{8}\"")
LEAK = re.compile(r"GET /admin/ticket/list May never come back\. Taken in \S+ \w+")
FIGURE = "{name}</dt><dd>{value}</dd>"


@pytest.fixture(params=["postgresql", "sqlite"] if os.environ.get("CHAOS") else ["postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Several hosts share PostgreSQL alone; several workers share SQLite too, which is tried in full runs."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def served(database_url: str, folder: Path, build: str | None, hook: str):
    """One host's server: several workers, small pools, and little patience with whoever holds a connection."""
    return serving(
        database_url,
        folder,
        build=f"{builds.HERE}:{build}" if build else THE_DESK,
        workers=WORKERS,
        pool_size=SIZE,
        pool_max_overflow=OVERFLOW,
        leak_suspect_seconds=1,
        alert_webhook_url=hook,
        graceful_shutdown_seconds=8,
    )


def pids_on(answer: httpx.Response) -> set[int]:
    """Which worker processes the page shows."""
    return {int(pid) for pid in PIDS.findall(answer.text)}


def workers_of(server: Server) -> set[int]:
    """The worker processes of a server: its children that have the same command."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=", "-o", "args=", "--ppid", str(server.process.pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return {int(line.split()[0]) for line in listed.stdout.splitlines() if "multiprocessing.spawn" in line}


async def until(olaf: Poster, is_so: Callable[[httpx.Response], bool], within: float) -> tuple[float, httpx.Response]:
    """How long it took until the pool page showed it, and the page."""
    started = time.monotonic()
    while time.monotonic() - started < within:
        answer = await olaf.look("/admin/pool")
        if answer.status_code == 200 and is_so(answer):
            return time.monotonic() - started, answer
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {within} s:\n{text_of(answer)[600:2500]}")


async def leaked(desk: Desk, server: Server) -> None:
    """Open the list of tickets until workers have kept a connection; the build does it once per worker."""
    sam = await signed_in(desk.database, server, desk.cast.sam.id)
    for _ in range(12 * WORKERS):
        assert (await sam.look("/admin/ticket/list")).status_code == 200
    await sam.client.aclose()


async def counted(olaf: Poster, *servers: Server) -> str:
    """All workers, and a total that is theirs."""
    expected = len(servers) * WORKERS
    took, page = await until(olaf, lambda answer: len(pids_on(answer)) == expected, START_WITHIN)
    assert pids_on(page) == set().union(*map(workers_of, servers))
    assert f"{expected} workers on 1 host" in text_of(page)
    assert FIGURE.format(name="Size", value=expected * SIZE) in page.text
    assert FIGURE.format(name="Limit", value=expected * (SIZE + OVERFLOW)) in page.text
    assert re.search(r"Overflow</dt><dd>-", page.text) is None
    return f"{expected} workers shown after {took:.1f} s"


async def collected(olaf: Poster, collector: Collector, *servers: Server) -> str:
    """Whichever of them answers, the sums are those of all, as soon as each has reported."""
    asked = "/admin/slow-queries"
    for _ in range(ASKED):
        assert (await olaf.look(asked)).status_code == 200
    started, right = time.monotonic(), 0
    while right < 8 and time.monotonic() - started < START_WITHIN:
        await collector.scrape(servers[collector.scrapes % len(servers)])
        right = right + 1 if collector.requests(asked) == ASKED else 0
    assert right == 8, f"{collector.requests(asked)} requests counted of {ASKED}"
    assert collector.pids() == set().union(*map(workers_of, servers))
    limits = [total(collector.found, "desk_pool_limit", pool=name) for name in ("main", "readers")]
    assert sum(limits) == len(servers) * WORKERS * (SIZE + OVERFLOW)
    return f"all {ASKED} requests of one worker told by all after {time.monotonic() - started:.1f} s"


class TestOneHost:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """What workers of one host may share."""
        return sqlite_url

    async def test_workers_on_one_file_are_counted_by_each_of_them_and_leave_nothing_behind(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        file = Path(str(desk.database.engines.write.url.database))
        with served(str(desk.database.engines.write.url), tmp_path, None, "") as server:
            olaf = await signed_in(desk.database, server, desk.cast.olaf.id)
            await counted(olaf, server)
            await collected(olaf, Collector(), server)
            assert len(list(file.with_name(f"{file.name}.workers").iterdir())) == WORKERS
            await olaf.client.aclose()
        assert list(tmp_path.glob("*.workers")) == [], "each has taken back its report"


class TestAllWorkers:
    async def test_they_are_counted_and_leaks_deaths_and_departures_are_seen_by_all(
        self, desk: Desk, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with listening() as (hook, heard), served(database_url, tmp_path, "keeping_a_connection", hook) as first:
            olaf = await signed_in(desk.database, first, desk.cast.olaf.id)
            with served(database_url, tmp_path, "lingering", hook) as second:
                told = [await counted(olaf, first, second)]
                collector = Collector()
                told.append(await collected(olaf, collector, first, second))
                victim = min(workers_of(second))
                os.kill(victim, signal.SIGKILL)
                killed_at = time.monotonic()
                await leaked(desk, first)
                their_olaf = await signed_in(desk.database, second, desk.cast.olaf.id)
                told.append(await self.leak_named(their_olaf))
                told.append(await self.leak_told(heard))
                await their_olaf.client.aclose()
                told.append(await self.gone(olaf, victim, killed_at, [first, second]))
                told.append(await self.never_backwards(collector, victim, first, second))
                told.append(await self.drained(olaf, first, second))
            await olaf.client.aclose()
            assert len(heard) == 1, "all workers together tell it once"
        with capsys.disabled():
            print(f"\n{desk.database.engines.dialect}: {'; '.join(told)}")

    @staticmethod
    async def never_backwards(collector: Collector, victim: int, first: Server, second: Server) -> str:
        """The killed worker's series have ended; no other has ever fallen."""
        for turn in range(10):
            await collector.scrape(second if turn % 2 else first)
        assert victim not in collector.pids()
        assert collector.backwards == []
        return f"no counter fell in {collector.scrapes} scrapes of two servers"

    @staticmethod
    async def leak_named(olaf: Poster) -> str:
        """On the other server, with its route, its person, and the place that took it."""
        took, _ = await until(olaf, lambda answer: LEAK.search(text_of(answer)) is not None, GONE_WITHIN)
        return f"leak of another server named after {took:.1f} s"

    @staticmethod
    async def leak_told(heard: list[dict[str, Any]]) -> str:
        """To people, with its route."""
        started = time.monotonic()
        await waiting.until(lambda: heard, "somebody is told of the leak")
        assert (heard[0]["incident"], heard[0]["route"]) == ("leak", "GET /admin/ticket/list")
        return f"people told {time.monotonic() - started:.1f} s later"

    @staticmethod
    async def gone(olaf: Poster, victim: int, killed_at: float, servers: list[Server]) -> str:
        """The killed one is no longer on the page, and followed by another."""
        left = killed_at + GONE_WITHIN - time.monotonic()
        await until(olaf, lambda answer: victim not in pids_on(answer), max(left, 0.1))
        gone = time.monotonic() - killed_at
        await until(olaf, lambda answer: pids_on(answer) == set().union(*map(workers_of, servers)), START_WITHIN)
        return f"killed worker gone after {gone:.1f} s, followed by another after {time.monotonic() - killed_at:.1f} s"

    @staticmethod
    async def drained(olaf: Poster, first: Server, second: Server) -> str:
        """Requests are finished, the page says so meanwhile, and nothing is left afterwards."""
        async with httpx.AsyncClient(base_url=second.url, timeout=20) as client:
            lingering = asyncio.create_task(client.get("/linger"))
            await asyncio.sleep(0.3)
            started = time.monotonic()
            second.process.terminate()
            draining, _ = await until(olaf, lambda answer: "Draining" in answer.text, GONE_WITHIN)
            assert (await lingering).text == "lingered"
        await asyncio.to_thread(second.process.wait, GONE_WITHIN)
        stopped = time.monotonic() - started
        await until(olaf, lambda answer: pids_on(answer) == workers_of(first), 4.0)
        return f"draining shown after {draining:.1f} s, ended after {stopped:.1f} s with its request answered"
