"""R-11: people who leave in the middle, and people who read slowly, keep no connection."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select

from admin_app.db.database import Database
from admin_app.models import User
from tests.faults import builds
from tests.faults.posting import Poster, signed_in
from tests.flows.serving import THE_DESK, Server, serving
from tests.services.scenes import Desk
from tests.support import chaos
from tests.support.cast import store_cast
from tests.web.browsing import text_of

ABORTED = 500
SLOW_READERS = 20
BACK_WITHIN = chaos.seconds(with_others=4.0, alone=2.0)
SEEN_WITHIN = 20.0
BACKLOG_WITHIN = 60.0
"""Requests of people who have left are still worked off; that is the server's speed, not a leak."""


@pytest.fixture
def build() -> str:
    """The desk as it is."""
    return THE_DESK


@pytest.fixture
def server(database_url: str, tmp_path: Path, build: str) -> Iterator[Server]:
    """The desk, served by a process of its own."""
    with serving(database_url, tmp_path, build=build, pool_size=5, pool_max_overflow=0) as server:
        yield server


@pytest.fixture
async def reader(database: Database, server: Server) -> AsyncIterator[Poster]:
    """Sam, on a desk with a page full of tickets."""
    desk = Desk(database, await store_cast(database))
    for number in range(50):
        await desk.ticket(title=f"Printer {number}", description="It jams. " * 200)
    poster = await signed_in(database, server, desk.cast.sam.id)
    yield poster
    await poster.client.aclose()


async def send(server: Server, reader: Poster, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request, and read nothing of the answer yet."""
    address = urlsplit(server.url)
    answer, line = await asyncio.open_connection(address.hostname, address.port)
    cookie = f"desk_session={reader.client.cookies['desk_session']}"
    line.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookie}\r\n\r\n".encode())
    await line.drain()
    return answer, line


async def figure(server: Server, name: str) -> int:
    """One of the pool's figures, over all pools of the server."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        figures = (await client.get("/metrics")).text
    return sum(int(float(value)) for value in re.findall(rf"^desk_pool_{name}{{.*}} (\S+)$", figures, re.MULTILINE))


async def seconds_until_none(server: Server, name: str, patience: float) -> float:
    """How long it takes until a figure is zero."""
    clock = asyncio.get_running_loop()
    started = clock.time()
    while await figure(server, name) and clock.time() - started < patience:
        await asyncio.sleep(0.02)
    return clock.time() - started


async def leave(server: Server, reader: Poster, times: int) -> tuple[float, float]:
    """Send requests and hang up; seconds until nobody waits any more, and from then until nothing is held."""
    for start in range(0, times, 25):
        lines = await asyncio.gather(
            *(send(server, reader, "/admin/ticket/list?pageSize=50") for _ in range(start, start + 25))
        )
        for _, line in lines:
            line.transport.abort()
    backlog = await seconds_until_none(server, "waiting", BACKLOG_WITHIN)
    return backlog, await seconds_until_none(server, "checked_out", BACK_WITHIN + 1)


async def until_ops_see(database: Database, server: Server, *words: str) -> None:
    """On the pool page, which tells the last report of each worker."""
    olaf = await database.read(lambda session: session.scalar(select(User.id).where(User.email == "olaf@desk.example")))
    poster = await signed_in(database, server, olaf or 0)
    clock = asyncio.get_running_loop()
    started, missing = clock.time(), list(words)
    while missing and clock.time() - started < SEEN_WITHIN:
        page = text_of(await poster.look("/admin/pool"))
        missing = [word for word in words if word not in page]
    await poster.client.aclose()
    assert not missing, page


class TestPeopleWhoLeave:
    async def test_every_connection_is_back_within_two_seconds(
        self, server: Server, reader: Poster, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        backlog, seconds = await leave(server, reader, ABORTED)
        with capsys.disabled():
            print(
                f"\nR-11 {database.engines.dialect}: acked 0, refused 0, unknown {ABORTED} (all left); "
                f"nobody waits after {backlog:.2f} s, nothing held {seconds:.2f} s later"
            )
        assert seconds <= BACK_WITHIN
        assert (await reader.look("/admin/ticket/list")).status_code == 200
        await until_ops_see(database, server, "0 of 5 in use", "Nobody.")


class TestPeopleWhoReadSlowly:
    async def test_they_hold_no_connection_while_they_read(self, server: Server, reader: Poster) -> None:
        lines = [await send(server, reader, "/admin/ticket/list?pageSize=100") for _ in range(SLOW_READERS)]
        first_bytes = [await answer.read(100) for answer, _ in lines]
        assert all(first.startswith(b"HTTP/1.1 200") for first in first_bytes)
        assert await seconds_until_none(server, "checked_out", BACK_WITHIN + 1) <= BACK_WITHIN
        assert (await reader.look("/admin/ticket/list")).status_code == 200
        for _, line in lines:
            line.close()


class TestTheTestItself:
    @pytest.fixture
    def build(self) -> str:
        """A desk on which one page forgets to give its connection back."""
        return f"{builds.HERE}:keeping_a_connection"

    async def test_a_connection_that_is_kept_is_found_out(self, server: Server, reader: Poster) -> None:
        """The negative control."""
        _, seconds = await leave(server, reader, 50)
        assert seconds > BACK_WITHIN
        assert await figure(server, "checked_out") == 1
