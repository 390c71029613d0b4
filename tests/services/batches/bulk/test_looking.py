"""The page of a batch."""

import pytest

from admin_app.actor import command_line_actor
from admin_app.errors import NotFound, PermissionDenied
from admin_app.models import AuditAction, BatchKind, Priority, User
from admin_app.services.batches.bulk import looking
from admin_app.services.blocks import purge
from admin_app.services.blocks.audit_entries import Change
from admin_app.services.operations import tickets
from admin_app.services.records import lookup
from tests.services.batches.bulk.scenes import applied, many_tickets, previewed, undone


async def look(desk, batch, actor=None) -> looking.BatchPage:
    return await desk.read(looking.read, actor or desk.cast.sue, batch.batch_id)


class TestRead:
    async def test_shows_before_and_after_in_words(self, desk) -> None:
        ids = await many_tickets(desk, 2)
        page = await look(desk, await previewed(desk, BatchKind.ASSIGN, ids))
        assert [(planned.row.id, planned.changes, planned.is_stale) for planned in page.planned] == [
            (number, [Change("owner_id", "Sam Staff", "Sid Staff")], False) for number in ids
        ]
        assert page.asked == [Change("owner_id", None, "Sid Staff")]
        assert page.made_by == "Sue Supervisor"
        assert (page.may_apply, page.is_too_old, page.may_undo) == (True, False, True)

    async def test_says_what_is_stale_and_leaves_out_what_is_gone(self, desk) -> None:
        ids = await many_tickets(desk, 4)
        batch = await previewed(desk, BatchKind.PRIORITY, ids)
        await desk.run(tickets.edit, desk.cast.sam, ids[0], {"priority": Priority.LOW}, version=1)
        for number in ids[1:3]:
            await desk.run(tickets.delete, desk.cast.sam, number, reason="spam", version=1)

        async def purged(session) -> None:
            ticket = await lookup.deleted_ticket(session, desk.cast.ada, ids[2], lock=True)
            await purge.purge(session, desk.cast.ada, ticket, typed_number=ticket.ticket_number)

        await desk.run(purged)
        page = await look(desk, batch)
        assert [(planned.row.id, planned.is_stale) for planned in page.planned] == [
            (ids[0], True),
            (ids[1], True),
            (ids[3], False),
        ]
        assert [planned.changes for planned in page.planned][:2] == [[], []]

    async def test_links_to_its_entries_once_there_are_any(self, desk) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, await many_tickets(desk, 1))
        assert (await look(desk, batch)).entries == {}
        await undone(desk, await applied(desk, batch))
        page = await look(desk, batch)
        assert set(page.entries) == {AuditAction.BULK_PRIORITY, AuditAction.UNDO}
        assert page.planned == []

    async def test_a_page_takes_as_many_statements_for_many_as_for_few(self, desk, statement_counter) -> None:
        ids, sent = await many_tickets(desk, 150), []
        for some in (ids[:2], ids):
            batch = await previewed(desk, BatchKind.ASSIGN, some)
            with statement_counter() as counted:
                page = await look(desk, batch)
            sent.append(counted.total)
        assert sent[0] == sent[1] <= 6
        assert len(page.planned) == looking.SHOWN

    async def test_a_new_owner_who_left_does_not_keep_the_page_from_being_shown(self, desk) -> None:
        batch = await previewed(desk, BatchKind.ASSIGN, await many_tickets(desk, 1))
        await desk.set(User, desk.cast.sid.id, is_active=False)
        assert (await look(desk, batch)).asked[0].new == "Sid Staff"

    async def test_others_may_look_but_not_apply(self, desk) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, await many_tickets(desk, 1), actor=desk.cast.ada)
        assert not (await look(desk, batch)).may_apply

    async def test_the_command_line_has_a_name_as_well(self, desk) -> None:
        ids = await many_tickets(desk, 1)
        batch = await previewed(desk, BatchKind.PRIORITY, ids, actor=command_line_actor())
        assert (await look(desk, batch)).made_by == "The command line"

    async def test_staff_see_none(self, desk) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, await many_tickets(desk, 1))
        with pytest.raises(PermissionDenied):
            await look(desk, batch, desk.cast.sam)
        batch.batch_id = "nothing"
        with pytest.raises(NotFound):
            await look(desk, batch)


class TestBatchIdOf:
    async def test_finds_it_by_its_number(self, desk) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, await many_tickets(desk, 1))
        assert await desk.read(looking.batch_id_of, desk.cast.sue, batch.id) == batch.batch_id
        assert await desk.read(looking.batch_id_of, desk.cast.sue, 4_711) == ""
