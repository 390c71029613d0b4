"""The only hard delete."""

import asyncio
from io import BytesIO

import pytest
from sqlalchemy import select

from admin_app.errors import InvalidInput, NotFound, PermissionDenied, StillReferenced
from admin_app.models import (
    Attachment,
    AuditAction,
    AuditLog,
    Comment,
    Notification,
    Ticket,
    TicketWatcher,
    WatchLevel,
    ticket_tags,
)
from admin_app.services.blocks import purge
from admin_app.services.operations import attachments, following, tickets


async def attach(desk, ticket: Ticket, store, content: bytes) -> Attachment:
    return await desk.run(
        attachments.attach, desk.cast.sam, ticket.id, filename="a.txt", content=BytesIO(content), store=store
    )


async def delete(desk, ticket: Ticket) -> None:
    await desk.run(tickets.delete, desk.cast.sam, ticket.id, reason="a double", version=1)


def form(ticket: Ticket, store, **changed) -> dict:
    return {"typed_number": ticket.ticket_number, "store": store, **changed}


@pytest.fixture
async def full_ticket(desk, store) -> Ticket:
    """In the trash, with something of everything; one of its two comments was deleted before."""
    ticket = await desk.ticket(owner="sid@desk.example")
    earlier = await desk.comment(ticket)
    await desk.comment(ticket)
    await desk.set(Comment, earlier.id, deleted_at=earlier.created_at, delete_batch_id="earlier")
    await attach(desk, ticket, store, b"only here")
    await desk.run(following.watch, desk.cast.sue, ticket.id, person="", level=WatchLevel.ALL)
    await desk.run(following.tag, desk.cast.sam, ticket.id, names="smoke, toner, fire")
    await delete(desk, ticket)
    return ticket


class TestCount:
    async def test_counts_per_table_in_one_statement_deleted_rows_too(
        self, desk, full_ticket, statement_counter
    ) -> None:
        child = await desk.ticket()
        await desk.set(Ticket, child.id, parent_id=full_ticket.id)
        told = len(await desk.rows(Notification))
        with statement_counter() as counted:
            counts = await desk.read(purge.count, desk.cast.ada, full_ticket)
        assert counts == purge.PurgeCounts(
            comments=2, attachments=1, watchers=1, tags=3, notifications=told, pointing_here=1
        )
        assert counted.total == 1
        assert told > 0

    async def test_counts_nothing_of_other_tickets(self, desk, full_ticket) -> None:
        other = await desk.ticket()
        counts = await desk.read(purge.count, desk.cast.ada, other)
        assert counts == purge.PurgeCounts(0, 0, 0, 0, 0, 0)

    @pytest.mark.parametrize("name", ["mallory", "sam", "sue", "olaf"])
    async def test_only_an_admin_may_look(self, desk, name: str) -> None:
        ticket = await desk.deleted_ticket()
        await desk.refusal(PermissionDenied, purge.count, getattr(desk.cast, name), ticket)


class TestPurge:
    async def test_removes_the_ticket_and_all_that_hangs_on_it(self, desk, full_ticket, store) -> None:
        await desk.run(tickets.purge_for_good, desk.cast.ada, full_ticket.id, **form(full_ticket, store))
        for model in (Ticket, Comment, Attachment, TicketWatcher):
            assert await desk.rows(model) == [], model
        tagged = await desk.database.read(lambda session: session.execute(select(ticket_tags)))
        assert tagged.all() == []

    async def test_leaves_other_tickets_alone(self, desk, full_ticket, store) -> None:
        other = await desk.ticket()
        comment = await desk.comment(other)
        await desk.run(tickets.purge_for_good, desk.cast.ada, full_ticket.id, **form(full_ticket, store))
        assert [row.id for row in await desk.rows(Ticket)] == [other.id]
        assert [row.id for row in await desk.rows(Comment)] == [comment.id]

    async def test_leaves_a_tombstone_in_the_audit_log(self, desk, full_ticket, store) -> None:
        before = len(await desk.rows(AuditLog))
        async with desk.recorded() as written:
            await desk.run(tickets.purge_for_good, desk.cast.ada, full_ticket.id, **form(full_ticket, store))
        entry = written.entry
        assert (entry.action, entry.record_id) == (AuditAction.PURGE, full_ticket.id)
        assert (entry.record_label, entry.reason) == (full_ticket.ticket_number, "a double")
        assert entry.changes == {
            "title": ["Printer on fire", None],
            "status": ["new", None],
            "creator_id": [desk.cast.kim.id, None],
            "owner_id": [desk.cast.sid.id, None],
            "comments": [2, 0],
            "attachments": [1, 0],
        }
        assert len(await desk.rows(AuditLog)) == before + 1, "the history must stay"

    async def test_notifications_keep_their_text_and_lose_their_link(self, desk, full_ticket, store) -> None:
        before = [told.message for told in await desk.rows(Notification)]
        await desk.run(tickets.purge_for_good, desk.cast.ada, full_ticket.id, **form(full_ticket, store))
        after = await desk.rows(Notification)
        assert [told.message for told in after] == before
        assert {told.ticket_id for told in after} == {None}

    async def test_the_number_may_be_typed_in_lower_case(self, desk, store) -> None:
        ticket = await desk.deleted_ticket()
        typed = f" {ticket.ticket_number.lower()} "
        await desk.run(tickets.purge_for_good, desk.cast.ada, ticket.id, **form(ticket, store, typed_number=typed))
        assert await desk.rows(Ticket) == []

    @pytest.mark.parametrize("typed", ["", "T-999999", "yes", "T-"])
    async def test_any_other_number_is_refused_at_the_field(self, desk, full_ticket, store, typed: str) -> None:
        options = form(full_ticket, store, typed_number=typed)
        error = await desk.refusal(InvalidInput, tickets.purge_for_good, desk.cast.ada, full_ticket.id, **options)
        assert error.fields == {"typed_number": f"Type {full_ticket.ticket_number} to remove it for good."}

    async def test_a_ticket_that_others_point_at_stays(self, desk, store) -> None:
        parent = await desk.ticket()
        children = [await desk.ticket(parent=parent.ticket_number) for _ in range(7)]
        await delete(desk, children[0])
        await delete(desk, parent)
        options = form(parent, store)
        error = await desk.refusal(StillReferenced, tickets.purge_for_good, desk.cast.ada, parent.id, **options)
        shown = ", ".join(child.ticket_number for child in children[:5])
        assert str(error) == f"{parent.ticket_number} is still named as the parent of {shown}."

    async def test_a_live_ticket_cannot_be_purged(self, desk, store) -> None:
        ticket = await desk.ticket()
        await desk.refusal(NotFound, tickets.purge_for_good, desk.cast.ada, ticket.id, **form(ticket, store))

    async def test_the_block_itself_asks_for_the_right(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        number = ticket.ticket_number
        await desk.refusal(PermissionDenied, purge.purge, desk.cast.sue, ticket, typed_number=number)

    async def test_of_two_at_once_one_finds_nothing_left(self, desk, full_ticket, store) -> None:
        options = form(full_ticket, store)
        ends = await asyncio.gather(
            *(desk.run(tickets.purge_for_good, desk.cast.ada, full_ticket.id, **options) for _ in range(2)),
            return_exceptions=True,
        )
        assert sorted(type(end).__name__ for end in ends) == ["NoneType", "NotFound"]


class TestBytes:
    async def test_go_with_the_ticket(self, desk, full_ticket, store) -> None:
        [attachment] = await desk.rows(Attachment)
        assert store.path_of(attachment.storage_key).is_file()
        await desk.run(tickets.purge_for_good, desk.cast.ada, full_ticket.id, **form(full_ticket, store))
        with pytest.raises(NotFound):
            store.path_of(attachment.storage_key)

    async def test_stay_when_the_transaction_fails(self, desk, full_ticket, store) -> None:
        [attachment] = await desk.rows(Attachment)

        async def purge_and_fail(session) -> None:
            await tickets.purge_for_good(session, desk.cast.ada, full_ticket.id, **form(full_ticket, store))
            raise RuntimeError("lightning")

        await desk.refusal(RuntimeError, purge_and_fail)
        assert store.path_of(attachment.storage_key).is_file()

    async def test_are_still_there_while_the_transaction_is_open(self, desk, full_ticket, store) -> None:
        [attachment] = await desk.rows(Attachment)

        async def purge_and_look(session) -> bool:
            await tickets.purge_for_good(session, desk.cast.ada, full_ticket.id, **form(full_ticket, store))
            return store.path_of(attachment.storage_key).is_file()

        assert await desk.run(purge_and_look)

    async def test_shared_with_another_ticket_stay(self, desk, store) -> None:
        ticket, other = await desk.ticket(), await desk.ticket()
        shared = await attach(desk, ticket, store, b"shared")
        alone = await attach(desk, ticket, store, b"alone")
        await attach(desk, other, store, b"shared")
        await delete(desk, other)
        await delete(desk, ticket)
        await desk.run(tickets.purge_for_good, desk.cast.ada, ticket.id, **form(ticket, store))
        assert store.path_of(shared.storage_key).read_bytes() == b"shared"
        with pytest.raises(NotFound):
            store.path_of(alone.storage_key)
