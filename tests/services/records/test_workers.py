"""One worker among all others."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from admin_app.db.own_view import FileView
from admin_app.db.worker_reports import Report
from admin_app.services.records import workers
from admin_app.services.records.workers import Crew

VIEW = FileView(1, 2, 3)


class Board:
    """A place for reports in memory, which can break."""

    def __init__(self) -> None:
        self.told: dict[str, Mapping[str, Any]] = {}
        self.error: Exception | None = None
        self.turns = 0
        self.age = 1.5

    async def exchange(self, worker: str, figures: Mapping[str, Any]) -> list[Report]:
        """Leave one, read all."""
        self.turns += 1
        if self.error:
            raise self.error
        self.told[worker] = figures
        return [Report(name, told, self.age) for name, told in self.told.items()]

    async def remove(self, worker: str) -> None:
        """Take one back."""
        if self.error:
            raise self.error
        del self.told[worker]


class Figures:
    """One pool, as a test sets it."""

    def __init__(self) -> None:
        self.now = {"checked_out": 1, "limit": 5, "waiting": 0, "timeouts": 3}

    def __call__(self) -> Sequence[Mapping[str, Any]]:
        return [dict(self.now)]


@pytest.fixture
def board() -> Board:
    """Empty."""
    return Board()


@pytest.fixture
def figures() -> Figures:
    """Of one pool."""
    return Figures()


async def look() -> FileView:
    """At a database that is fine."""
    return VIEW


@pytest.fixture
def crew(board: Board, figures: Figures) -> Crew:
    """The worker under test."""
    return Crew(board, figures, look, "1.2.3")


class TestKnown:
    async def test_a_worker_alone_knows_itself_and_waits_for_nobody(self, crew: Crew) -> None:
        known = crew.known()
        [me] = known.workers
        assert (me.is_me, me.age, me.state, me.version) == (True, 0.0, "serving", "1.2.3")
        assert (list(known.samples), known.view, known.failing_since) == ([], None, None)

    async def test_others_are_as_old_as_their_reports_and_the_time_since(
        self, crew: Crew, board: Board, figures: Figures
    ) -> None:
        other = Crew(board, figures, look, "1.2.4")
        await other.report()
        await crew.report()
        figures.now["checked_out"] = 4
        await asyncio.sleep(0.05)
        mine, theirs = crew.known().workers
        assert (mine.is_me, mine.age, mine.pools[0]["checked_out"]) == (True, 0.0, 4)
        assert (theirs.version, theirs.pools[0]["checked_out"]) == ("1.2.4", 1)
        assert theirs.age >= 1.55
        assert crew.known().view == VIEW

    async def test_whoever_is_silent_for_too_long_is_gone_while_others_can_be_asked(
        self, crew: Crew, board: Board, figures: Figures, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await Crew(board, figures, look, "1").report()
        await crew.report()
        monkeypatch.setattr(workers, "DEAD_AFTER_SECONDS", 1.4)
        assert len(crew.known().workers) == 1
        board.error = OSError()
        await crew.report()
        assert len(crew.known().workers) == 2, "now it is not known who is gone"


class TestRefreshed:
    """Counters as somebody collects them who asks one worker or another."""

    async def test_whoever_is_asked_none_is_behind_what_another_has_given(self, board: Board, figures: Figures) -> None:
        board.age = 0.0
        counted = {"a": 0, "b": 0}
        crews = {
            name: Crew(board, figures, look, "1", counts=lambda name=name: {"n": counted[name]}) for name in counted
        }
        highest: dict[str, int] = {}
        for turn in range(40):
            counted["a" if turn % 3 else "b"] += 1
            told = await crews["b" if turn % 2 else "a"].refreshed()
            given = {worker.name: worker.counts["n"] for worker in told.workers}
            assert told.is_complete
            assert all(given[name] >= before for name, before in highest.items()), f"backwards in turn {turn}"
            highest = given
        assert sorted(highest.values()) == [counted["b"], counted["a"]] or sum(highest.values()) >= 39

    async def test_while_the_others_cannot_be_asked_it_tells_of_itself_as_it_last_did(
        self, board: Board, figures: Figures, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        board.age, counted = 0.0, [1]
        crew = Crew(board, figures, look, "1", counts=lambda: {"n": counted[0]})
        await Crew(board, figures, look, "1").report()
        assert len((await crew.refreshed()).workers) == 2
        board.error, counted[0] = OSError(), 5
        told = await crew.refreshed()
        assert ([worker.counts for worker in told.workers], told.is_complete) == ([{"n": 1}], False)
        monkeypatch.setattr(workers, "LIVE_AFTER", 0.0)
        assert [worker.counts for worker in (await crew.refreshed()).workers] == [{"n": 5}], "an outage is to be seen"
        board.error = None
        board.age = 0.1
        assert [worker.counts for worker in (await crew.refreshed()).workers] == [{"n": 5}], "too old to be told"

    async def test_a_database_that_hangs_keeps_nobody_waiting_and_nothing_is_left_at_the_end(
        self, board: Board, figures: Figures, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "REFRESHED_WITHIN", 0.02)
        crew, never = Crew(board, figures, look, "1"), asyncio.Event()

        async def hang(worker: str, figures: Mapping[str, Any]) -> list[Report]:
            await never.wait()
            return []

        monkeypatch.setattr(board, "exchange", hang)
        told = await asyncio.wait_for(crew.refreshed(), 30)
        assert (len(told.workers), told.is_complete) == (1, False)
        [turn] = crew._turns
        await crew.leave()
        await asyncio.wait({turn})
        assert turn.cancelled()


class TestReport:
    async def test_while_nobody_answers_what_was_known_stays_with_its_age(
        self, crew: Crew, board: Board, figures: Figures, caplog: pytest.LogCaptureFixture
    ) -> None:
        await Crew(board, figures, look, "1").report()
        await crew.report()
        board.error = ConnectionRefusedError("secret host name")
        await crew.report()
        await crew.report()
        known = crew.known()
        assert len(known.workers) == 2
        assert known.view == VIEW
        assert known.failing_since is not None
        assert known.failing_for >= 0
        assert [record.levelname for record in caplog.records] == ["WARNING"], "once, not every two seconds"
        assert "secret" not in caplog.text
        board.error = None
        await crew.report()
        assert crew.known().failing_since is None

    async def test_the_time_line_adds_workers_up_and_shows_a_gap_while_nobody_answers(
        self, crew: Crew, board: Board, figures: Figures, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "SAMPLES_EVERY", 0.0)
        await Crew(board, figures, look, "1").report()
        await crew.report()
        figures.now.update(checked_out=5, waiting=7, timeouts=6)
        await crew.report()
        board.error = OSError()
        await crew.report()
        first, second, third = crew.known().samples
        assert (first.in_use, first.limit, first.waiting, first.gave_up) == (2, 10, 0, 0)
        assert (second.in_use, second.waiting, second.gave_up) == (6, 7, 3)
        assert third.in_use is None
        monkeypatch.setattr(workers, "SAMPLES_EVERY", 1000.0)
        await crew.report()
        assert len(crew.known().samples) == 3

    async def test_the_database_is_asked_rarely_until_somebody_looks(self, board: Board, figures: Figures) -> None:
        looks: list[int] = []

        async def counted() -> FileView:
            looks.append(1)
            return VIEW

        crew = Crew(board, figures, counted, "1")
        for _ in range(3):
            await crew.report()
        assert len(looks) == 1
        crew.known()
        await crew.report()
        assert len(looks) == 2


class TestStart:
    async def test_it_reports_by_itself_at_once_and_when_somebody_looks_and_takes_its_report_back(
        self, crew: Crew, board: Board
    ) -> None:
        crew.start()
        await asyncio.sleep(0.02)
        assert board.turns == 1
        crew.known()
        await asyncio.sleep(0.02)
        assert board.turns == 2
        crew.drain()
        await asyncio.sleep(0.02)
        [told] = board.told.values()
        assert (told["state"], crew.is_draining) == ("draining", True)
        await crew.leave()
        assert board.told == {}

    async def test_it_goes_on_every_so_often(self, crew: Crew, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workers, "REPORTS_EVERY", 0.01)
        crew.start()
        await asyncio.sleep(0.1)
        assert board.turns >= 3
        await crew.leave()

    async def test_a_database_that_does_not_answer_keeps_nobody_from_leaving(self, crew: Crew, board: Board) -> None:
        await crew.leave()  # never started: nothing to take back
        crew.start()
        await asyncio.sleep(0.02)
        board.error = OSError()
        await crew.leave()
        assert len(board.told) == 1
