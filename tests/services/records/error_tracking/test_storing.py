"""Grouping, counting, and exactly one alert at the tenth."""

import asyncio
from datetime import timedelta

from admin_app.models import ErrorGroup, ErrorReport
from admin_app.services.records.error_tracking import storing
from admin_app.services.records.error_tracking.storing import ALERT_AT, WINDOW, Alert, Counted
from tests.services.records.error_tracking.seeing import seen
from tests.services.scenes import Desk


async def store(desk: Desk, *counted: Counted, **chosen: int) -> Alert | None:
    """In a transaction of its own."""
    alert: Alert | None = await desk.run(storing.store, counted, **chosen)
    return alert


async def store_one(desk: Desk, **fields) -> Alert | None:
    return await store(desk, Counted(seen(**fields)))


class TestStore:
    async def test_makes_a_report_and_a_group(self, desk, stopped_clock) -> None:
        sighting = seen(actor_id=desk.cast.sam.id)
        await store(desk, Counted(sighting))
        [report], [group] = await desk.rows(ErrorReport), await desk.rows(ErrorGroup)
        assert (report.reference, report.kind, report.message) == (sighting.reference, "KeyError", "…")
        assert (report.path, report.actor_id, report.occurrences) == ("/admin/ticket/list", desk.cast.sam.id, 1)
        assert report.occurred_at == group.first_seen_at == group.last_seen_at == stopped_clock.time
        assert (group.kind, group.total, group.alerted_at) == ("KeyError", 1, None)
        assert group.latest_references == [sighting.reference]

    async def test_a_group_keeps_its_first_time_and_the_last_three_references(self, desk, stopped_clock) -> None:
        began = stopped_clock.time
        sightings = [seen(at=stopped_clock.forward(minutes=1), message=str(number)) for number in range(5)]
        for sighting in sightings:
            await store(desk, Counted(sighting))
        [group] = await desk.rows(ErrorGroup)
        assert (group.total, group.message) == (5, "4")
        assert group.first_seen_at == began + timedelta(minutes=1)
        assert group.last_seen_at == stopped_clock.time
        assert group.latest_references == [sighting.reference for sighting in sightings[:1:-1]]

    async def test_a_report_that_comes_late_does_not_turn_time_back(self, desk, stopped_clock) -> None:
        await store_one(desk)
        await store_one(desk, at=stopped_clock.time - timedelta(minutes=1))
        [group] = await desk.rows(ErrorGroup)
        assert group.last_seen_at == stopped_clock.time

    async def test_one_report_may_stand_for_many(self, desk) -> None:
        await store(desk, Counted(seen()), Counted(seen(), 7))
        assert [report.occurrences for report in await desk.rows(ErrorReport)] == [1, 7]
        assert [group.total for group in await desk.rows(ErrorGroup)] == [8]

    async def test_each_kind_has_its_own_group(self, desk) -> None:
        for fingerprint in ("a" * 64, "b" * 64, "a" * 64):
            await store_one(desk, fingerprint=fingerprint)
        groups = {group.fingerprint: group.total for group in await desk.rows(ErrorGroup)}
        assert groups == {"a" * 64: 2, "b" * 64: 1}


class TestAlert:
    async def test_comes_once_and_at_the_tenth(self, desk, stopped_clock) -> None:
        assert [number for number in range(1, 26) if await store_one(desk)] == [10]

    async def test_comes_at_the_number_that_is_chosen_and_never_at_none(self, desk, stopped_clock) -> None:
        came = [bool(await store(desk, Counted(seen()), alert_at=3)) for _ in range(4)]
        assert came == [False, False, True, False]
        [found] = await desk.run(storing.alarming, alert_at=4)
        assert storing.sentence(found) == f"4 errors of one kind in 5 minutes: KeyError (reference {found.reference})"
        assert [await desk.run(storing.alarming, alert_at=number) for number in (0, 5)] == [[], []]
        assert await store(desk, Counted(seen(fingerprint="a" * 64), 500), alert_at=0) is None

    async def test_says_what_to_look_at(self, desk, stopped_clock) -> None:
        sightings = [seen() for _ in range(ALERT_AT)]
        alerts = [await store(desk, Counted(sighting)) for sighting in sightings]
        assert alerts[-1] == Alert(
            kind="KeyError",
            message="…",
            fingerprint="f" * 64,
            count=10,
            reference=sightings[-1].reference,
            path="/admin/ticket/list",
            occurred_at=stopped_clock.time,
        )
        [group] = await desk.rows(ErrorGroup)
        assert group.alerted_at == stopped_clock.time

    async def test_ten_in_more_than_five_minutes_are_none(self, desk, stopped_clock) -> None:
        alerts = []
        for _ in range(20):
            stopped_clock.forward(seconds=WINDOW.total_seconds() / 9 + 0.1)
            alerts.append(await store_one(desk))
        assert alerts == [None] * 20

    async def test_the_window_slides_so_that_no_ten_fall_between_two(self, desk, stopped_clock) -> None:
        await store_one(desk)
        stopped_clock.forward(minutes=4, seconds=59)
        for _ in range(5):
            assert await store_one(desk) is None
        stopped_clock.forward(seconds=2)
        alerts = [await store_one(desk) for _ in range(5)]
        assert [alert is not None for alert in alerts] == [False] * 4 + [True]

    async def test_while_it_goes_on_there_is_one_per_window(self, desk, stopped_clock) -> None:
        came = []
        for second in range(0, 901, 15):
            if await store(desk, Counted(seen(), 3)):
                came.append(second)
            stopped_clock.forward(seconds=15)
        assert came == [45, 345, 645]

    async def test_kinds_are_not_added_up(self, desk) -> None:
        alerts = [await store_one(desk, fingerprint=f"{number % 2}" * 64) for number in range(18)]
        assert alerts == [None] * 18

    async def test_what_was_only_counted_counts(self, desk) -> None:
        alert = await store(desk, Counted(seen(), 500))
        assert alert is not None
        assert alert.count == 500

    async def test_of_many_at_the_same_moment_one_brings_it(self, desk) -> None:
        alerts = await asyncio.gather(*(store_one(desk) for _ in range(30)))
        assert len([alert for alert in alerts if alert is not None]) == 1
        [group] = await desk.rows(ErrorGroup)
        assert group.total == 30
