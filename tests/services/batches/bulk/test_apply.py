"""Carrying a preview out."""

from datetime import timedelta

import pytest

from admin_app.actor import command_line_actor
from admin_app.errors import Conflict, NotFound, PermissionDenied
from admin_app.models import (
    Attachment,
    AuditAction,
    AuditMember,
    Batch,
    BatchKind,
    BatchState,
    Comment,
    Priority,
    Status,
    Tag,
    Ticket,
    User,
)
from admin_app.permissions import Role
from admin_app.services.batches.bulk import apply, preview
from admin_app.services.operations import comments, following, tickets
from tests.services.batches.bulk.scenes import applied, many_tickets, previewed
from tests.services.scenes import EVERY_ROLE


@pytest.fixture
async def ids(desk) -> list[int]:
    """Three tickets of Sam's."""
    return await many_tickets(desk, 3)


class TestClose:
    async def test_closes_with_the_resolution_a_ticket_has_or_else_the_one_that_was_typed(
        self, desk, ids, stopped_clock
    ) -> None:
        await desk.run(tickets.resolve, desk.cast.sam, ids[0], resolution="Mine.", version=1)
        resolved_at = stopped_clock.time
        await desk.run(tickets.edit, desk.cast.sam, ids[1], {"status": Status.PENDING}, version=1)
        stopped_clock.forward(minutes=5)
        await applied(desk, await previewed(desk, BatchKind.CLOSE, ids))
        stored = [await desk.stored(Ticket, number) for number in ids]
        assert {row.status for row in stored} == {Status.CLOSED}
        assert [row.resolution for row in stored] == ["Mine.", "Put it out.", "Put it out."]
        assert [row.resolved_at for row in stored] == [resolved_at, stopped_clock.time, stopped_clock.time]
        assert {row.closed_at for row in stored} == {stopped_clock.time}
        assert [row.version for row in stored] == [3, 3, 2]

    async def test_without_a_resolution_those_that_have_none_are_refused(self, desk, ids) -> None:
        await desk.run(tickets.resolve, desk.cast.sam, ids[0], resolution="Mine.", version=1)
        batch = await previewed(desk, BatchKind.CLOSE, ids, resolution="")
        assert [number for number, _ in batch.plan] == ids[:1]
        assert {reason for _, _, reason in batch.refused} == {"It needs a resolution."}


class TestOtherKinds:
    async def test_assign(self, desk, ids) -> None:
        async with desk.recorded() as written:
            await applied(desk, await previewed(desk, BatchKind.ASSIGN, ids))
        assert {(await desk.stored(Ticket, number)).owner_id for number in ids} == {desk.cast.sid.id}
        assert written.entry.changes == {"owner_id": [None, desk.cast.sid.id]}
        assert written.entry.reason == "Sam is away"

    async def test_priority(self, desk, ids) -> None:
        async with desk.recorded() as written:
            await applied(desk, await previewed(desk, BatchKind.PRIORITY, ids))
        assert {(await desk.stored(Ticket, number)).priority for number in ids} == {Priority.CRITICAL}
        assert written.entry.changes == {"priority": [None, 4]}
        assert written.notifications == []

    async def test_tags_are_added_and_removed_and_new_words_become_tags(self, desk, ids) -> None:
        await desk.run(following.tag, desk.cast.sam, ids[0], names="old, vip")
        batch = await previewed(desk, BatchKind.TAG, ids, tags="VIP, new", removed_tags="old, never")
        async with desk.recorded() as written:
            await applied(desk, batch)
        assert {tag.name for tag in await desk.rows(Tag)} == {"old", "vip", "new"}
        members = await desk.rows(AuditMember)
        assert [member.changes["tags"] for member in members] == [["old, vip", "new, vip"], *[["", "new, vip"]] * 2]
        assert written.entry.changes == {"tags_added": [None, "new, vip"], "tags_removed": [None, "never, old"]}
        again = await previewed(desk, BatchKind.TAG, ids, tags="vip, new", removed_tags="old")
        assert {reason for _, _, reason in again.refused} == {"Its tags are like that already."}

    async def test_delete_takes_comments_and_files_along_but_not_those_deleted_before(self, desk, ids) -> None:
        first, *_ = await desk.rows(Comment)
        await desk.set(Comment, first.id, deleted_at=first.created_at, delete_batch_id="earlier")
        batch = await applied(desk, await previewed(desk, BatchKind.DELETE, ids))
        stored = [await desk.stored(Ticket, number) for number in ids]
        assert {row.delete_batch_id for row in stored} == {batch.batch_id}
        assert {(row.delete_reason, row.deleted_by_id) for row in stored} == {("spam", desk.cast.sue.id)}
        assert {row.delete_batch_id for row in await desk.rows(Attachment)} == {batch.batch_id}
        assert [row.delete_batch_id for row in await desk.rows(Comment)] == ["earlier", *[batch.batch_id] * 2]
        assert [row.version for row in await desk.rows(Comment)] == [1, 2, 2]

    async def test_restore_brings_back_exactly_what_went_with_each(self, desk, ids) -> None:
        one = await desk.run(tickets.delete, desk.cast.sam, ids[0], reason="a double", version=1)
        gone = next(comment for comment in await desk.rows(Comment) if comment.ticket_id == ids[1])
        await desk.set(Comment, gone.id, deleted_at=one.deleted_at, delete_batch_id="earlier")
        await desk.run(tickets.delete, desk.cast.sam, ids[1], reason="spam", version=1)
        await applied(desk, await previewed(desk, BatchKind.RESTORE, ids[:2]))
        assert [row.deleted_at for row in await desk.rows(Ticket)] == [None] * 3
        assert [row.delete_batch_id for row in await desk.rows(Comment)] == [None, "earlier", None]
        assert [row.delete_batch_id for row in await desk.rows(Attachment)] == [None] * 3

    async def test_restore_gives_a_new_owner_only_to_those_whose_own_can_own_no_more(self, desk, ids) -> None:
        await desk.set(Ticket, ids[1], owner_id=desk.cast.ada.id)
        for number in ids[:2]:
            await desk.run(tickets.delete, desk.cast.sue, number, reason="spam", version=1)
        await desk.set(User, desk.cast.sam.id, is_active=False)
        refused = await previewed(desk, BatchKind.RESTORE, ids[:2])
        assert refused.refused == [
            [ids[0], "M-000001", "Sam Staff, who owned it, can no longer own tickets."],
        ]
        await applied(desk, await previewed(desk, BatchKind.RESTORE, ids[:2], new_owner="sid@desk.example"))
        owners = [(await desk.stored(Ticket, number)).owner_id for number in ids[:2]]
        assert owners == [desk.cast.sid.id, desk.cast.ada.id]

    async def test_restore_is_refused_for_customers_who_are_deactivated(self, desk, ids) -> None:
        await desk.run(tickets.delete, desk.cast.sue, ids[0], reason="spam", version=1)
        await desk.set(User, desk.cast.kim.id, is_active=False)
        batch = await previewed(desk, BatchKind.RESTORE, ids)
        assert batch.refused[0][2] == "Kim Customer, who opened it, is deactivated."
        assert {reason for _, _, reason in batch.refused[1:]} == {"It is not in the trash."}


class TestRecords:
    async def test_one_entry_with_a_member_per_ticket(self, desk, ids) -> None:
        async with desk.recorded() as written:
            batch = await applied(desk, await previewed(desk, BatchKind.CLOSE, ids))
        entry = written.entry
        assert (entry.action, entry.table_name, entry.record_id) == (AuditAction.BULK_CLOSE, "tickets", None)
        assert (entry.record_label, entry.batch_id) == ("3 tickets", batch.batch_id)
        assert entry.changes == {"status": [None, "closed"], "resolution": [None, "Put it out."]}
        members = await desk.rows(AuditMember)
        assert [(member.record_id, member.record_label, member.version) for member in members] == [
            (ids[0], "M-000001", 2),
            (ids[1], "M-000002", 2),
            (ids[2], "M-000003", 2),
        ]
        assert {member.audit_log_id for member in members} == {entry.id}
        assert members[0].changes == {"status": ["new", "closed"], "resolution": [None, "Put it out."]}

    async def test_progress_is_told_chunk_by_chunk(self, desk, ids, monkeypatch) -> None:
        monkeypatch.setattr(apply.rows.chunks, "__defaults__", (2,))
        monkeypatch.setattr(apply.rows, "CHUNK_ROWS", 2)
        batch, heard = await previewed(desk, BatchKind.PRIORITY, ids), []
        await desk.run(apply.apply, desk.cast.sue, batch.batch_id, lambda *told: heard.append(told))
        assert heard == [("checking", 2, 3), ("checking", 3, 3), ("changing", 2, 3), ("changing", 3, 3)]


class TestRefusals:
    async def test_only_whoever_made_the_preview_or_an_admin_may_apply_it(self, desk, ids) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, ids, actor=desk.cast.ada)
        error = await desk.refusal(PermissionDenied, apply.apply, desk.cast.sue, batch.batch_id)
        assert "Somebody else made this preview" in str(error)
        mine = await previewed(desk, BatchKind.PRIORITY, ids)
        assert (await applied(desk, mine, actor=desk.cast.ada)).state is BatchState.APPLIED

    async def test_the_command_line_is_an_admin_and_nobody_is_the_command_line(self, desk, ids) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, ids, actor=command_line_actor())
        assert not apply.may_apply(desk.cast.sue, batch)
        assert (await applied(desk, batch, actor=command_line_actor())).state is BatchState.APPLIED

    async def test_an_hour_later_it_is_too_late(self, desk, ids, stopped_clock) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, ids)
        stopped_clock.time += timedelta(hours=1, seconds=1)
        error = await desk.refusal(Conflict, apply.apply, desk.cast.sue, batch.batch_id)
        assert "older than an hour" in str(error)
        stopped_clock.time -= timedelta(seconds=1)
        await applied(desk, batch)

    async def test_twice_is_refused(self, desk, ids) -> None:
        batch = await applied(desk, await previewed(desk, BatchKind.PRIORITY, ids))
        error = await desk.refusal(Conflict, apply.apply, desk.cast.sue, batch.batch_id)
        assert "applied already" in str(error)

    async def test_a_preview_of_nothing_is_refused(self, desk) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, [4_711])
        error = await desk.refusal(Conflict, apply.apply, desk.cast.sue, batch.batch_id)
        assert "nothing to change" in str(error)

    async def test_a_new_owner_who_left_meanwhile_stops_all(self, desk, ids) -> None:
        batch = await previewed(desk, BatchKind.ASSIGN, ids)
        await desk.set(User, desk.cast.sid.id, is_active=False)
        error = await desk.refusal(Conflict, apply.apply, desk.cast.sue, batch.batch_id)
        assert "Sid Staff can no longer own tickets" in str(error)

    @pytest.mark.parametrize("batch_id", ["", "nothing", "\x00", "é" * 40])
    async def test_there_is_no_such_batch(self, desk, batch_id: str) -> None:
        await desk.refusal(NotFound, apply.apply, desk.cast.sue, batch_id)

    @pytest.mark.parametrize("role", sorted(EVERY_ROLE - {Role.SUPERVISOR, Role.ADMIN}))
    async def test_only_supervisors_and_admins(self, desk, ids, role: Role) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, ids)
        await desk.refusal(PermissionDenied, apply.apply, desk.as_role(role), batch.batch_id)


class TestOneTouchedByTwo:
    async def test_of_two_batches_over_the_same_tickets_the_second_is_stale(self, desk, ids) -> None:
        first = await previewed(desk, BatchKind.PRIORITY, ids)
        second = await previewed(desk, BatchKind.ASSIGN, ids[1:])
        await applied(desk, first)
        error = await desk.refusal(Conflict, apply.apply, desk.cast.sue, second.batch_id)
        assert str(error).count("It was changed since the preview.") == 2

    async def test_a_comment_meanwhile_does_no_harm(self, desk, ids) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, ids)
        await desk.run(comments.add, desk.cast.sam, ids[0], body="Hello", is_internal=False)
        assert (await applied(desk, batch)).state is BatchState.APPLIED


class TestForgetting:
    async def test_old_previews_are_forgotten_applied_ones_kept(self, desk, ids, stopped_clock) -> None:
        await previewed(desk, BatchKind.ASSIGN, ids)
        kept = await applied(desk, await previewed(desk, BatchKind.PRIORITY, ids))
        stopped_clock.time += preview.KEPT_FOR + timedelta(seconds=1)
        fresh = await previewed(desk, BatchKind.CLOSE, ids)
        assert [batch.id for batch in await desk.rows(Batch)] == [kept.id, fresh.id]
