"""A flood of errors is counted in memory and written in a few rows; no caller ever fails for it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from admin_app.models import ErrorGroup, ErrorReport
from admin_app.services.records.error_tracking import tracker as tracking
from admin_app.services.records.error_tracking.storing import WINDOW, Alert
from admin_app.services.records.error_tracking.tracker import (
    MOST_KINDS,
    MOST_NAMES,
    OTHER,
    STORED_ONE_BY_ONE,
    ErrorTracker,
)
from tests.services.records.error_tracking.seeing import seen
from tests.services.scenes import Desk


class Setup:
    """A tracker on a desk's database, with a bell that can be heard and a plug that can be pulled."""

    def __init__(self, desk: Desk, flush_after: float = 60, **chosen: int) -> None:
        self.desk = desk
        self.rung: list[Alert] = []
        self.transactions = 0
        self.is_down = False
        self.tracker = ErrorTracker(self.run, self.rung.append, flush_after=flush_after, **chosen)

    async def run(self, work: Any) -> Any:
        self.transactions += 1
        if self.is_down:
            await asyncio.sleep(0)
            raise ConnectionRefusedError
        return await self.desk.database.run(work)

    async def total(self) -> int:
        return sum(group.total for group in await self.desk.rows(ErrorGroup))

    async def standing_for(self) -> list[int]:
        return [report.occurrences for report in await self.desk.rows(ErrorReport)]


@pytest.fixture
async def setup(desk: Desk):
    setup = Setup(desk)
    yield setup
    await setup.tracker.close()


class TestReport:
    async def test_is_stored_before_it_returns(self, setup) -> None:
        assert await setup.tracker.report(seen())
        assert await setup.standing_for() == [1]

    async def test_rings_at_the_tenth_after_the_commit(self, setup) -> None:
        for number in range(1, 13):
            await setup.tracker.report(seen())
            assert len(setup.rung) == (1 if number >= 10 else 0)
        assert setup.rung[0].count == 10
        sooner = Setup(setup.desk, alert_at=2)
        await asyncio.gather(*(sooner.tracker.report(seen(fingerprint="a" * 64)) for _ in range(2)))
        assert [alert.count for alert in sooner.rung] == [2]

    async def test_what_comes_at_once_shares_a_transaction(self, setup) -> None:
        await asyncio.gather(*(setup.tracker.report(seen()) for _ in range(15)))
        assert await setup.standing_for() == [1] * 15
        assert setup.transactions == 2
        assert len(setup.rung) == 1

    async def test_after_the_first_twenty_of_a_window_it_only_counts(self, setup) -> None:
        stored = [await setup.tracker.report(seen()) for _ in range(50)]
        assert stored == [True] * STORED_ONE_BY_ONE + [False] * 30
        assert await setup.total() == 20
        await setup.tracker.flush()
        assert await setup.standing_for() == [1] * 20 + [30]
        assert await setup.total() == 50

    async def test_the_next_window_is_stored_again(self, setup, stopped_clock) -> None:
        for _ in range(25):
            await setup.tracker.report(seen())
        stopped_clock.forward(seconds=WINDOW.total_seconds())
        assert await setup.tracker.report(seen())
        assert await setup.standing_for() == [1] * 20 + [1, 5]

    async def test_the_last_reference_stands_for_what_was_counted(self, setup) -> None:
        sightings = [seen() for _ in range(30)]
        for sighting in sightings:
            await setup.tracker.report(sighting)
        await setup.tracker.flush()
        assert (await setup.desk.rows(ErrorReport))[-1].reference == sightings[-1].reference


class TestSeen:
    async def test_every_error_is_counted_by_name_and_names_run_out(self, setup) -> None:
        setup.is_down = True
        for number in range(MOST_NAMES + 10):
            await setup.tracker.report(seen(kind=f"Error{number}"))
        await setup.tracker.report(seen(kind="Error0"))
        assert len(setup.tracker.seen) == MOST_NAMES + 1
        assert (setup.tracker.seen["Error0"], setup.tracker.seen[OTHER]) == (2, 10)
        setup.is_down = False


class TestFlush:
    async def test_happens_by_itself_a_little_later_and_once(self, desk) -> None:
        setup = Setup(desk, flush_after=0.05)
        for _ in range(40):
            await setup.tracker.report(seen())
        assert await setup.total() == 20
        for _ in range(100):
            await asyncio.sleep(0.05)
            if await setup.total() == 40:
                break
        assert await setup.standing_for() == [1] * 20 + [20]
        assert setup.transactions == 21

    async def test_with_nothing_to_write_asks_the_database_nothing(self, setup) -> None:
        await setup.tracker.flush()
        assert setup.transactions == 0

    async def test_the_end_of_the_process_writes_the_rest(self, desk) -> None:
        setup = Setup(desk)
        for _ in range(21):
            await setup.tracker.report(seen())
        await setup.tracker.close()
        assert await setup.total() == 21


class TestWhenTheDatabaseIsDown:
    async def test_nobody_fails_and_the_count_is_kept_for_later(self, setup) -> None:
        setup.is_down = True
        for _ in range(12):
            assert await setup.tracker.report(seen())
        assert setup.rung == []
        setup.is_down = False
        await setup.tracker.flush()
        assert await setup.standing_for() == [12]
        assert [alert.count for alert in setup.rung] == [12]

    async def test_those_who_wait_for_one_that_failed_do_not_try_one_by_one(self, setup) -> None:
        setup.is_down = True
        await asyncio.gather(*(setup.tracker.report(seen()) for _ in range(20)))
        assert setup.transactions == 2

    async def test_what_was_counted_before_keeps_its_newer_reference(self, setup) -> None:
        setup.is_down = True
        for _ in range(20):
            await setup.tracker.report(seen())
        newest = seen()
        await setup.tracker.report(newest)
        setup.is_down = False
        await setup.tracker.flush()
        [report] = await setup.desk.rows(ErrorReport)
        assert (report.reference, report.occurrences) == (newest.reference, 21)

    async def test_a_request_that_is_cancelled_while_it_writes_for_others_loses_nothing(self, setup) -> None:
        is_writing = asyncio.Event()

        async def hang(work: Any) -> Any:
            is_writing.set()
            await asyncio.sleep(60)

        setup.tracker._run = hang
        task = asyncio.create_task(setup.tracker.report(seen()))
        await is_writing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        setup.tracker._run = setup.run
        await setup.tracker.flush()
        assert await setup.standing_for() == [1]

    async def test_a_kind_that_made_room_while_it_was_being_written_comes_back(self, setup, stopped_clock) -> None:
        async def refuse_and_forget(work: Any) -> Any:
            setup.tracker._forget_quiet_kinds(stopped_clock.time + WINDOW)
            assert setup.tracker.kinds == 0
            raise ConnectionRefusedError

        setup.tracker._run = refuse_and_forget
        await setup.tracker.report(seen())
        setup.tracker._run = setup.run
        await setup.tracker.flush()
        assert await setup.standing_for() == [1]


class TestMemory:
    async def test_holds_so_many_kinds_and_no_more(self, setup) -> None:
        setup.is_down = True
        for number in range(MOST_KINDS + 50):
            await setup.tracker.report(seen(fingerprint=f"{number:064x}"))
        assert setup.tracker.kinds == MOST_KINDS
        assert setup.tracker.untracked == 50

    async def test_kinds_that_went_quiet_make_room(self, setup, stopped_clock, monkeypatch) -> None:
        monkeypatch.setattr(tracking, "MOST_KINDS", 3)
        for number in range(3):
            await setup.tracker.report(seen(fingerprint=f"{number:064x}"))
        stopped_clock.forward(seconds=WINDOW.total_seconds())
        assert await setup.tracker.report(seen(fingerprint="f" * 64))
        assert setup.tracker.kinds == 1

    async def test_a_kind_that_still_waits_to_be_written_is_kept(self, setup, stopped_clock, monkeypatch) -> None:
        monkeypatch.setattr(tracking, "MOST_KINDS", 1)
        for _ in range(STORED_ONE_BY_ONE + 1):
            await setup.tracker.report(seen())
        later = stopped_clock.time + WINDOW + timedelta(seconds=1)
        assert not await setup.tracker.report(seen(at=later, fingerprint="a" * 64))
        assert setup.tracker.untracked == 1
