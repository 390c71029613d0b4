"""What people are told, and what they have read."""

import pytest

from admin_app.errors import NotFound, PermissionDenied
from admin_app.models import Notification, NotificationType, TicketWatcher, WatchLevel
from admin_app.services.records import notifications


async def tell(session, actor, receivers, ticket, message: str = "Look at this") -> None:
    notifications.notify(session, actor, receivers, NotificationType.COMMENTED, message, ticket)


class TestNotify:
    async def test_tells_everybody_once_but_nobody_of_what_they_did_themselves(self, desk) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        async with desk.recorded() as written:
            await desk.run(tell, cast.sam, [cast.sid.id, cast.sam.id, None, cast.sue.id, cast.sid.id], ticket)
        assert written.told == {"sid": "Look at this", "sue": "Look at this"}

    async def test_says_who_did_what_on_which_ticket_and_is_unread(self, desk) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        await desk.run(tell, cast.sam, [cast.sid.id], ticket)
        [told] = await desk.rows(Notification)
        assert (told.type, told.ticket_id, told.actor_id) == (NotificationType.COMMENTED, ticket.id, cast.sam.id)
        assert told.read_at is None

    async def test_a_long_message_is_cut_to_fit(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(tell, desk.cast.sam, [desk.cast.sid.id], ticket, "ä" * 2000)
        [told] = await desk.rows(Notification)
        assert told.message == "ä" * 500


class TestWatchersOf:
    async def test_finds_those_who_asked_for_one_of_the_levels(self, desk) -> None:
        ticket, other, cast = await desk.ticket(), await desk.ticket(), desk.cast
        await desk.store(
            TicketWatcher(ticket_id=ticket.id, user_id=cast.sam.id, level=WatchLevel.ALL),
            TicketWatcher(ticket_id=ticket.id, user_id=cast.sid.id, level=WatchLevel.REPLIES),
            TicketWatcher(ticket_id=ticket.id, user_id=cast.sue.id, level=WatchLevel.MENTIONS),
            TicketWatcher(ticket_id=other.id, user_id=cast.ada.id, level=WatchLevel.ALL),
        )
        found = await desk.read(notifications.watchers_of, ticket, WatchLevel.ALL, WatchLevel.REPLIES)
        assert sorted(found) == [cast.sam.id, cast.sid.id]


@pytest.fixture
async def told(desk) -> list[Notification]:
    """Two unread for Sid, one for Sue."""
    ticket, cast = await desk.ticket(), desk.cast
    for receiver in (cast.sid, cast.sid, cast.sue):
        await desk.run(tell, cast.sam, [receiver.id], ticket)
    return list(await desk.rows(Notification))


class TestMarkRead:
    async def test_marks_one_of_the_actors_own(self, desk, told, stopped_clock) -> None:
        await desk.run(notifications.mark_read, desk.cast.sid, told[0].id)
        assert [row.read_at for row in await desk.rows(Notification)] == [stopped_clock.time, None, None]

    async def test_a_second_time_keeps_the_first_time(self, desk, told, stopped_clock) -> None:
        first = stopped_clock.time
        await desk.run(notifications.mark_read, desk.cast.sid, told[0].id)
        stopped_clock.forward(hours=1)
        async with desk.nothing_written():
            await desk.run(notifications.mark_read, desk.cast.sid, told[0].id)
        assert (await desk.stored(Notification, told[0].id)).read_at == first

    async def test_those_of_others_are_not_found(self, desk, told) -> None:
        await desk.refusal(NotFound, notifications.mark_read, desk.cast.ada, told[0].id)

    @pytest.mark.parametrize("number", [0, -1, 999_999, 2**31, 2**70])
    async def test_a_number_that_nobody_has_is_not_found(self, desk, told, number: int) -> None:
        await desk.refusal(NotFound, notifications.mark_read, desk.cast.sid, number)

    async def test_a_customer_is_refused(self, desk, told) -> None:
        await desk.refusal(PermissionDenied, notifications.mark_read, desk.cast.mallory, told[0].id)


class TestMarkAllRead:
    async def test_marks_the_actors_own_and_says_how_many_were_unread(self, desk, told, stopped_clock) -> None:
        await desk.run(notifications.mark_read, desk.cast.sid, told[0].id)
        assert await desk.run(notifications.mark_all_read, desk.cast.sid) == 1
        assert [row.read_at is None for row in await desk.rows(Notification)] == [False, False, True]

    async def test_keeps_the_time_at_which_others_were_read(self, desk, told, stopped_clock) -> None:
        first = stopped_clock.time
        await desk.run(notifications.mark_read, desk.cast.sid, told[0].id)
        stopped_clock.forward(hours=1)
        await desk.run(notifications.mark_all_read, desk.cast.sid)
        assert (await desk.stored(Notification, told[0].id)).read_at == first

    async def test_with_nothing_unread_it_says_none(self, desk) -> None:
        assert await desk.run(notifications.mark_all_read, desk.cast.sid) == 0

    async def test_a_customer_is_refused(self, desk, told) -> None:
        await desk.refusal(PermissionDenied, notifications.mark_all_read, desk.cast.kim)
