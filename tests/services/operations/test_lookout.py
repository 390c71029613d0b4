"""One worker on the lookout, with others beside it: who tells what, with and without the database."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from admin_app import clock
from admin_app.db.claims import Claims
from admin_app.models import ErrorReport, Incident
from admin_app.services.blocks.troubles import Thresholds
from admin_app.services.operations import lookout as module
from admin_app.services.operations.lookout import Lookout
from admin_app.services.records.alarms import Alarm, Message, WebHook
from admin_app.services.records.quiet_hours import QuietHours
from tests.services.blocks.test_troubles import FINE, LONG_HELD, known, worker
from tests.services.records.error_tracking.test_storing import store_one
from tests.services.records.test_alarms import listening
from tests.services.scenes import Desk

LEAKING = known(worker(replace(FINE, holdings=[LONG_HELD])))
WAITING = known(worker(replace(FINE, waiting=3, waiting_for=11.0)))
SILENT = known(worker(FINE), failing_since=clock.now(), failing_for=11.0)


class Ears:
    """What people hear, by any worker's alarm."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.alarms: list[Alarm] = []

    def alarm(self) -> Alarm:
        self.alarms.append(Alarm([self.heard.append]))
        return self.alarms[-1]

    def taken(self) -> list[str]:
        """Events since the last time, once all that was sent has arrived."""
        for alarm in self.alarms:
            alarm._thread.submit(int).result()
        taken, self.heard[:] = [f"{each.event} {each.details.get('incident', '')}".strip() for each in self.heard], []
        return taken


class Station:
    """A worker whose view of the desk, and whose database, a test sets."""

    def __init__(self, desk: Desk, claims: Claims, alarm: Alarm, quiet: QuietHours | None, limits: Thresholds) -> None:
        self.sees = known()
        self.error: Exception | None = None
        self._database = desk.database
        self.lookout = Lookout(lambda: self.sees, self, claims, alarm, limits=limits, quiet=quiet)

    async def glance(self, work: Any) -> Any:
        return await self._database.glance(work)

    async def note(self, work: Any) -> Any:
        if self.error:
            raise self.error
        return await self._database.note(work)


@pytest.fixture
def ears():
    """Of everybody who hears of alerts."""
    ears = Ears()
    yield ears
    for alarm in ears.alarms:
        alarm.close()


@pytest.fixture
def station(desk: Desk, ears: Ears, tmp_path: Path) -> Callable[..., Station]:
    """`station(host)` is one more worker on that host."""

    def make(host: str = "a", quiet: QuietHours | None = None, limits: Thresholds | None = None) -> Station:
        return Station(desk, Claims(tmp_path / f"claims-{host}"), ears.alarm(), quiet, limits or Thresholds())

    return make


async def later(desk: Desk, tmp_path: Path) -> None:
    """As if nobody had seen anything for a while."""
    for each in await desk.rows(Incident):
        await desk.set(Incident, each.id, last_seen_at=each.last_seen_at - timedelta(seconds=11))
    for file in tmp_path.glob("claims-*/*.claim"):
        os.utime(file, (file.stat().st_mtime - 11,) * 2)


async def look(*stations: Station) -> None:
    for each in stations:
        await each.lookout.look()


class TestLook:
    async def test_all_workers_together_tell_an_incident_once_and_its_end_once(
        self, desk: Desk, station, ears: Ears, tmp_path: Path
    ) -> None:
        everybody = [station("a"), station("a"), station("b")]
        for each in everybody:
            each.sees = LEAKING
        await look(*everybody, *everybody)
        assert ears.taken() == ["incident.opened leak"]
        assert [each.kind for each in everybody[1].lookout.incidents] == ["leak"]
        assert everybody[1].lookout.open_kinds == {"leak": 1}
        assert everybody[1].lookout.unsettled == []
        for each in everybody:
            each.sees = known()
        await look(*everybody)
        assert ears.taken() == []
        await later(desk, tmp_path)
        await look(*everybody, *everybody)
        assert ears.taken() == ["incident.over leak"]
        assert list(tmp_path.glob("claims-*")) == []

    async def test_without_the_database_each_host_tells_once_and_remembers_it_afterwards(
        self, desk: Desk, station, ears: Ears, tmp_path: Path
    ) -> None:
        everybody = [station("a"), station("a"), station("b")]
        for each in everybody:
            each.sees = replace(SILENT, failing_for=5.0)
        await look(*everybody)
        assert ears.taken() == [], "not at once"
        for each in everybody:
            each.sees = SILENT
        await look(*everybody, *everybody)
        assert ears.taken() == ["incident.opened database"] * 2
        for each in everybody:
            each.sees = known()
        await look(*everybody)
        assert ears.taken() == [], "not before nobody has seen it for a while"
        await later(desk, tmp_path)
        await look(*everybody, *everybody)
        assert ears.taken() == ["incident.over database"] * 2
        assert [row.kind for row in await desk.rows(Incident) if row.ended_at] == ["database"] * 2

    async def test_a_database_that_cannot_be_written_to_keeps_nobody_from_telling(
        self, desk: Desk, station, ears: Ears, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        one, other = station("a"), station("a")
        for each in (one, other):
            each.sees, each.error = WAITING, OSError("locked")
        await look(one, other, one)
        assert ears.taken() == ["incident.opened waiting"]
        assert [each.kind for each in one.lookout.unsettled] == ["waiting"]
        assert one.lookout.open_kinds == {"waiting": 1}
        assert [record.levelname for record in caplog.records if "each host" in record.message] == ["WARNING"] * 2
        one.error = other.error = None
        await look(one, other)
        assert ears.taken() == [], "the database has it now, and everybody knew"
        assert [row.kind for row in await desk.rows(Incident)] == ["waiting"]
        one.error, one.sees = OSError("locked"), LEAKING
        await later(desk, tmp_path)
        await look(one)
        one.sees = WAITING
        await look(one)
        assert ears.taken() == ["incident.opened leak"], "what the database has is told by nobody again"

    async def test_an_end_that_cannot_be_written_down_is_told_all_the_same(
        self, desk: Desk, station, ears: Ears, tmp_path: Path
    ) -> None:
        one = station()
        one.sees = SILENT
        await look(one)
        await later(desk, tmp_path)
        one.sees, one.error = known(), OSError()
        await look(one)
        assert ears.taken() == ["incident.opened database", "incident.over database"]
        assert await desk.rows(Incident) == []

    async def test_in_quiet_hours_the_log_hears_all_and_people_what_is_critical(
        self, desk: Desk, station, ears: Ears, caplog: pytest.LogCaptureFixture
    ) -> None:
        asleep = QuietHours.read("00:00-23:59")
        one = station(quiet=asleep)
        one.sees, one.error = LEAKING, OSError()
        await look(one)
        assert ears.taken() == [], "and no claim is staked for it, so that it can be told in the morning"
        one.error = None
        await look(one)
        assert ears.taken() == []
        assert [record.event for record in caplog.records if hasattr(record, "event")] == ["incident.opened"]
        one.sees = WAITING
        await look(one)
        assert ears.taken() == ["incident.opened waiting"]
        await look(station())
        assert ears.taken() == ["incident.digest"]

    async def test_a_kind_of_error_is_an_incident_until_fewer_than_ten_are_left(
        self, desk: Desk, station, ears: Ears
    ) -> None:
        one = station()
        for _ in range(9):
            await store_one(desk)
        await look(one)
        assert ears.taken() == []
        await store_one(desk)
        await look(one, one)
        assert ears.taken() == [f"incident.opened errors:{'f' * 64}"]
        past = clock.now() - timedelta(minutes=6)
        await desk.run(_all_happened_at, past)
        await later(desk, Path("/nowhere"))
        await look(one)
        assert ears.taken() == [f"incident.over errors:{'f' * 64}"]

    async def test_how_many_of_a_kind_alarm_is_the_choice_of_the_desk(self, desk: Desk, station, ears: Ears) -> None:
        one = station(limits=Thresholds(errors=11))
        for _ in range(10):
            await store_one(desk)
        await look(one)
        assert ears.taken() == []
        await store_one(desk)
        await look(one)
        assert ears.taken() == [f"incident.opened errors:{'f' * 64}"]

    async def test_a_disk_that_fails_is_only_logged(
        self, station, ears: Ears, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*given: Any) -> None:
            raise OSError

        monkeypatch.setattr(Claims, "all", full)
        one = station()
        await look(one)
        assert [record.message for record in caplog.records] == ["incidents cannot be told while the disk fails"]

    async def test_of_two_who_see_the_end_one_tells_it(self, station, ears: Ears, monkeypatch) -> None:
        one = station()
        one.sees = SILENT
        await look(one)
        ears.taken()
        one.sees = known()
        monkeypatch.setattr(module, "OVER_AFTER", timedelta(0))
        monkeypatch.setattr(Claims, "take_back", lambda self, kind: False)
        await look(one)
        assert ears.taken() == []

    async def test_a_hook_that_fails_first_hears_of_the_incident_by_a_later_look_and_then_no_more(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        with listening(at_first=(503, 503)) as (url, taken):
            alarm = Alarm([WebHook(url)], first_wait=0)
            one = Station(desk, Claims(tmp_path / "claims"), alarm, None, Thresholds())
            one.sees = LEAKING
            for _ in range(5):
                await look(one)
                await asyncio.to_thread(alarm._thread.submit(int).result)
            await asyncio.to_thread(alarm.close)
        assert [(each["incident"], each["event"]) for each in taken] == [("leak", "incident.opened")] * 3
        assert len({each["key"] for each in taken}) == 1


class TestStart:
    async def test_it_looks_by_itself_until_it_leaves(self, station, monkeypatch: pytest.MonkeyPatch) -> None:
        one = station()
        looked = asyncio.Event()
        monkeypatch.setattr(module, "LOOKS_EVERY", 0.01)
        monkeypatch.setattr(one.lookout, "look", lambda: asyncio.sleep(0, looked.set()))
        await one.lookout.leave()  # never started: nothing to stop
        one.lookout.start()
        await asyncio.wait_for(looked.wait(), 30)
        await one.lookout.leave()
        assert one.lookout._loop is not None
        assert one.lookout._loop.cancelled()


async def _all_happened_at(session, moment) -> None:
    await session.execute(update(ErrorReport).values(occurred_at=moment))
