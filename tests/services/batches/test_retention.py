"""Retention: old trash goes for good, and nothing else does."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from admin_app.errors import InvalidInput, PermissionDenied
from admin_app.models import Attachment, AuditAction, AuditLog, Comment, Ticket
from admin_app.permissions import Role
from admin_app.services.batches import retention
from admin_app.services.batches.retention import Kept
from admin_app.services.operations import attachments, tickets
from admin_app.services.records.file_store import FileStore
from tests.services.scenes import EVERY_ROLE, Desk
from tests.services.test_all_or_nothing import Lightning, lightning_at

CUTOFF = datetime(2030, 1, 1, tzinfo=UTC)
MOST_STATEMENTS = 500
OLD, YOUNG = CUTOFF - timedelta(days=1), CUTOFF + timedelta(days=1)


async def in_trash(desk: Desk, when: datetime = OLD, **columns: object) -> Ticket:
    """A ticket that has been in the trash since then."""
    ticket = await desk.deleted_ticket()
    await desk.set(Ticket, ticket.id, deleted_at=when, **columns)
    return ticket


async def purged(desk: Desk, store: FileStore, **options: object) -> tuple[int, list[Kept]]:
    """Plan and purge, as the command does."""
    chosen = await desk.read(retention.plan, desk.cast.ada, deleted_before=CUTOFF)
    return await retention.purge_old(
        desk.database.run, desk.cast.ada, chosen, deleted_before=CUTOFF, store=store, **options
    )


async def left(desk: Desk) -> list[int]:
    return [ticket.id for ticket in await desk.rows(Ticket)]


class TestPlan:
    async def test_names_what_was_deleted_before_that_time_and_nothing_else(self, desk) -> None:
        old = await in_trash(desk)
        await in_trash(desk, YOUNG)
        await in_trash(desk, CUTOFF)
        await desk.ticket()
        async with desk.nothing_written():
            chosen = await desk.read(retention.plan, desk.cast.ada, deleted_before=CUTOFF)
        assert (chosen.numbers, chosen.kept) == ({old.id: old.ticket_number}, [])

    async def test_a_ticket_that_something_which_stays_points_at_stays(self, desk) -> None:
        parent = await in_trash(desk)
        child = await desk.ticket()
        await desk.set(Ticket, child.id, parent_id=parent.id)
        chosen = await desk.read(retention.plan, desk.cast.ada, deleted_before=CUTOFF)
        assert chosen.numbers == {}
        assert chosen.kept == [Kept(parent.ticket_number, f"still named as the parent of {child.ticket_number}")]

    async def test_children_go_before_the_tickets_they_point_at(self, desk) -> None:
        grandparent, parent, child = [await in_trash(desk) for _ in range(3)]
        await desk.set(Ticket, child.id, parent_id=parent.id)
        await desk.set(Ticket, parent.id, parent_id=grandparent.id)
        chosen = await desk.read(retention.plan, desk.cast.ada, deleted_before=CUTOFF)
        assert list(chosen.numbers) == [child.id, parent.id, grandparent.id]

    async def test_what_points_at_itself_in_a_ring_stays(self, desk) -> None:
        one, two = await in_trash(desk), await in_trash(desk)
        await desk.set(Ticket, one.id, parent_id=two.id)
        await desk.set(Ticket, two.id, parent_id=one.id)
        chosen = await desk.read(retention.plan, desk.cast.ada, deleted_before=CUTOFF)
        assert (chosen.numbers, len(chosen.kept)) == ({}, 2)

    @pytest.mark.parametrize("role", sorted(EVERY_ROLE - {Role.ADMIN}))
    async def test_is_for_admins(self, desk, role: Role) -> None:
        with pytest.raises(PermissionDenied):
            await desk.read(retention.plan, desk.as_role(role), deleted_before=CUTOFF)


class TestPurgeOld:
    async def test_removes_tickets_with_all_that_hangs_on_them_and_leaves_a_tombstone_each(self, desk, store) -> None:
        live = await desk.ticket()
        ticket = await desk.ticket()
        await desk.comment(ticket)
        content = BytesIO(b"log")
        file = await desk.run(
            attachments.attach, desk.cast.sam, ticket.id, filename="a.log", content=content, store=store
        )
        await desk.run(tickets.delete, desk.cast.sam, ticket.id, reason="a double", version=1)
        await desk.set(Ticket, ticket.id, deleted_at=OLD)
        other = await in_trash(desk)
        async with desk.recorded() as recorded:
            assert await purged(desk, store) == (2, [])
        assert await left(desk) == [live.id]
        assert await desk.rows(Comment) == await desk.rows(Attachment) == []
        assert not store.has(file.storage_key)
        assert [(entry.action, entry.record_label) for entry in recorded.audit] == [
            (AuditAction.PURGE, ticket.ticket_number),
            (AuditAction.PURGE, other.ticket_number),
        ]

    @pytest.mark.parametrize(("reason", "written"), [("", "a double"), (" Kept long enough. ", "Kept long enough.")])
    async def test_the_tombstone_says_why(self, desk, store, reason: str, written: str) -> None:
        await in_trash(desk)
        chosen = await desk.read(retention.plan, desk.cast.ada, deleted_before=CUTOFF, reason=reason)
        await retention.purge_old(desk.database.run, desk.cast.ada, chosen, deleted_before=CUTOFF, store=store)
        assert (await desk.rows(AuditLog))[-1].reason == written

    async def test_a_reason_that_cannot_be_stored_is_refused_before_anything_goes(self, desk) -> None:
        with pytest.raises(InvalidInput):
            await desk.read(retention.plan, desk.cast.ada, deleted_before=CUTOFF, reason="r" * 501)

    async def test_a_second_run_removes_nothing(self, desk, store) -> None:
        await in_trash(desk)
        await purged(desk, store)
        async with desk.nothing_written():
            assert await purged(desk, store) == (0, [])

    async def test_goes_group_by_group_and_tells(self, desk, store, monkeypatch) -> None:
        monkeypatch.setattr(retention, "GROUP_TICKETS", 2)
        for _ in range(5):
            await in_trash(desk)
        told: list[int] = []
        assert await purged(desk, store, on_group=told.append) == (5, [])
        assert told == [2, 4, 5]

    async def test_what_changed_since_the_plan_stays_and_is_named(self, desk, store) -> None:
        restored, gone, pointed_at, again, goes = [await in_trash(desk) for _ in range(5)]
        chosen = await desk.read(retention.plan, desk.cast.ada, deleted_before=CUTOFF)
        await desk.run(tickets.restore, desk.cast.sue, restored.id)
        number = gone.ticket_number
        await desk.run(tickets.purge_for_good, desk.cast.ada, gone.id, typed_number=number, store=store)
        child = await desk.ticket()
        await desk.set(Ticket, child.id, parent_id=pointed_at.id)
        await desk.set(Ticket, again.id, deleted_at=CUTOFF)
        count, kept = await retention.purge_old(
            desk.database.run, desk.cast.ada, chosen, deleted_before=CUTOFF, store=store
        )
        assert count == 1
        assert kept == [
            Kept(restored.ticket_number, "it was restored meanwhile"),
            Kept(number, "somebody else removed it meanwhile"),
            Kept(pointed_at.ticket_number, "another ticket points at it by now"),
            Kept(again.ticket_number, "it was restored meanwhile"),
        ]
        assert await left(desk) == sorted([restored.id, pointed_at.id, again.id, child.id])
        assert goes.id not in await left(desk)

    async def test_an_error_at_any_statement_leaves_every_group_whole(self, desk, store, monkeypatch) -> None:
        monkeypatch.setattr(retention, "GROUP_TICKETS", 2)
        for _ in range(3):
            await in_trash(desk)
        for struck in range(1, MOST_STATEMENTS):
            numbers = await left(desk)
            tombstones = sum(1 for entry in await desk.rows(AuditLog) if entry.action is AuditAction.PURGE)
            assert len(numbers) + tombstones == 3, "a ticket is gone without a tombstone, or the other way round"
            if not numbers:
                break
            chosen = await desk.read(retention.plan, desk.cast.ada, deleted_before=CUTOFF)
            try:
                with lightning_at(desk.database.engines, struck):
                    await retention.purge_old(
                        desk.database.run, desk.cast.ada, chosen, deleted_before=CUTOFF, store=store
                    )
            except Lightning:
                continue
        assert await left(desk) == []
        assert struck > 11

    @pytest.mark.parametrize("role", sorted(EVERY_ROLE - {Role.ADMIN}))
    async def test_is_for_admins(self, desk, store, role: Role) -> None:
        ticket = await in_trash(desk)
        chosen = retention.Plan({ticket.id: ticket.ticket_number})
        async with desk.nothing_written():
            with pytest.raises(PermissionDenied):
                await retention.purge_old(
                    desk.database.run, desk.as_role(role), chosen, deleted_before=CUTOFF, store=store
                )
