"""What people say on a ticket."""

import pytest

from admin_app.errors import Gone, InvalidInput, NotFound, PermissionDenied, StaleEdit
from admin_app.models import AuditAction, Comment, NotificationType, Ticket, TicketWatcher, WatchLevel
from admin_app.permissions import Role
from admin_app.services.operations import comments, tickets

SAID = {"body": "On my way.", "is_internal": False}


class TestAdd:
    async def test_stores_what_was_said_by_whom(self, desk) -> None:
        ticket = await desk.ticket()
        said = {"body": " One.\r\nTwo. ", "is_internal": True}
        comment = await desk.run(comments.add, desk.cast.sid, ticket.id, **said)
        stored = await desk.stored(Comment, comment.id)
        assert (stored.body, stored.is_internal, stored.version) == ("One.\nTwo.", True, 1)
        assert (stored.ticket_id, stored.author_id) == (ticket.id, desk.cast.sid.id)

    async def test_writes_one_entry_on_the_ticket_and_leaves_its_version(self, desk) -> None:
        ticket = await desk.ticket()
        async with desk.recorded() as written:
            await desk.run(comments.add, desk.cast.sam, ticket.id, **SAID)
        entry = written.entry
        assert (entry.action, entry.table_name, entry.record_id) == (AuditAction.COMMENT, "tickets", ticket.id)
        assert entry.changes == {"body": [None, "On my way."], "is_internal": [None, False]}
        assert entry.version == (await desk.stored(Ticket, ticket.id)).version == 1

    async def test_the_first_public_comment_is_the_first_response(self, desk, stopped_clock) -> None:
        ticket = await desk.ticket()
        await desk.run(comments.add, desk.cast.sam, ticket.id, body="Careful with Kim.", is_internal=True)
        assert (await desk.stored(Ticket, ticket.id)).first_response_at is None
        first = stopped_clock.forward(minutes=5)
        await desk.run(comments.add, desk.cast.sam, ticket.id, **SAID)
        stopped_clock.forward(minutes=5)
        await desk.run(comments.add, desk.cast.sam, ticket.id, **SAID)
        assert (await desk.stored(Ticket, ticket.id)).first_response_at == first

    async def test_tells_the_owner_and_those_who_watch_all_or_replies(self, desk) -> None:
        ticket, cast = await desk.ticket(owner="sid@desk.example"), desk.cast
        await desk.store(
            TicketWatcher(ticket_id=ticket.id, user_id=cast.sam.id, level=WatchLevel.ALL),
            TicketWatcher(ticket_id=ticket.id, user_id=cast.sid.id, level=WatchLevel.ALL),
            TicketWatcher(ticket_id=ticket.id, user_id=cast.sue.id, level=WatchLevel.REPLIES),
            TicketWatcher(ticket_id=ticket.id, user_id=cast.ada.id, level=WatchLevel.MENTIONS),
        )
        async with desk.recorded() as written:
            await desk.run(comments.add, cast.sam, ticket.id, body="x" * 200, is_internal=False)
        message = f"Sam Staff commented on {ticket.ticket_number}: {'x' * 120}"
        assert written.told == {"sid": message, "sue": message}
        assert {told.type for told in written.notifications} == {NotificationType.COMMENTED}

    @pytest.mark.parametrize(
        ("body", "is_told"),
        [
            ("Ask @ada.", True),
            ("(@ADA!) please", True),
            ("@ada", True),
            ("@ada@desk.example", True),
            ("@kim and @olaf and @mallory and @ % _", False),
            ("Ask ada.", False),
            ("@adam knows", False),
            ("me@ada.example", False),
        ],
    )
    async def test_people_of_the_desk_are_told_when_named(self, desk, body: str, is_told: bool) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        await desk.store(TicketWatcher(ticket_id=ticket.id, user_id=cast.sue.id, level=WatchLevel.MENTIONS))
        async with desk.recorded() as written:
            await desk.run(comments.add, cast.sam, ticket.id, body=body, is_internal=False)
        assert set(written.told) == ({"ada"} if is_told else set())

    @pytest.mark.parametrize("body", ["", " \r\n ", "x" * 100_001, "\x00"])
    async def test_says_at_the_field_what_is_wrong(self, desk, body: str) -> None:
        ticket = await desk.ticket()
        error = await desk.refusal(InvalidInput, comments.add, desk.cast.sam, ticket.id, body=body, is_internal=False)
        assert set(error.fields) == {"body"}

    async def test_a_deleted_ticket_takes_no_comments(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        await desk.refusal(Gone, comments.add, desk.cast.sam, ticket.id, **SAID)


class TestEdit:
    async def test_changes_the_text_and_writes_one_entry(self, desk) -> None:
        comment = await desk.comment(await desk.ticket())
        async with desk.recorded() as written:
            await desk.run(comments.edit, desk.cast.sid, comment.id, body=" On my\r\nbike. ", version=1)
        entry = written.entry
        assert (entry.action, entry.table_name, entry.record_id) == (AuditAction.EDIT, "comments", comment.id)
        assert (entry.version, entry.changes) == (2, {"body": ["On my way.", "On my\nbike."]})
        assert (await desk.stored(Comment, comment.id)).body == "On my\nbike."
        assert written.told == {}

    async def test_saving_the_same_text_writes_nothing(self, desk) -> None:
        comment = await desk.comment(await desk.ticket())
        async with desk.nothing_written():
            await desk.run(comments.edit, desk.cast.sam, comment.id, body="On my way.\r\n", version=1)

    @pytest.mark.parametrize("version", [0, 2, 999])
    async def test_another_version_is_stale(self, desk, version: int) -> None:
        comment = await desk.comment(await desk.ticket())
        await desk.refusal(StaleEdit, comments.edit, desk.cast.sam, comment.id, body="Mine", version=version)

    @pytest.mark.parametrize("body", ["", "x" * 100_001, "\x00"])
    async def test_says_at_the_field_what_is_wrong(self, desk, body: str) -> None:
        comment = await desk.comment(await desk.ticket())
        error = await desk.refusal(InvalidInput, comments.edit, desk.cast.sam, comment.id, body=body, version=1)
        assert set(error.fields) == {"body"}

    async def test_a_comment_that_went_with_its_ticket_is_gone(self, desk) -> None:
        ticket = await desk.ticket()
        comment = await desk.comment(ticket)
        await desk.run(tickets.delete, desk.cast.sam, ticket.id, reason="a double", version=1)
        error = await desk.refusal(Gone, comments.edit, desk.cast.sue, comment.id, body="Mine", version=2)
        assert (str(error), error.ticket_id) == (f"{ticket.ticket_number} was deleted.", ticket.id)


class TestFind:
    async def test_finds_a_comment_with_its_ticket_and_author(self, desk) -> None:
        ticket = await desk.ticket()
        comment = await desk.comment(ticket)
        found = await desk.read(comments.find, desk.cast.sid, comment.id)
        assert (found.ticket.ticket_number, found.author.full_name) == (ticket.ticket_number, "Sam Staff")

    async def test_a_live_comment_on_a_deleted_ticket_is_gone_and_only_seniors_hear_where_to(self, desk) -> None:
        ticket = await desk.ticket()
        comment = await desk.comment(ticket)
        await desk.set(Ticket, ticket.id, deleted_at=comment.created_at)
        assert (await desk.refusal(Gone, comments.find, desk.cast.ada, comment.id)).ticket_id == ticket.id
        assert (await desk.refusal(Gone, comments.find, desk.cast.sam, comment.id)).ticket_id is None

    async def test_a_deleted_comment_on_a_live_ticket_is_gone(self, desk) -> None:
        comment = await desk.comment(await desk.ticket())
        await desk.set(Comment, comment.id, deleted_at=comment.created_at)
        error = await desk.refusal(Gone, comments.find, desk.cast.ada, comment.id)
        assert str(error) == "This comment was deleted."

    @pytest.mark.parametrize("number", [0, -1, 999_999, 2**31, 2**70])
    async def test_a_number_that_nobody_has_is_not_found(self, desk, number: int) -> None:
        await desk.refusal(NotFound, comments.find, desk.cast.ada, number)

    @pytest.mark.parametrize("role", [Role.CUSTOMER, Role.OPS])
    async def test_is_not_found_by_those_who_may_not_see_tickets(self, desk, role: Role) -> None:
        comment = await desk.comment(await desk.ticket())
        await desk.refusal(NotFound, comments.find, desk.as_role(role), comment.id)

    async def test_saying_something_needs_the_right_even_before_the_ticket_is_looked_for(self, desk) -> None:
        await desk.refusal(PermissionDenied, comments.add, desk.cast.mallory, 999_999, **SAID)
