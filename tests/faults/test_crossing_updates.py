"""R-07: units of work that lock the same rows in crossing orders are all done, or told to come back."""

import asyncio
import random

import pytest
from sqlalchemy import select, text

from admin_app.db import database as database_module
from admin_app.db.database import MAX_TRIES
from admin_app.errors import Conflict, Contended, Unavailable
from admin_app.models import Ticket
from tests.services.scenes import Desk
from tests.support import chaos

WORKERS = 8
ROUNDS = 100
REFUSED_AT_MOST = chaos.share(with_others=0.25, alone=0.05)
"""Without a retry it is three in four."""


async def detect_deadlocks_quickly(desk: Desk) -> None:
    """The server looks for deadlocks after 10 ms, or the test would mostly wait."""
    if desk.database.engines.dialect == "postgresql":
        async with desk.database.engines.write.connect() as connection:
            name = await connection.scalar(text("SELECT current_database()"))
            await connection.execute(text(f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '10ms'"))
            await connection.commit()
        await desk.database.engines.dispose()


async def cross(desk: Desk, ids: list[int], tries: list[int]) -> bool:
    """Count both tickets up, in the order given; False when the desk said to come back."""
    tries.append(0)
    mine = len(tries) - 1

    async def work(session) -> None:
        tries[mine] += 1
        for ticket_id in ids:
            ticket = await session.scalar(select(Ticket).where(Ticket.id == ticket_id).with_for_update())
            ticket.category = str(int(ticket.category or 0) + 1)
            await session.flush()

    try:
        await desk.database.run(work)
    except (Contended, Conflict, Unavailable):
        return False
    return True


async def storm(desk: Desk) -> tuple[int, int, list[int], int]:
    """acked, refused, tries of each, and how often the tickets were counted up."""
    await detect_deadlocks_quickly(desk)
    first, second = await desk.ticket(title="one"), await desk.ticket(title="two")
    tries: list[int] = []

    async def worker(seed: int) -> list[bool]:
        dice = random.Random(seed)
        return [await cross(desk, dice.sample([first.id, second.id], 2), tries) for _ in range(ROUNDS)]

    done = [ok for results in await asyncio.gather(*map(worker, range(WORKERS))) for ok in results]
    counted = {int((await desk.stored(Ticket, ticket.id)).category) for ticket in (first, second)}
    assert len(counted) == 1, "a half-done unit of work was committed"
    return done.count(True), done.count(False), tries, counted.pop()


class TestCrossingUpdates:
    async def test_all_are_done_or_told_and_none_counts_twice(
        self, desk: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        acked, refused, tries, counted = await storm(desk)
        with capsys.disabled():
            print(
                f"\nR-07 {desk.database.engines.dialect}: acked {acked}, refused {refused}, unknown 0, "
                f"stored {counted}, repeats {sum(tries) - len(tries)}, most tries {max(tries)}"
            )
        assert acked + refused == WORKERS * ROUNDS
        assert counted == acked
        assert max(tries) <= MAX_TRIES
        assert refused <= REFUSED_AT_MOST * WORKERS * ROUNDS


class TestTheTestItself:
    @pytest.fixture
    def database_url(self, postgresql_url: str) -> str:
        """The database that has deadlocks; SQLite has one writer at a time."""
        return postgresql_url

    async def test_without_a_retry_many_are_refused(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """Negative control: one try only."""
        monkeypatch.setattr(database_module, "MAX_TRIES", 1)
        _, refused, _, _ = await storm(desk)
        assert refused > REFUSED_AT_MOST * WORKERS * ROUNDS
