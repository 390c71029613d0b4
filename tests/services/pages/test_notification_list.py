"""What a person has been told."""

import pytest

from admin_app import clock
from admin_app.models import Notification, NotificationType, Ticket
from admin_app.services.operations import tickets
from admin_app.services.pages import notification_list
from admin_app.services.records import listing


async def page(desk, name: str, **options):
    chosen = {"unread_only": False, "everyone": False, "request": listing.PageRequest(), **options}
    return await desk.read(notification_list.page, getattr(desk.cast, name), **chosen)


@pytest.fixture
async def ticket(desk) -> Ticket:
    """A ticket of which Sid was told twice, once read, and Sue once."""
    ticket, cast = await desk.ticket(), desk.cast
    now = clock.now()
    for receiver, message, read_at in ((cast.sid, "one", now), (cast.sue, "two", None), (cast.sid, "three", None)):
        await desk.store(
            Notification(
                user_id=receiver.id,
                type=NotificationType.COMMENTED,
                message=message,
                ticket_id=ticket.id,
                actor_id=cast.sam.id,
                read_at=read_at,
            )
        )
    return ticket


class TestPage:
    async def test_shows_ones_own_the_newest_first(self, desk, ticket) -> None:
        found = await page(desk, "sid")
        assert ([told.message for told in found.rows], found.count) == (["three", "one"], 2)
        newest = found.rows[0]
        assert (newest.actor.full_name, newest.user.full_name) == ("Sam Staff", "Sid Staff")
        assert newest.ticket.ticket_number == ticket.ticket_number

    async def test_can_be_narrowed_to_what_is_unread(self, desk, ticket) -> None:
        found = await page(desk, "sid", unread_only=True)
        assert ([told.message for told in found.rows], found.count) == (["three"], 1)

    async def test_a_supervisor_may_see_those_of_everybody(self, desk, ticket) -> None:
        found = await page(desk, "sue", everyone=True)
        assert [told.message for told in found.rows] == ["three", "two", "one"]

    async def test_the_link_to_a_deleted_ticket_is_gone_and_the_text_stays(self, desk, ticket) -> None:
        await desk.run(tickets.delete, desk.cast.sid, ticket.id, reason="a double", version=1)
        found = await page(desk, "sid")
        assert [(told.message, told.ticket) for told in found.rows] == [("three", None), ("one", None)]

    async def test_sends_two_statements(self, desk, ticket, statement_counter) -> None:
        with statement_counter() as counted:
            await page(desk, "sue", everyone=True)
        assert counted.total == 2
