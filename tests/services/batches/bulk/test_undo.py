"""Taking a batch back."""

import pytest

from admin_app.errors import Conflict, NotFound, PermissionDenied
from admin_app.models import (
    AuditAction,
    AuditMember,
    Batch,
    BatchKind,
    BatchState,
    Comment,
    Priority,
    Status,
    Ticket,
    User,
)
from admin_app.permissions import ROLE_PERMISSIONS, Permission, Role
from admin_app.services.batches.bulk import undo
from admin_app.services.blocks import purge
from admin_app.services.operations import comments, following, tickets
from admin_app.services.records import lookup
from tests.services.batches.bulk.scenes import BIN, applied, many_tickets, previewed, undone
from tests.services.scenes import EVERY_ROLE


@pytest.fixture
async def ids(desk) -> list[int]:
    """Three tickets of Sam's."""
    return await many_tickets(desk, 3)


async def done(desk, kind: BatchKind, ids, **typed: str) -> Batch:
    return await applied(desk, await previewed(desk, kind, ids, **typed))


class TestUndo:
    async def test_gives_back_the_old_values_and_names_those_who_were_touched_since(self, desk, ids) -> None:
        batch = await done(desk, BatchKind.PRIORITY, ids)
        await desk.run(tickets.edit, desk.cast.sam, ids[1], {"title": "Mine"}, version=2)
        batch = await undone(desk, batch)
        stored = [await desk.stored(Ticket, number) for number in ids]
        assert [row.priority for row in stored] == [Priority.MEDIUM, Priority.CRITICAL, Priority.MEDIUM]
        assert [row.version for row in stored] == [3, 3, 3]
        assert batch.kept == [[ids[1], "M-000002", "It was changed since."]]
        assert (batch.state, batch.kept_count) == (BatchState.UNDONE, 1)
        assert batch.undone_at >= batch.applied_at

    async def test_writes_one_entry_with_the_way_back_of_each(self, desk, ids) -> None:
        batch = await done(desk, BatchKind.PRIORITY, ids)
        await desk.run(tickets.edit, desk.cast.sam, ids[1], {"title": "Mine"}, version=2)
        async with desk.recorded() as written:
            await undone(desk, batch)
        assert (written.entry.action, written.entry.record_label) == (AuditAction.UNDO, "2 tickets")
        assert written.entry.batch_id == batch.batch_id
        assert written.entry.changes == {
            "batch": ["priority", None],
            "given_back": [0, 2],
            "kept_as_they_are": [0, 1],
        }
        members = [row for row in await desk.rows(AuditMember) if row.audit_log_id == written.entry.id]
        assert [(row.record_id, row.version, row.changes) for row in members] == [
            (ids[0], 3, {"priority": [4, 2]}),
            (ids[2], 3, {"priority": [4, 2]}),
        ]

    async def test_each_owner_comes_back_and_nobody_is_a_value_too(self, desk, ids) -> None:
        await desk.set(Ticket, ids[0], owner_id=None)
        await desk.set(Ticket, ids[1], owner_id=desk.cast.ada.id)
        batch = await done(desk, BatchKind.ASSIGN, ids)
        await undone(desk, batch)
        owners = [(await desk.stored(Ticket, number)).owner_id for number in ids]
        assert owners == [None, desk.cast.ada.id, desk.cast.sam.id]

    async def test_a_closed_ticket_is_as_it_was_with_its_times(self, desk, ids) -> None:
        await desk.run(tickets.resolve, desk.cast.sam, ids[0], resolution="Mine.", version=1)
        await desk.run(tickets.edit, desk.cast.sam, ids[1], {"status": Status.ON_HOLD}, version=1)
        before = [await desk.stored(Ticket, number) for number in ids]
        await undone(desk, await done(desk, BatchKind.CLOSE, ids))
        after = [await desk.stored(Ticket, number) for number in ids]
        for name in ("status", "resolution", "resolved_at", "closed_at"):
            assert [getattr(row, name) for row in after] == [getattr(row, name) for row in before]

    async def test_tags_come_back_and_those_set_since_stay(self, desk, ids, as_stored) -> None:
        await desk.run(following.tag, desk.cast.sam, ids[0], names="old")
        batch = await done(desk, BatchKind.TAG, ids, tags="vip", removed_tags="old")
        await desk.run(following.tag, desk.cast.sam, ids[1], names="vip, mine")
        batch = await undone(desk, batch)
        assert [await as_stored(number) for number in ids] == [["old"], ["mine", "vip"], []]
        assert batch.kept == [[ids[1], "M-000002", "It was changed since."]]

    async def test_a_deleted_batch_comes_back_with_its_comments(self, desk, ids) -> None:
        first = (await desk.rows(Comment))[0]
        await desk.set(Comment, first.id, deleted_at=first.created_at, delete_batch_id="earlier")
        await undone(desk, await done(desk, BatchKind.DELETE, ids))
        assert [row.delete_batch_id for row in await desk.rows(Ticket)] == [None] * 3
        assert [row.delete_batch_id for row in await desk.rows(Comment)] == ["earlier", None, None]

    async def test_a_restored_batch_goes_back_as_each_ticket_had_gone(self, desk, ids) -> None:
        for number, reason in zip(ids, ("spam", "a double", "by mistake"), strict=True):
            await desk.run(tickets.delete, desk.cast.sam, number, reason=reason, version=1)
        before = [await desk.stored(Ticket, number) for number in ids]
        batch = await done(desk, BatchKind.RESTORE, ids)
        said = await desk.run(comments.add, desk.cast.sam, ids[0], body="Back!", is_internal=False)
        await undone(desk, batch)
        after = [await desk.stored(Ticket, number) for number in ids]
        for name in ("deleted_at", "deleted_by_id", "delete_reason", "delete_batch_id"):
            assert [getattr(row, name) for row in after] == [getattr(row, name) for row in before]
        assert (await desk.stored(Comment, said.id)).delete_batch_id == before[0].delete_batch_id

    async def test_a_restored_ticket_with_a_new_owner_goes_back_to_the_old_one(self, desk) -> None:
        ids = await many_tickets(desk, 2, **BIN)
        await desk.set(Ticket, ids[0], owner_id=desk.cast.ada.id)
        await desk.set(User, desk.cast.sam.id, is_active=False)
        batch = await done(desk, BatchKind.RESTORE, ids, new_owner="sid@desk.example")
        await undone(desk, batch)
        assert [row.owner_id for row in await desk.rows(Ticket)] == [desk.cast.ada.id, desk.cast.sam.id]

    async def test_another_supervisor_may_do_it(self, desk, ids) -> None:
        batch = await applied(
            desk, await previewed(desk, BatchKind.PRIORITY, ids, actor=desk.cast.ada), actor=desk.cast.ada
        )
        assert (await undone(desk, batch)).state is BatchState.UNDONE

    async def test_goes_through_all_chunks(self, desk, ids, monkeypatch) -> None:
        batch, heard = await done(desk, BatchKind.PRIORITY, ids), []
        monkeypatch.setattr(undo.rows.chunks, "__defaults__", (2,))
        monkeypatch.setattr(undo.rows, "CHUNK_ROWS", 2)
        await desk.run(undo.undo, desk.cast.sue, batch.batch_id, lambda *told: heard.append(told))
        assert heard == [("checking", 2, 3), ("checking", 3, 3), ("changing", 2, 3), ("changing", 3, 3)]
        assert {row.priority for row in await desk.rows(Ticket)} == {Priority.MEDIUM}


class TestKept:
    async def test_whoever_can_own_no_more_gets_nothing_back(self, desk, ids) -> None:
        await desk.set(Ticket, ids[0], owner_id=desk.cast.ada.id)
        batch = await done(desk, BatchKind.ASSIGN, ids)
        await desk.set(User, desk.cast.sam.id, is_active=False)
        batch = await undone(desk, batch)
        reason = "Sam Staff, who owned it, can no longer own tickets."
        assert batch.kept == [[ids[1], "M-000002", reason], [ids[2], "M-000003", reason]]

    async def test_nor_does_work_open_up_again_for_them(self, desk, ids) -> None:
        await desk.set(Ticket, ids[0], owner_id=None)
        batch = await done(desk, BatchKind.CLOSE, ids)
        await desk.set(User, desk.cast.sam.id, role=Role.OPS)
        assert (await undone(desk, batch)).kept_count == 2

    async def test_a_ticket_of_a_deactivated_customer_stays_in_the_trash(self, desk, ids) -> None:
        batch = await done(desk, BatchKind.DELETE, ids)
        await desk.set(User, desk.cast.kim.id, is_active=False)
        error = await desk.refusal(Conflict, undo.undo, desk.cast.sue, batch.batch_id)
        assert str(error).startswith("Nothing was undone: M-000001: Kim Customer, who opened it, is deactivated.")

    async def test_what_is_gone_for_good_is_named(self, desk, ids) -> None:
        batch = await done(desk, BatchKind.DELETE, ids)

        async def purged(session) -> None:
            ticket = await lookup.deleted_ticket(session, desk.cast.ada, ids[0], lock=True)
            await purge.purge(session, desk.cast.ada, ticket, typed_number="M-000001")

        await desk.run(purged)
        assert (await undone(desk, batch)).kept == [[ids[0], "M-000001", "It is gone for good."]]


class TestRefusals:
    async def test_a_second_time_is_refused(self, desk, ids) -> None:
        batch = await undone(desk, await done(desk, BatchKind.PRIORITY, ids))
        error = await desk.refusal(Conflict, undo.undo, desk.cast.sue, batch.batch_id)
        assert "undone already" in str(error)

    async def test_a_preview_is_nothing_to_undo(self, desk, ids) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, ids)
        error = await desk.refusal(Conflict, undo.undo, desk.cast.sue, batch.batch_id)
        assert "not applied" in str(error)

    async def test_when_every_ticket_was_touched_nothing_is_written(self, desk) -> None:
        ids = await many_tickets(desk, 7)
        batch = await done(desk, BatchKind.PRIORITY, ids)
        for number in ids:
            await desk.run(tickets.edit, desk.cast.sam, number, {"title": "Mine"}, version=2)
        error = await desk.refusal(Conflict, undo.undo, desk.cast.sue, batch.batch_id)
        assert str(error).endswith("M-000005: It was changed since. And 2 more.")

    async def test_there_is_no_such_batch(self, desk) -> None:
        await desk.refusal(NotFound, undo.undo, desk.cast.sue, "0" * 32)

    @pytest.mark.parametrize("role", sorted(EVERY_ROLE - {Role.SUPERVISOR, Role.ADMIN}))
    async def test_only_supervisors_and_admins(self, desk, ids, role: Role) -> None:
        batch = await done(desk, BatchKind.PRIORITY, ids)
        await desk.refusal(PermissionDenied, undo.undo, desk.as_role(role), batch.batch_id)

    async def test_it_needs_the_right_to_the_opposite(self, desk, ids, monkeypatch) -> None:
        batch = await done(desk, BatchKind.CLOSE, ids)
        fewer = {
            **ROLE_PERMISSIONS,
            Role.SUPERVISOR: ROLE_PERMISSIONS[Role.SUPERVISOR] - {Permission.TICKET_REOPEN_CLOSED},
        }
        monkeypatch.setattr("admin_app.actor.ROLE_PERMISSIONS", fewer)
        await desk.refusal(PermissionDenied, undo.undo, desk.cast.sue, batch.batch_id)


@pytest.fixture
def as_stored(desk):
    """Tag names of a ticket."""

    async def read(ticket_id: int) -> list[str]:
        found = await desk.read(lookup.ticket, desk.cast.sue, ticket_id, options=lookup.WITH_EVERYTHING)
        return [tag.name for tag in found.tags]

    return read
