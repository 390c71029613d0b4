"""Of all workers one opens an incident, and one ends it."""

import asyncio
from datetime import datetime, timedelta

import pytest

from admin_app import clock
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.models import Incident
from admin_app.services.records import incidents
from admin_app.services.records.incidents import News, Standing, Trouble, Turn
from tests.services.scenes import Desk

LEAK = Trouble("leak", "A connection may never come back.", "Restart it.", details={"pid": 7})
SILENT = Trouble("waiting", "Somebody waits.", "Look who holds one.", is_critical=True)


async def settle(desk: Desk, *found: Trouble, is_quiet: bool = False, told: tuple[str, ...] = ()) -> list[News]:
    """As one worker does it."""
    news: list[News] = await desk.database.note(
        lambda session: incidents.settle(session, found, is_quiet=is_quiet, told=told)
    )
    return news


async def long_unseen(desk: Desk, seconds: float = 11) -> None:
    """As if nobody had seen any of it for so long."""
    for each in await desk.rows(Incident):
        earlier = each.last_seen_at - timedelta(seconds=seconds)
        await desk.set(Incident, each.id, last_seen_at=earlier, opened_at=each.opened_at - timedelta(minutes=5))


@pytest.fixture
async def crowd(desk: Desk, database_url: str):
    """`crowd(*found)`: five workers, each with connections of its own, settle it at the same moment; what they tell."""
    workers = [Desk(Database(create_engines(database_url)), desk.cast) for _ in range(5)]

    async def at_once(*found: Trouble) -> list[News]:
        told = await asyncio.gather(*(settle(one, *found) for one in workers))
        return [each for news in told for each in news]

    yield at_once
    for one in workers:
        await one.database.dispose()


def turns(news: list[News]) -> list[tuple[Turn, str]]:
    return [(each.turn, each.incident.kind) for each in news]


class TestSettle:
    async def test_of_five_workers_one_tells_the_beginning_and_one_the_end(self, desk: Desk, crowd) -> None:
        assert turns(await crowd(LEAK, SILENT)) == [(Turn.OPENED, "leak"), (Turn.OPENED, "waiting")]
        assert await settle(desk) == [], "it is over only when nobody has seen it for a while"
        await long_unseen(desk)
        told = await crowd()
        assert turns(told) == [(Turn.OVER, "leak"), (Turn.OVER, "waiting")]
        assert all(each.incident.ended_at == each.incident.last_seen_at for each in told)
        assert turns(await settle(desk, LEAK)) == [(Turn.OPENED, "leak")], "the next one is another incident"
        assert len(await desk.rows(Incident)) == 3

    async def test_what_is_still_seen_goes_on_with_its_newest_words(self, desk: Desk) -> None:
        await settle(desk, LEAK)
        await long_unseen(desk)
        again = Trouble("leak", "Two of them.", "Restart it.")
        assert await settle(desk, again) == []
        [row] = await desk.rows(Incident)
        assert (row.text, row.ended_at, row.details) == ("Two of them.", None, {"pid": 7})
        assert await settle(desk) == []

    async def test_what_was_told_without_the_database_is_not_told_again(self, desk: Desk) -> None:
        assert await settle(desk, LEAK, told=("leak",)) == []
        await long_unseen(desk)
        assert turns(await settle(desk)) == [(Turn.OVER, "leak")]

    async def test_in_quiet_hours_only_what_is_critical_is_told_and_afterwards_the_rest_once(
        self, desk: Desk, crowd
    ) -> None:
        news = await settle(desk, LEAK, SILENT, is_quiet=True)
        assert [(each.incident.kind, each.incident.is_untold) for each in news] == [("leak", True), ("waiting", False)]
        await long_unseen(desk)
        news = await settle(desk, is_quiet=True)
        assert [(each.incident.kind, each.incident.is_untold) for each in news] == [("leak", True), ("waiting", False)]
        assert turns(await crowd()) == [(Turn.LATER, "leak")]
        assert await settle(desk) == []

    async def test_one_that_ends_just_after_the_quiet_hours_is_told_once(self, desk: Desk) -> None:
        await settle(desk, LEAK, is_quiet=True)
        await long_unseen(desk)
        assert turns(await settle(desk)) == [(Turn.LATER, "leak")]

    async def test_those_of_last_season_go_when_another_begins(self, desk: Desk) -> None:
        long_ago = clock.now() - timedelta(days=91)

        async def write(name: str, at: datetime, **fields: object) -> None:
            trouble = Trouble(name, "t", "a")
            await desk.database.note(lambda session: incidents.remember(session, trouble, at, at))
            await desk.set(Incident, (await desk.rows(Incident))[-1].id, **fields)

        await write("old", long_ago)
        await write("over", long_ago + timedelta(days=2))
        await write("open", long_ago, ended_at=None)
        await write("untold", long_ago, is_untold=True)
        await settle(desk, Trouble("open", "t", "a"), is_quiet=True)
        rows = await desk.rows(Incident)
        assert [row.kind for row in rows] == ["old", "over", "open", "untold"], "not as long as nothing new begins"
        await desk.set(Incident, rows[2].id, last_seen_at=long_ago)
        await settle(desk, LEAK, is_quiet=True)
        assert [row.kind for row in await desk.rows(Incident)] == ["over", "open", "untold", "leak"]

    async def test_words_without_end_are_cut(self, desk: Desk) -> None:
        await settle(desk, Trouble("k" * 999, "t" * 999, "a" * 999))
        [row] = await desk.rows(Incident)
        assert (len(row.kind), len(row.text), len(row.advice)) == (100, 500, 500)


class TestStanding:
    async def test_holds_what_is_open_and_what_is_over_since_yesterday(self, desk: Desk) -> None:
        now = clock.now()
        for name, hours in (("old", 30), ("over", 3)):
            trouble = Trouble(name, "t", "a")
            at = now - timedelta(hours=hours)
            await desk.database.note(lambda session, of=trouble, at=at: incidents.remember(session, of, at, at))
        await settle(desk, LEAK)
        known = await desk.database.glance(incidents.standing)
        assert [each.kind for each in known.incidents] == ["leak", "over"]
        assert list(known.open) == ["leak"]
        assert abs(known.now - now) < timedelta(minutes=5)


class TestMustSettle:
    def test_mostly_there_is_nothing_to_write(self) -> None:
        now = clock.now()

        def known(seconds: float, *, is_untold: bool = False) -> Standing:
            seen = now - timedelta(seconds=seconds)
            return Standing(now, [Incident(kind="leak", last_seen_at=seen, ended_at=None, is_untold=is_untold)])

        must = incidents.must_settle
        assert not must(Standing(now), [], is_quiet=False)
        assert must(Standing(now), [LEAK], is_quiet=False), "a new one"
        assert not must(known(3), [LEAK], is_quiet=False)
        assert must(known(5), [LEAK], is_quiet=False), "it is still there"
        assert not must(known(5), [], is_quiet=False)
        assert must(known(11), [], is_quiet=False), "it is over"
        assert must(known(1, is_untold=True), [LEAK], is_quiet=False), "the quiet hours are over"
        assert not must(known(1, is_untold=True), [LEAK], is_quiet=True)
