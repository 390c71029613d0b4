"""S-13: bodies without end, ten thousand fields, huge pages, wildcard searches: answered soon, nobody is held up."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from admin_app import clock
from admin_app.services.batches.samples import seed
from tests.faults import builds
from tests.faults.posting import Poster, signed_in
from tests.flows.serving import THE_DESK, Server, serving
from tests.services.scenes import Desk
from tests.support import chaos

BODY = chaos.times(100_000_000, 1_000_000_000)
TICKETS = chaos.times(2_000, 100_000)
LOOKS = chaos.times(40, 300)
SOON = chaos.seconds(with_others=5.0, alone=2.0)
SEARCHED_WITHIN = 11.0
"""The statement's own time limit, and a little: a search is no abuse by itself, and the larger the desk the longer."""
ALWAYS_FINE = chaos.seconds(with_others=1.0, alone=0.1)
"""Below this, nobody would call it held up, whatever it was before."""

Abuse = Callable[[Server, Poster], Awaitable[int]]


async def endless_body(server: Server, poster: Poster, size: int = BODY) -> int:
    """A form in pieces, much larger than a form may be, without a word on its size; the status, 0 for none."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    cookie = f"desk_session={poster.client.cookies['desk_session']}"
    head = f"POST /admin/ticket/comment/1 HTTP/1.1\r\nHost: {address.netloc}\r\nOrigin: {server.url}\r\n"
    form = f"Cookie: {cookie}\r\n"
    form += "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(f"{head}{form}".encode())
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    try:
        for _ in range(size // 0x10000):
            writer.write(piece)
            await writer.drain()
            if reader._buffer:  # type: ignore[attr-defined]
                break  # an answer, and nobody listens any more
        writer.write(b"0\r\n\r\n")
    except ConnectionError:
        pass
    try:
        line = await asyncio.wait_for(reader.readline(), 10 * SOON)
    except (ConnectionError, TimeoutError):
        return 0
    finally:
        writer.transport.abort()
    return int(line.split()[1]) if line else 0


MANY_FIELDS = urlencode({f"field{number}": "x" for number in range(10_000)}).encode()
"""Written once: who measures the others is the same process."""


async def many_fields(server: Server, poster: Poster) -> int:
    """A form of ten thousand fields."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return (await poster.client.post("/admin/ticket/comment/1", content=MANY_FIELDS, headers=headers)).status_code


async def huge_page(server: Server, poster: Poster) -> int:
    """A page of a million rows."""
    return (await poster.look("/admin/ticket/list?pageSize=1000000")).status_code


async def far_page(server: Server, poster: Poster) -> int:
    """A page that nobody can have come to."""
    return (await poster.look("/admin/ticket/list?page=99999999999999999999")).status_code


async def wildcard_search(server: Server, poster: Poster) -> int:
    """Wildcards and words that are nowhere, so that every ticket is looked at."""
    return (await poster.look("/admin/ticket/list?search=%25_%25%25%5F%2A")).status_code


@dataclass
class Tally:
    """What the abuse was answered with and how long that took, and what others had to wait meanwhile."""

    before: list[float]
    during: list[float] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    slowest: float = 0.0

    def complaints(self, wanted: set[int], within: float = SOON) -> list[str]:
        """What is not as it must be."""
        checks = {
            f"answered with {self.statuses}": not self.statuses <= wanted,
            f"answered after {self.slowest:.2f} s": self.slowest > within,
            f"others waited {p99(self.during):.3f} s, before {p99(self.before):.3f} s": p99(self.during)
            > max(2 * p99(self.before), ALWAYS_FINE),
        }
        return [complaint for complaint, is_wrong in checks.items() if is_wrong]


def p99(seconds: list[float]) -> float:
    """The wait that one in a hundred exceeds."""
    return sorted(seconds)[int(len(seconds) * 0.99) - 1]


async def looked(poster: Poster, looks: int) -> list[float]:
    """How long somebody else waits for a ticket's page, again and again."""
    waits = []
    for _ in range(looks):
        started = time.monotonic()
        answer = await poster.look("/admin/ticket/details/1")
        assert answer.status_code == 200
        waits.append(time.monotonic() - started)
        await asyncio.sleep(0.005)
    return waits


async def abused(server: Server, sam: Poster, sid: Poster, abuse: Abuse, before: list[float]) -> Tally:
    """Sid, who has worked in peace before, works while Sam abuses the desk without a pause."""
    tally, is_over = Tally(before), asyncio.Event()

    async def go_on() -> None:
        for turn in itertools.count():
            if is_over.is_set() and turn:
                return
            started = time.monotonic()
            tally.statuses.add(await abuse(server, sam))
            tally.slowest = max(tally.slowest, time.monotonic() - started)
            await asyncio.sleep(0.01)

    abusing = asyncio.create_task(go_on())
    tally.during = await looked(sid, LOOKS)
    is_over.set()
    await abusing
    return tally


@asynccontextmanager
async def at_work(
    desk: Desk, database_url: str, folder: Path, build: str, tickets: int = 1
) -> AsyncIterator[tuple[Server, Poster, Poster]]:
    """A served desk with tickets on it, Sam and Sid."""
    await desk.ticket(title="Printer on fire")
    if tickets > 1:
        await seed.seed(desk.database.run, desk.cast.ada, tickets=tickets, today=clock.now())
    with serving(database_url, folder, build=build) as server:
        people = [await signed_in(desk.database, server, desk.cast.users[name]) for name in ("sam", "sid")]
        yield server, people[0], people[1]
        for person in people:
            await person.client.aclose()


ABUSES: dict[str, tuple[Abuse, set[int]]] = {
    "a body without end": (endless_body, {413}),
    "ten thousand fields": (many_fields, {400}),
    "a huge page": (huge_page, {400}),
    "a far page": (far_page, {400}),
    "a wildcard search": (wildcard_search, {200, 503, 504}),
}


class TestAbuse:
    async def test_it_is_answered_soon_and_holds_nobody_up(
        self, desk: Desk, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        complaints = {}
        async with at_work(desk, database_url, tmp_path, THE_DESK, TICKETS) as (server, sam, sid):
            await looked(sid, 5)
            before = await looked(sid, LOOKS)
            for name, (abuse, wanted) in ABUSES.items():
                tally = await abused(server, sam, sid, abuse, before)
                is_search = abuse is wildcard_search
                complaints[name] = tally.complaints(wanted, within=SEARCHED_WITHIN if is_search else SOON)
                waits = f"others' p99 {1000 * p99(tally.during):.0f} ms, before {1000 * p99(tally.before):.0f} ms"
                with capsys.disabled():
                    print(f"\nS-13: {name}: {sorted(tally.statuses)} within {tally.slowest:.2f} s; {waits}")
        assert {name: found for name, found in complaints.items() if found} == {}

    async def test_a_desk_that_reads_whatever_comes_is_found_out(
        self, desk: Desk, database_url: str, tmp_path: Path
    ) -> None:
        build = f"{builds.HERE}:reading_without_end"
        async with at_work(desk, database_url, tmp_path, build) as (server, sam, _):
            assert await many_fields(server, sam) != 400
            assert await endless_body(server, sam, size=5_000_000) != 413


class TestControl:
    def test_somebody_held_up_is_found(self) -> None:
        held_up = Tally(before=[0.05] * 100, during=[0.05] * 90 + [10.0] * 10, statuses={413}, slowest=0.1)
        assert len(held_up.complaints({413})) == 1
        assert len(held_up.complaints({400})) == 2
