"""What people do with a ticket: open it, edit it, move it along, hand it over."""

import asyncio
from datetime import UTC, datetime

import pytest

from admin_app.errors import Conflict, Gone, InvalidInput, InvalidTransition, NotFound, PermissionDenied, StaleEdit
from admin_app.models import (
    AuditAction,
    Channel,
    NotificationType,
    Priority,
    Status,
    Ticket,
    TicketWatcher,
    User,
    WatchLevel,
)
from admin_app.services.operations import tickets

DUE = datetime(2031, 5, 1, 9, 0, tzinfo=UTC)
HANDED = {"new_owner": "sid@desk.example", "reason": "on holiday", "note": ""}


def new_ticket(**fields) -> tickets.NewTicket:
    return tickets.NewTicket(**{"creator": "kim@desk.example", "title": "Printer on fire", **fields})


class TestOpenTicket:
    async def test_stores_what_was_filled_in(self, desk) -> None:
        parent = await desk.ticket()
        opened = await desk.run(
            tickets.open_ticket,
            desk.cast.sam,
            new_ticket(
                title="  Smoke ",
                description=" Much.\r\nVery much. ",
                priority=Priority.CRITICAL,
                channel=Channel.PHONE,
                category=" Hardware ",
                owner="Sid@desk.example",
                due_at=DUE,
                parent=f" #{parent.ticket_number.lower().removeprefix('t-').lstrip('0')} ",
            ),
        )
        stored = await desk.stored(Ticket, opened.id)
        assert (stored.title, stored.description, stored.category) == ("Smoke", "Much.\nVery much.", "Hardware")
        assert (stored.priority, stored.channel, stored.due_at) == (Priority.CRITICAL, Channel.PHONE, DUE)
        assert (stored.creator_id, stored.owner_id) == (desk.cast.kim.id, desk.cast.sid.id)
        assert (stored.parent_id, stored.status, stored.version) == (parent.id, Status.NEW, 1)

    async def test_numbers_come_one_after_the_other(self, desk) -> None:
        numbers = [(await desk.ticket()).ticket_number for _ in range(3)]
        assert numbers == ["T-000001", "T-000002", "T-000003"]

    async def test_a_number_is_never_used_again(self, desk) -> None:
        first = await desk.deleted_ticket()
        await desk.run(
            tickets.purge_for_good, desk.cast.ada, first.id, typed_number=first.ticket_number, store=NoFiles()
        )
        assert (await desk.ticket()).ticket_number == "T-000002"

    async def test_many_at_once_get_a_number_each(self, desk) -> None:
        opened = await asyncio.gather(*(desk.ticket() for _ in range(8)))
        assert len({ticket.ticket_number for ticket in opened}) == 8

    async def test_writes_one_entry_and_tells_the_owner(self, desk) -> None:
        async with desk.recorded() as written:
            ticket = await desk.ticket(owner="sid@desk.example")
        entry = written.entry
        assert (entry.action, entry.version, entry.reason) == (AuditAction.CREATE, 1, None)
        assert entry.changes["title"] == [None, "Printer on fire"]
        assert entry.changes["owner_id"] == [None, desk.cast.sid.id]
        assert entry.changes["priority"] == [None, 2]
        number = ticket.ticket_number
        assert written.told == {"sid": f"Sam Staff opened {number} for you: Printer on fire"}

    async def test_nobody_is_told_of_a_ticket_without_owner_or_of_their_own(self, desk) -> None:
        async with desk.recorded() as written:
            await desk.ticket()
            await desk.ticket(owner="sam@desk.example")
        assert written.told == {}

    @pytest.mark.parametrize(
        ("fields", "field", "sentence"),
        [
            ({"title": "  "}, "title", "This is required."),
            ({"title": "x" * 201}, "title", "At most 200 characters; these are 201."),
            ({"category": "x" * 101}, "category", "At most 100 characters; these are 101."),
            ({"description": "\x00"}, "description", "This contains a character that cannot be stored."),
            ({"creator": ""}, "creator", "Enter an e-mail address."),
            ({"creator": "who@desk.example"}, "creator", "Nobody here has the address who@desk.example."),
            ({"owner": "who@desk.example"}, "owner", "Nobody here has the address who@desk.example."),
            ({"owner": "kim@desk.example"}, "owner", "Kim Customer is a customer and cannot own tickets."),
            ({"parent": "t-999999"}, "parent", "There is no ticket T-999999."),
            ({"parent": "T-\x00"}, "parent", "There is no ticket T-."),
        ],
    )
    async def test_says_at_the_field_what_is_wrong(self, desk, fields, field: str, sentence: str) -> None:
        error = await desk.refusal(InvalidInput, tickets.open_ticket, desk.cast.sam, new_ticket(**fields))
        assert error.fields == {field: sentence}

    async def test_says_all_that_is_wrong_at_once(self, desk) -> None:
        fields = {"title": "", "creator": "Zoe", "owner": "zoe@desk.example", "parent": "999999"}
        error = await desk.refusal(InvalidInput, tickets.open_ticket, desk.cast.sam, new_ticket(**fields))
        assert error.fields.keys() == fields.keys()

    @pytest.mark.parametrize(("name", "field"), [("kim", "creator"), ("sid", "owner")])
    async def test_nobody_deactivated_opens_or_owns_it(self, desk, name: str, field: str) -> None:
        await desk.set(User, desk.cast.users[name], is_active=False)
        new = new_ticket(**{field: f"{name}@desk.example"})
        error = await desk.refusal(InvalidInput, tickets.open_ticket, desk.cast.sam, new)
        assert error.fields[field].endswith("is deactivated.")

    async def test_a_deleted_ticket_cannot_become_a_parent(self, desk) -> None:
        parent = await desk.deleted_ticket()
        new = new_ticket(parent=parent.ticket_number)
        error = await desk.refusal(InvalidInput, tickets.open_ticket, desk.cast.sam, new)
        assert set(error.fields) == {"parent"}


class NoFiles:
    """A store that nothing is expected of."""

    def remove(self, keys) -> None:
        assert list(keys) == []


class TestEdit:
    async def test_writes_every_editable_field(self, desk) -> None:
        ticket = await desk.ticket()
        changes = {
            "title": " Smoke ",
            "description": "Line one\r\nline two",
            "status": Status.PENDING,
            "priority": Priority.HIGH,
            "channel": Channel.CHAT,
            "category": "Hardware",
            "due_at": DUE,
            "resolution": "Put it out.",
        }
        assert set(changes) == set(tickets.EDITABLE_FIELDS)
        await desk.run(tickets.edit, desk.cast.sam, ticket.id, changes, version=1)
        stored = await desk.stored(Ticket, ticket.id)
        expected = {**changes, "title": "Smoke", "description": "Line one\nline two"}
        assert {name: getattr(stored, name) for name in expected} == expected
        assert stored.version == 2

    async def test_writes_one_entry_with_old_and_new(self, desk) -> None:
        ticket = await desk.ticket()
        async with desk.recorded() as written:
            changes = {"title": "Smoke", "priority": Priority.HIGH, "category": ""}
            await desk.run(tickets.edit, desk.cast.sid, ticket.id, changes, version=1)
        entry = written.entry
        assert (entry.action, entry.version, entry.actor_name) == (AuditAction.EDIT, 2, "Sid Staff")
        assert entry.changes == {"title": ["Printer on fire", "Smoke"], "priority": [2, 3]}
        assert written.told == {}

    async def test_saving_without_a_change_writes_nothing(self, desk) -> None:
        text = "Smoke\r\nand fire"
        ticket = await desk.ticket(description=text)
        async with desk.nothing_written():
            changes = {"title": ticket.title, "description": text, "status": Status.NEW, "resolution": ""}
            await desk.run(tickets.edit, desk.cast.sam, ticket.id, changes, version=1)

    async def test_saving_what_the_resolve_dialog_stored_writes_nothing(self, desk) -> None:
        ticket, text = await desk.ticket(), "New toner.\r\nNew drum."
        await desk.run(tickets.resolve, desk.cast.sam, ticket.id, resolution=text, version=1)
        async with desk.nothing_written():
            await desk.run(tickets.edit, desk.cast.sam, ticket.id, {"resolution": text}, version=2)

    async def test_a_status_goes_through_the_state_table_and_is_told(self, desk) -> None:
        ticket, cast = await desk.ticket(owner="sid@desk.example"), desk.cast
        await desk.store(
            TicketWatcher(ticket_id=ticket.id, user_id=cast.sue.id, level=WatchLevel.ALL),
            TicketWatcher(ticket_id=ticket.id, user_id=cast.ada.id, level=WatchLevel.REPLIES),
        )
        async with desk.recorded() as written:
            changes = {"status": Status.CLOSED, "resolution": "Put it out."}
            await desk.run(tickets.edit, cast.sam, ticket.id, changes, version=1)
        assert written.entry.changes == {"status": ["new", "closed"], "resolution": [None, "Put it out."]}
        message = f"Sam Staff set {ticket.ticket_number} to Closed: Printer on fire"
        assert written.told == {"sid": message, "sue": message}
        assert (await desk.stored(Ticket, ticket.id)).closed_at is not None

    async def test_a_status_without_an_arrow_is_refused(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(tickets.close, desk.cast.sam, ticket.id, resolution="done", version=1)
        changes = {"title": "Smoke", "status": Status.PENDING}
        await desk.refusal(InvalidTransition, tickets.edit, desk.cast.sue, ticket.id, changes, version=2)

    @pytest.mark.parametrize("status", [Status.RESOLVED, Status.CLOSED])
    async def test_the_end_needs_a_resolution(self, desk, status: Status) -> None:
        ticket = await desk.ticket()
        changes = {"title": "Smoke", "status": status, "resolution": " "}
        error = await desk.refusal(InvalidInput, tickets.edit, desk.cast.sam, ticket.id, changes, version=1)
        assert error.fields == {"resolution": "Say how this was solved."}

    async def test_a_ticket_that_has_ended_keeps_a_resolution(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(tickets.close, desk.cast.sam, ticket.id, resolution="done", version=1)
        error = await desk.refusal(
            InvalidInput, tickets.edit, desk.cast.sam, ticket.id, {"resolution": "  "}, version=2
        )
        assert error.fields == {"resolution": "Say how this was solved."}

    async def test_an_open_ticket_may_lose_its_draft_of_a_resolution(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(tickets.edit, desk.cast.sam, ticket.id, {"resolution": "maybe"}, version=1)
        await desk.run(tickets.edit, desk.cast.sam, ticket.id, {"resolution": ""}, version=2)
        assert (await desk.stored(Ticket, ticket.id)).resolution is None

    async def test_a_due_time_can_be_taken_away(self, desk) -> None:
        ticket = await desk.ticket(due_at=DUE)
        await desk.run(tickets.edit, desk.cast.sam, ticket.id, {"due_at": None}, version=1)
        assert (await desk.stored(Ticket, ticket.id)).due_at is None

    @pytest.mark.parametrize("field", ["owner_id", "creator_id", "version", "deleted_at", "id", "nonsense"])
    async def test_no_other_field_can_be_slipped_in(self, desk, field: str) -> None:
        ticket = await desk.ticket()
        changes = {"title": "Smoke", field: 1}
        error = await desk.refusal(InvalidInput, tickets.edit, desk.cast.ada, ticket.id, changes, version=1)
        assert error.fields == {field: "This cannot be edited here."}

    async def test_says_at_the_field_what_is_wrong(self, desk) -> None:
        ticket = await desk.ticket()
        changes = {"title": " ", "category": "x" * 101}
        error = await desk.refusal(InvalidInput, tickets.edit, desk.cast.sam, ticket.id, changes, version=1)
        assert set(error.fields) == {"title", "category"}

    async def test_a_deleted_ticket_is_gone(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        await desk.refusal(Gone, tickets.edit, desk.cast.sam, ticket.id, {"title": "Smoke"}, version=2)

    async def test_a_failure_after_the_save_takes_the_save_back(self, desk) -> None:
        ticket = await desk.ticket()

        async def edit_and_fail(session) -> None:
            await tickets.edit(session, desk.cast.sam, ticket.id, {"title": "Smoke"}, version=1)
            raise RuntimeError("lightning")

        await desk.refusal(RuntimeError, edit_and_fail)


class TestForgedVersions:
    @pytest.mark.parametrize("version", [0, 1, 3, 999, -1, 2**40])
    async def test_anything_but_the_stored_version_is_stale(self, desk, version: int) -> None:
        ticket = await desk.ticket()
        await desk.run(tickets.edit, desk.cast.sid, ticket.id, {"title": "Smoke"}, version=1)
        error = await desk.refusal(
            StaleEdit, tickets.edit, desk.cast.sam, ticket.id, {"title": "Mine"}, version=version
        )
        assert (error.status_code, error.current_version) == (409, 2)
        assert (await desk.stored(Ticket, ticket.id)).version == 2


class TestResolveCloseReopen:
    async def test_each_writes_its_own_entry_and_moves_the_version(self, desk) -> None:
        ticket, cast = await desk.ticket(owner="sid@desk.example"), desk.cast
        async with desk.recorded() as resolved:
            await desk.run(tickets.resolve, cast.sam, ticket.id, resolution=" New toner. ", version=1)
        async with desk.recorded() as closed:
            await desk.run(tickets.close, cast.sam, ticket.id, resolution="", version=2)
        async with desk.recorded() as reopened:
            await desk.run(tickets.reopen, cast.sue, ticket.id, reason=" still smoking ", version=3)
        entries = [resolved.entry, closed.entry, reopened.entry]
        assert [entry.action for entry in entries] == [AuditAction.RESOLVE, AuditAction.CLOSE, AuditAction.REOPEN]
        assert [entry.version for entry in entries] == [2, 3, 4]
        assert [entry.reason for entry in entries] == [None, None, "still smoking"]
        assert resolved.entry.changes == {"status": ["new", "resolved"], "resolution": [None, "New toner."]}
        assert closed.entry.changes == {"status": ["resolved", "closed"]}
        assert reopened.entry.changes == {"status": ["closed", "open"]}
        assert [set(written.told) for written in (resolved, closed, reopened)] == [{"sid"}] * 3
        assert {told.type for told in resolved.notifications} == {NotificationType.STATUS_CHANGED}

    async def test_times_are_set_and_cleared(self, desk, stopped_clock) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        await desk.run(tickets.resolve, cast.sam, ticket.id, resolution="New toner.", version=1)
        resolved_at = stopped_clock.time
        closed_at = stopped_clock.forward(hours=2)
        await desk.run(tickets.close, cast.sam, ticket.id, resolution="", version=2)
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.resolved_at, stored.closed_at) == (resolved_at, closed_at)
        await desk.run(tickets.reopen, cast.sue, ticket.id, reason="still smoking", version=3)
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.resolved_at, stored.closed_at, stored.resolution) == (None, None, "New toner.")

    @pytest.mark.parametrize("service", [tickets.resolve, tickets.close])
    async def test_the_end_needs_a_resolution(self, desk, service) -> None:
        ticket = await desk.ticket()
        error = await desk.refusal(InvalidInput, service, desk.cast.sam, ticket.id, resolution=" ", version=1)
        assert set(error.fields) == {"resolution"}

    async def test_reopening_needs_a_reason(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(tickets.resolve, desk.cast.sam, ticket.id, resolution="New toner.", version=1)
        error = await desk.refusal(InvalidInput, tickets.reopen, desk.cast.sam, ticket.id, reason="", version=2)
        assert set(error.fields) == {"reason"}

    async def test_a_reason_has_a_limit(self, desk) -> None:
        ticket = await desk.ticket()
        long = "x" * 501
        error = await desk.refusal(InvalidInput, tickets.reopen, desk.cast.sam, ticket.id, reason=long, version=1)
        assert set(error.fields) == {"reason"}

    async def test_staff_reopens_what_is_resolved_but_not_what_is_closed(self, desk) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        await desk.run(tickets.resolve, cast.sam, ticket.id, resolution="New toner.", version=1)
        await desk.run(tickets.reopen, cast.sam, ticket.id, reason="still smoking", version=2)
        await desk.run(tickets.close, cast.sam, ticket.id, resolution="", version=3)
        await desk.refusal(PermissionDenied, tickets.reopen, cast.sam, ticket.id, reason="again", version=4)

    async def test_of_two_who_close_it_one_is_told(self, desk) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        ends = await asyncio.gather(
            *(
                desk.run(tickets.resolve, actor, ticket.id, resolution=actor.name, version=1)
                for actor in (cast.sam, cast.sid)
            ),
            return_exceptions=True,
        )
        assert sorted(type(end).__name__ for end in ends) == ["InvalidTransition", "Ticket"]

    async def test_a_ticket_that_was_changed_meanwhile_is_a_conflict(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(tickets.edit, desk.cast.sid, ticket.id, {"title": "Smoke"}, version=1)
        await desk.refusal(Conflict, tickets.close, desk.cast.sam, ticket.id, resolution="done", version=1)

    @pytest.mark.parametrize(
        ("status", "sentence"),
        [
            (Status.NEW, "New is no end: only a resolved or closed ticket can be reopened."),
            (Status.OPEN, "A ticket cannot go from Open to Open."),
            (Status.ON_HOLD, "On hold is no end: only a resolved or closed ticket can be reopened."),
        ],
    )
    async def test_what_has_not_ended_cannot_be_reopened(self, desk, status: Status, sentence: str) -> None:
        ticket = await desk.ticket()
        await desk.set(Ticket, ticket.id, status=status)
        reopening = {"reason": "begin", "version": 1}
        error = await desk.refusal(InvalidTransition, tickets.reopen, desk.cast.sue, ticket.id, **reopening)
        assert str(error) == sentence


class TestTransfer:
    async def test_hands_it_over_and_writes_old_and_new_owner_with_the_reason(self, desk) -> None:
        ticket, cast = await desk.ticket(owner="sam@desk.example"), desk.cast
        async with desk.recorded() as written:
            await desk.run(tickets.transfer, cast.sam, ticket.id, version=1, **{**HANDED, "reason": " on holiday "})
        entry = written.entry
        assert (entry.action, entry.version, entry.reason) == (AuditAction.TRANSFER_OWNERSHIP, 2, "on holiday")
        assert entry.changes == {"owner_id": [cast.sam.id, cast.sid.id]}
        assert (await desk.stored(Ticket, ticket.id)).owner_id == cast.sid.id

    async def test_two_at_once_one_wins_the_other_is_told(self, desk) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        async with desk.recorded() as written:
            ends = await asyncio.gather(
                *(
                    desk.run(tickets.transfer, cast.sue, ticket.id, new_owner=receiver, reason="r", note="", version=1)
                    for receiver in ("sam@desk.example", "sid@desk.example")
                ),
                return_exceptions=True,
            )
        [won] = [end for end in ends if isinstance(end, Ticket)]
        [lost] = [end for end in ends if not isinstance(end, Ticket)]
        assert type(lost) is Conflict
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.owner_id, stored.version) == (won.owner_id, 2)
        assert written.entry.changes == {"owner_id": [None, won.owner_id]}
        assert len(written.told) == 1

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"new_owner": ""}, "new_owner"),
            ({"new_owner": "who@desk.example"}, "new_owner"),
            ({"new_owner": "kim@desk.example"}, "new_owner"),
            ({"new_owner": "olaf@desk.example"}, "new_owner"),
            ({"reason": "  "}, "reason"),
            ({"reason": "x" * 501}, "reason"),
            ({"note": "x" * 301}, "note"),
        ],
    )
    async def test_says_at_the_field_what_is_wrong(self, desk, changed: dict[str, str], field: str) -> None:
        ticket = await desk.ticket()
        form = {**HANDED, **changed}
        error = await desk.refusal(InvalidInput, tickets.transfer, desk.cast.sam, ticket.id, version=1, **form)
        assert set(error.fields) == {field}

    async def test_nobody_deactivated_receives_it(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.set(User, desk.cast.sid.id, is_active=False)
        error = await desk.refusal(InvalidInput, tickets.transfer, desk.cast.sam, ticket.id, version=1, **HANDED)
        assert error.fields == {"new_owner": "Sid Staff is deactivated."}

    async def test_a_stale_form_is_a_conflict(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(tickets.edit, desk.cast.sid, ticket.id, {"title": "Smoke"}, version=1)
        await desk.refusal(Conflict, tickets.transfer, desk.cast.sam, ticket.id, version=1, **HANDED)

    async def test_a_missing_ticket_is_not_found(self, desk) -> None:
        await desk.refusal(NotFound, tickets.transfer, desk.cast.sam, 999_999, version=1, **HANDED)
