"""Into the trash and back, as one batch."""

from io import BytesIO

import pytest

from admin_app.errors import InvalidInput, PermissionDenied
from admin_app.models import Attachment, AuditAction, Comment, NotificationType, Status, Tag, Ticket, User
from admin_app.services.blocks import soft_delete
from admin_app.services.operations import attachments, comments, following, tickets

MARKS = ("deleted_at", "deleted_by_id", "delete_reason", "delete_batch_id")


async def attach(desk, ticket: Ticket, store, name: str = "log.txt") -> Attachment:
    content = BytesIO(name.encode())
    return await desk.run(attachments.attach, desk.cast.sam, ticket.id, filename=name, content=content, store=store)


async def delete(desk, ticket: Ticket, *, name: str = "sam", version: int = 1) -> None:
    actor = getattr(desk.cast, name)
    await desk.run(tickets.delete, actor, ticket.id, reason=" a double ", version=version)


@pytest.fixture
async def full_ticket(desk, store) -> Ticket:
    """A ticket of Sid's with two comments, of which one was deleted before, and two files likewise."""
    ticket = await desk.ticket(owner="sid@desk.example")
    for _ in range(2):
        await desk.comment(ticket)
    for name in ("one.txt", "two.txt"):
        await attach(desk, ticket, store, name)
    for model in (Comment, Attachment):
        first = (await desk.rows(model))[0]
        await desk.set(model, first.id, deleted_at=first.created_at, delete_batch_id="earlier")
    return ticket


class TestNewBatchId:
    def test_differs_every_time_and_fits_its_column(self) -> None:
        batches = {soft_delete.new_batch_id() for _ in range(100)}
        assert len(batches) == 100
        assert {len(batch) for batch in batches} == {32}


class TestDelete:
    async def test_marks_the_ticket_and_what_hangs_on_it_as_one_batch(self, desk, full_ticket, stopped_clock) -> None:
        await delete(desk, full_ticket)
        ticket = await desk.stored(Ticket, full_ticket.id)
        assert (ticket.deleted_at, ticket.deleted_by_id) == (stopped_clock.time, desk.cast.sam.id)
        assert (ticket.delete_reason, len(ticket.delete_batch_id)) == ("a double", 32)
        for model in (Comment, Attachment):
            newest = (await desk.rows(model))[1]
            assert [getattr(newest, name) for name in MARKS] == [getattr(ticket, name) for name in MARKS]

    async def test_what_was_deleted_before_keeps_its_own_batch(self, desk, full_ticket) -> None:
        before = [(await desk.rows(model))[0] for model in (Comment, Attachment)]
        await delete(desk, full_ticket)
        for row in before:
            stored = await desk.stored(type(row), row.id)
            assert (stored.delete_batch_id, stored.deleted_at) == ("earlier", row.deleted_at)

    async def test_what_hangs_on_another_ticket_stays(self, desk, full_ticket) -> None:
        other = await desk.ticket()
        comment = await desk.comment(other)
        await delete(desk, full_ticket)
        assert (await desk.stored(Comment, comment.id)).deleted_at is None
        assert (await desk.stored(Ticket, other.id)).deleted_at is None

    async def test_versions_grow_so_that_open_forms_turn_stale(self, desk, full_ticket) -> None:
        await delete(desk, full_ticket)
        assert (await desk.stored(Ticket, full_ticket.id)).version == 2
        assert [comment.version for comment in await desk.rows(Comment)] == [1, 2]

    async def test_writes_one_entry_with_the_batch_and_tells_the_owner(self, desk, full_ticket) -> None:
        async with desk.recorded() as written:
            await delete(desk, full_ticket)
        ticket, entry = await desk.stored(Ticket, full_ticket.id), written.entry
        assert (entry.action, entry.reason, entry.version) == (AuditAction.DELETE, "a double", 2)
        assert entry.batch_id == ticket.delete_batch_id
        assert set(entry.changes) == set(MARKS)
        assert written.told == {"sid": f"Sam Staff deleted {ticket.ticket_number}: a double"}
        assert written.notifications[0].type is NotificationType.DELETED

    async def test_several_can_share_a_batch(self, desk) -> None:
        both = [await desk.ticket(), await desk.ticket()]

        async def delete_both(session) -> None:
            for ticket in both:
                found = await session.get_one(Ticket, ticket.id)
                await soft_delete.delete(session, desk.cast.sue, found, reason="spam", batch_id="b-1")

        await desk.run(delete_both)
        assert [ticket.delete_batch_id for ticket in await desk.rows(Ticket)] == ["b-1", "b-1"]

    @pytest.mark.parametrize("name", ["mallory", "olaf"])
    async def test_the_block_itself_asks_for_the_right(self, desk, name: str) -> None:
        ticket = await desk.ticket()

        async def straight(session) -> None:
            found = await session.get_one(Ticket, ticket.id)
            await soft_delete.delete(session, getattr(desk.cast, name), found, reason="because")

        await desk.refusal(PermissionDenied, straight)

    async def test_the_block_itself_asks_for_a_reason(self, desk) -> None:
        ticket = await desk.ticket()

        async def straight(session) -> None:
            found = await session.get_one(Ticket, ticket.id)
            await soft_delete.delete(session, desk.cast.sam, found, reason=" \n")

        error = await desk.refusal(InvalidInput, straight)
        assert error.fields == {"reason": "Say why this ticket is deleted."}


class TestRestore:
    async def test_brings_back_exactly_what_went_with_it(self, desk, full_ticket) -> None:
        before = {model: await desk.rows(model) for model in (Ticket, Comment, Attachment)}
        await delete(desk, full_ticket)
        await desk.run(tickets.restore, desk.cast.sue, full_ticket.id)
        for model, rows in before.items():
            after = await desk.rows(model)
            for name in MARKS:
                assert [getattr(row, name) for row in after] == [getattr(row, name) for row in rows], (model, name)

    async def test_a_comment_deleted_before_its_ticket_stays_deleted(self, desk, full_ticket) -> None:
        await delete(desk, full_ticket)
        await desk.run(tickets.restore, desk.cast.sue, full_ticket.id)
        assert [comment.deleted_at is None for comment in await desk.rows(Comment)] == [False, True]

    async def test_gives_back_status_resolution_tags_and_links(self, desk, full_ticket) -> None:
        child = await desk.ticket(parent=full_ticket.ticket_number)
        await desk.run(following.tag, desk.cast.sam, full_ticket.id, names="toner, smoke")
        await desk.run(tickets.resolve, desk.cast.sam, full_ticket.id, resolution="done", version=1)
        await delete(desk, full_ticket, version=2)
        await desk.run(tickets.restore, desk.cast.sue, full_ticket.id)
        ticket = await desk.stored(Ticket, full_ticket.id)
        assert (ticket.status, ticket.resolution) == (Status.RESOLVED, "done")
        assert ticket.resolved_at is not None
        assert (await desk.stored(Ticket, child.id)).parent_id == full_ticket.id
        tagged = await desk.read(following.all_tags, desk.cast.sam)
        assert tagged == ["smoke", "toner"]
        assert len(await desk.rows(Tag)) == 2

    async def test_versions_grow_again(self, desk, full_ticket) -> None:
        await delete(desk, full_ticket)
        await desk.run(tickets.restore, desk.cast.sue, full_ticket.id)
        assert (await desk.stored(Ticket, full_ticket.id)).version == 3
        assert [comment.version for comment in await desk.rows(Comment)] == [1, 3]

    async def test_a_comment_can_be_edited_again_afterwards(self, desk, full_ticket) -> None:
        comment = (await desk.rows(Comment))[1]
        await delete(desk, full_ticket)
        await desk.run(tickets.restore, desk.cast.sue, full_ticket.id)
        await desk.run(comments.edit, desk.cast.sam, comment.id, body="Still on my way.", version=3)

    async def test_writes_one_entry_with_the_batch_and_tells_the_owner(self, desk, full_ticket) -> None:
        await delete(desk, full_ticket)
        batch = (await desk.stored(Ticket, full_ticket.id)).delete_batch_id
        async with desk.recorded() as written:
            await desk.run(tickets.restore, desk.cast.sue, full_ticket.id)
        entry = written.entry
        assert (entry.action, entry.batch_id, entry.version) == (AuditAction.RESTORE, batch, 3)
        assert entry.changes["delete_reason"] == ["a double", None]
        number = full_ticket.ticket_number
        assert written.told == {"sid": f"Sue Supervisor brought {number} back: Printer on fire"}
        assert written.notifications[0].type is NotificationType.RESTORED

    async def test_two_deletions_in_a_row_restore_independently(self, desk) -> None:
        first, second = await desk.deleted_ticket(), await desk.deleted_ticket()
        await desk.run(tickets.restore, desk.cast.sue, first.id)
        assert (await desk.stored(Ticket, second.id)).deleted_at is not None

    @pytest.mark.parametrize("columns", [{"is_active": False}, {"role": "ops"}, {"role": "customer"}])
    async def test_an_owner_who_can_own_no_more_has_to_be_replaced(self, desk, full_ticket, columns) -> None:
        await delete(desk, full_ticket)
        await desk.set(User, desk.cast.sid.id, **columns)
        error = await desk.refusal(InvalidInput, tickets.restore, desk.cast.sue, full_ticket.id)
        sentence = "Sid Staff, who owned it, can no longer own tickets. Choose a new owner."
        assert error.fields == {"new_owner": sentence}

    async def test_a_new_owner_is_taken_recorded_and_told(self, desk, full_ticket) -> None:
        await delete(desk, full_ticket)
        await desk.set(User, desk.cast.sid.id, is_active=False)
        async with desk.recorded() as written:
            await desk.run(tickets.restore, desk.cast.sue, full_ticket.id, new_owner="sam@desk.example")
        assert (await desk.stored(Ticket, full_ticket.id)).owner_id == desk.cast.sam.id
        assert written.entry.changes["owner_id"] == [desk.cast.sid.id, desk.cast.sam.id]
        assert set(written.told) == {"sam"}

    async def test_a_new_owner_must_be_able_to_own(self, desk, full_ticket) -> None:
        await delete(desk, full_ticket)
        error = await desk.refusal(
            InvalidInput, tickets.restore, desk.cast.sue, full_ticket.id, new_owner="olaf@desk.example"
        )
        assert set(error.fields) == {"new_owner"}

    async def test_a_customer_who_was_deactivated_has_to_come_back_first(self, desk, full_ticket) -> None:
        await delete(desk, full_ticket)
        await desk.set(User, desk.cast.kim.id, is_active=False)
        error = await desk.refusal(
            InvalidInput, tickets.restore, desk.cast.sue, full_ticket.id, new_owner="sam@desk.example"
        )
        assert error.fields == {"creator": "Kim Customer, who opened it, is deactivated. Reactivate them first."}

    async def test_a_ticket_without_owner_comes_back_without_one(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        async with desk.recorded() as written:
            await desk.run(tickets.restore, desk.cast.sue, ticket.id)
        assert (await desk.stored(Ticket, ticket.id)).owner_id is None
        assert written.told == {}

    async def test_the_block_itself_asks_for_the_right(self, desk) -> None:
        ticket = await desk.deleted_ticket()

        async def straight(session) -> None:
            await soft_delete.restore(session, desk.cast.sam, ticket)

        await desk.refusal(PermissionDenied, straight)
