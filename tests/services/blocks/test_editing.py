"""Saving under an optimistic lock, and what a merge needs when somebody saved first."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO

import pytest

from admin_app.errors import FieldClash, StaleEdit
from admin_app.models import AuditAction, Priority, Status, Ticket, User, WatchLevel
from admin_app.services.blocks import editing
from admin_app.services.operations import accounts, attachments, comments, following, sign_in, tickets
from admin_app.services.records import audit

CALLER = sign_in.Caller(ip=None, user_agent=None, request_id=None)
LIFETIME = sign_in.Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


def by_field(error: StaleEdit) -> dict[str, FieldClash]:
    return {clash.field: clash for clash in error.fields}


@pytest.fixture
async def ticket(desk) -> Ticket:
    """A ticket that Sam has open in a form, at version 1."""
    return await desk.ticket(category="Hardware")


async def saves(desk, name: str, ticket: Ticket, version: int, **changes) -> None:
    await desk.run(tickets.edit, getattr(desk.cast, name), ticket.id, changes, version=version)


async def stale_save(desk, ticket: Ticket, version: int = 1, **typed) -> StaleEdit:
    return await desk.refusal(StaleEdit, tickets.edit, desk.cast.sam, ticket.id, typed, version=version)


class TestCheckVersion:
    async def test_gives_each_typed_field_at_start_theirs_and_yours(self, desk, ticket) -> None:
        await saves(desk, "sid", ticket, 1, title="Theirs", priority=Priority.HIGH)
        error = await stale_save(desk, ticket, title="Yours", priority=Priority.LOW, category="Hardware")
        assert error.fields == (
            FieldClash("title", at_start="Printer on fire", theirs="Theirs", yours="Yours"),
            FieldClash("priority", at_start=2, theirs=3, yours=1),
            FieldClash("category", at_start="Hardware", theirs="Hardware", yours="Hardware"),
        )

    async def test_only_what_both_sides_changed_is_a_clash(self, desk, ticket) -> None:
        await saves(desk, "sid", ticket, 1, title="Theirs", description="Theirs")
        error = await stale_save(desk, ticket, title="Yours", description="", category="Yours")
        found = by_field(error)
        assert {name for name, clash in found.items() if clash.is_clash} == {"title"}
        merged = {name: clash.merged for name, clash in found.items()}
        assert merged == {"title": "Yours", "description": "Theirs", "category": "Yours"}

    async def test_both_making_the_same_change_is_no_clash(self, desk, ticket) -> None:
        await saves(desk, "sid", ticket, 1, title="Same")
        clash = by_field(await stale_save(desk, ticket, title="Same"))["title"]
        assert (clash.is_clash, clash.merged) == (False, "Same")

    async def test_a_change_that_was_taken_back_is_no_clash(self, desk, ticket) -> None:
        await saves(desk, "sid", ticket, 1, title="Theirs")
        await saves(desk, "sid", ticket, 2, title="Printer on fire")
        clash = by_field(await stale_save(desk, ticket, title="Yours"))["title"]
        assert clash == FieldClash("title", at_start="Printer on fire", theirs="Printer on fire", yours="Yours")
        assert not clash.is_clash

    async def test_the_start_is_what_the_form_was_opened_with_however_many_saved_since(self, desk, ticket) -> None:
        await saves(desk, "sid", ticket, 1, title="Second")
        await saves(desk, "sue", ticket, 2, title="Third", category="Toner")
        await saves(desk, "ada", ticket, 3, title="Fourth")
        from_the_first = by_field(await stale_save(desk, ticket, version=1, title="Yours", category="Hardware"))
        assert from_the_first["title"].at_start == "Printer on fire"
        assert from_the_first["category"].merged == "Toner"
        from_the_second = by_field(await stale_save(desk, ticket, version=2, title="Yours"))
        assert from_the_second["title"].at_start == "Second"

    async def test_says_who_saved_and_when(self, desk, ticket, stopped_clock) -> None:
        first = stopped_clock.forward(minutes=1)
        await saves(desk, "sid", ticket, 1, title="Second")
        second = stopped_clock.forward(minutes=1)
        await saves(desk, "sue", ticket, 2, title="Third")
        error = await stale_save(desk, ticket, title="Yours")
        assert [(saved.name, saved.at) for saved in error.saved_by] == [
            ("Sid Staff", first),
            ("Sue Supervisor", second),
        ]
        assert error.current_version == 3

    async def test_those_who_only_commented_attached_or_watched_did_not_save(self, desk, ticket, store) -> None:
        await saves(desk, "sid", ticket, 1, title="Second")
        await desk.comment(ticket, actor=desk.cast.sue)
        content = BytesIO(b"log")
        await desk.run(attachments.attach, desk.cast.sue, ticket.id, filename="a.log", content=content, store=store)
        await desk.run(following.watch, desk.cast.sue, ticket.id, person="", level=WatchLevel.ALL)
        error = await stale_save(desk, ticket, title="Yours")
        assert [saved.name for saved in error.saved_by] == ["Sid Staff"]

    async def test_a_third_who_saved_while_the_clash_was_on_screen_is_met_again(self, desk, ticket) -> None:
        await saves(desk, "sid", ticket, 1, title="Sid's")
        clashed = await stale_save(desk, ticket, title="Yours")
        await saves(desk, "sue", ticket, 2, title="Sue's")
        error = await stale_save(desk, ticket, version=clashed.current_version, title="Yours")
        assert by_field(error)["title"] == FieldClash("title", at_start="Sid's", theirs="Sue's", yours="Yours")

    async def test_those_who_lose_a_race_get_every_field_too(self, desk, ticket) -> None:
        names = ["sam", "sid", "sue", "ada"] * 2
        ends = await asyncio.gather(
            *(saves(desk, name, ticket, 1, title=f"{turn} {name}") for turn, name in enumerate(names)),
            return_exceptions=True,
        )
        lost = [end for end in ends if end is not None]
        assert {type(end) for end in lost} == {StaleEdit}
        assert [end.current_version for end in lost] == [2] * 7
        stored = await desk.stored(Ticket, ticket.id)
        assert {by_field(end)["title"].theirs for end in lost} == {stored.title}

    async def test_saving_the_merged_page_works(self, desk, ticket) -> None:
        await saves(desk, "sid", ticket, 1, title="Theirs", description="Theirs")
        error = await stale_save(desk, ticket, title="Yours", description="", category="Yours")
        merged = {clash.field: clash.merged for clash in error.fields}
        await desk.run(tickets.edit, desk.cast.sam, ticket.id, merged, version=error.current_version)
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.title, stored.description, stored.category) == ("Yours", "Theirs", "Yours")
        assert stored.version == 3

    async def test_every_other_way_of_changing_it_makes_a_form_stale_too(self, desk, ticket) -> None:
        form = {"new_owner": "sid@desk.example", "reason": "r", "note": ""}
        await desk.run(tickets.transfer, desk.cast.sue, ticket.id, version=1, **form)
        await desk.run(tickets.resolve, desk.cast.sid, ticket.id, resolution="done", version=2)
        error = await stale_save(desk, ticket, title="Yours", status=Status.OPEN)
        assert by_field(error)["status"] == FieldClash("status", at_start="new", theirs="resolved", yours="open")
        assert [saved.name for saved in error.saved_by] == ["Sue Supervisor", "Sid Staff"]

    async def test_a_batch_that_changed_it_counts_as_a_save(self, desk, ticket) -> None:
        async def raise_priority(session) -> None:
            found = await session.get_one(Ticket, ticket.id)
            found.priority = Priority.HIGH
            await session.flush()
            subject = audit.Subject("tickets", None, "1 ticket", {})
            entry = await audit.record_batch(session, desk.cast.sue, AuditAction.EDIT, subject, batch_id="b-1")
            changes = {"priority": [2, 3]}
            member = audit.Subject("tickets", found.id, found.ticket_number, changes, found.version)
            await audit.record_members(session, entry, [member])

        await desk.run(raise_priority)
        error = await stale_save(desk, ticket, title="Yours", priority=Priority.MEDIUM)
        assert by_field(error)["priority"] == FieldClash("priority", at_start=2, theirs=3, yours=2)
        assert by_field(error)["priority"].merged == 3, "an untouched field must not undo the batch"
        assert [saved.name for saved in error.saved_by] == ["Sue Supervisor"]

    async def test_a_ticket_that_was_deleted_and_restored_meanwhile_is_stale(self, desk, ticket) -> None:
        await desk.run(tickets.delete, desk.cast.sue, ticket.id, reason="a double", version=1)
        await desk.run(tickets.restore, desk.cast.sue, ticket.id)
        error = await stale_save(desk, ticket, title="Yours")
        assert (error.current_version, by_field(error)["title"].is_clash) == (3, False)

    async def test_the_same_moment_typed_in_another_time_zone_is_no_clash(self, desk, ticket) -> None:
        due = datetime(2031, 1, 1, 9, 0, tzinfo=UTC)
        await saves(desk, "sid", ticket, 1, due_at=due)
        error = await stale_save(desk, ticket, due_at=due.astimezone(timezone(timedelta(hours=9))))
        assert not by_field(error)["due_at"].is_clash

    @pytest.mark.parametrize("forged", [0, 999])
    async def test_a_forged_version_writes_nothing_even_when_nobody_saved(self, desk, ticket, forged: int) -> None:
        error = await stale_save(desk, ticket, version=forged, title="Yours")
        assert (error.current_version, by_field(error)["title"].merged) == (1, "Yours")


class TestMachineColumns:
    async def test_a_first_response_makes_no_form_stale(self, desk, ticket) -> None:
        await desk.comment(ticket, actor=desk.cast.sid)
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.first_response_at is not None, stored.version) == (True, 1)
        await saves(desk, "sam", ticket, 1, title="Yours")

    async def test_resolving_moves_the_version_once_not_once_more_for_its_times(self, desk, ticket) -> None:
        await desk.run(tickets.resolve, desk.cast.sid, ticket.id, resolution="done", version=1)
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.resolved_at is not None, stored.version) == (True, 2)

    async def test_a_sign_in_makes_no_form_about_that_person_stale(self, desk) -> None:
        sam = desk.cast.sam
        await desk.set(User, sam.id, password_hash="stored")
        form = {"email": "sam@desk.example", "proven_hash": "stored", "rehashed": "stronger"}
        await desk.run(sign_in.open_session, caller=CALLER, lifetime=LIFETIME, **form)
        stored = await desk.stored(User, sam.id)
        assert (stored.last_sign_in_at is not None, stored.password_hash, stored.version) == (True, "stronger", 1)
        await desk.run(accounts.edit, desk.cast.ada, sam.id, {"full_name": "Sam Smith"}, version=1)


class TestOtherRecords:
    async def test_comments_clash_as_tickets_do(self, desk, ticket) -> None:
        comment = await desk.comment(ticket, "At start.")
        await desk.run(comments.edit, desk.cast.sid, comment.id, body="Theirs.", version=1)
        error = await desk.refusal(StaleEdit, comments.edit, desk.cast.sam, comment.id, body="Yours.\r\n", version=1)
        assert error.fields == (FieldClash("body", at_start="At start.", theirs="Theirs.", yours="Yours."),)
        assert [saved.name for saved in error.saved_by] == ["Sid Staff"]

    async def test_people_clash_as_tickets_do_and_signing_in_is_not_saving(self, desk) -> None:
        cast = desk.cast
        await desk.run(accounts.edit, cast.ada, cast.sid.id, {"full_name": "Sid Theirs"}, version=1)
        await desk.set(User, cast.sid.id, password_hash="stored")
        form = {"email": "sid@desk.example", "proven_hash": "stored", "rehashed": None}
        await desk.run(sign_in.open_session, caller=CALLER, lifetime=LIFETIME, **form)
        changes = {"full_name": "Sid Yours", "email": " Sid@Desk.example"}
        error = await desk.refusal(StaleEdit, accounts.edit, cast.ada, cast.sid.id, changes, version=1)
        assert by_field(error)["full_name"] == FieldClash("full_name", "Sid Staff", "Sid Theirs", "Sid Yours")
        assert not by_field(error)["email"].is_clash
        assert [saved.name for saved in error.saved_by] == ["Ada Admin"]

    async def test_entries_about_other_records_with_the_same_number_play_no_part(self, desk, ticket) -> None:
        assert ticket.id == desk.cast.sam.id
        await desk.run(accounts.edit, desk.cast.ada, ticket.id, {"full_name": "Sam Smith"}, version=1)
        await saves(desk, "sid", ticket, 1, title="Theirs")
        error = await stale_save(desk, ticket, title="Yours")
        assert [saved.name for saved in error.saved_by] == ["Sid Staff"]


class TestWrite:
    async def test_says_whether_anything_differed(self, desk, ticket) -> None:
        async def write(session, title: str) -> bool:
            found = await session.get_one(Ticket, ticket.id)
            return await editing.write(session, desk.cast.sam, found, {"title": title})

        async with desk.recorded() as written:
            assert await desk.run(write, "Smoke") is True
            assert await desk.run(write, "Smoke") is False
        assert written.entry.changes == {"title": ["Printer on fire", "Smoke"]}


class TestRecordEdit:
    async def test_records_nothing_when_only_the_machine_wrote(self, desk, ticket, stopped_clock) -> None:
        async def respond(session) -> bool:
            found = await session.get_one(Ticket, ticket.id)
            found.first_response_at = stopped_clock.time
            return await editing.record_edit(session, desk.cast.sam, found)

        async with desk.recorded() as written:
            assert await desk.run(respond) is False
        assert written.audit == []
