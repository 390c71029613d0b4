"""Taking an import back."""

from datetime import timedelta

import pytest

from admin_app import clock
from admin_app.errors import Conflict, PermissionDenied
from admin_app.models import (
    AuditAction,
    AuditLog,
    AuditMember,
    ImportState,
    Notification,
    Ticket,
    TicketImport,
    User,
    WatchLevel,
)
from admin_app.services.batches.imports import undoing
from admin_app.services.operations import following, tickets
from admin_app.services.records import audit
from tests.services.batches.csv_files import csv_bytes, row, rows
from tests.services.batches.imports.importing import Importing, Watch
from tests.services.scenes import Desk


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tickets at a time."""
    monkeypatch.setattr(undoing, "CHUNK", 3)


async def undone(desk: Desk, importing: Importing, number: int, watch: Watch | None = None) -> TicketImport:
    await desk.run(undoing.undo, desk.cast.sue, number, store=importing.store, watch=watch or Watch())
    return await importing.stored(number)


class TestUndo:
    async def test_everything_goes_as_one_batch_with_one_entry(self, desk: Desk, importing: Importing) -> None:
        other = await desk.ticket()
        number = await importing.mapped(csv_bytes(rows(7)))
        await importing.ran(number)
        people, watch = len(await desk.rows(User)), Watch()
        found = await undone(desk, importing, number, watch)
        assert (found.state, found.undone_count, found.kept_count, found.kept) == (ImportState.UNDONE, 7, 0, [])
        gone = [ticket for ticket in await desk.rows(Ticket) if ticket.id != other.id]
        assert {(ticket.delete_reason, ticket.deleted_by_id, ticket.version) for ticket in gone} == {
            ("Import undone", desk.cast.sue.id, 2)
        }
        entry = (await desk.rows(AuditLog))[-1]
        assert (entry.action, entry.record_label, entry.changes) == (
            *(AuditAction.UNDO, "tickets.csv"),
            {"undone": [0, 7], "kept": [0, 0]},
        )
        assert {ticket.delete_batch_id for ticket in gone} == {entry.batch_id}
        members = await desk.rows(AuditMember)
        assert [member.record_id for member in members] == [ticket.id for ticket in gone]
        assert {member.version for member in members} == {2}
        assert (await desk.stored(Ticket, other.id)).deleted_at is None
        assert (len(await desk.rows(User)), await desk.rows(Notification)) == (people, [])
        assert [done for done, _, _ in watch.told] == [3, 6, 7]
        restored = await desk.run(tickets.restore, desk.cast.sue, gone[0].id, new_owner="")
        assert restored.deleted_at is None

    async def test_whatever_was_touched_stays_and_is_named(self, desk: Desk, importing: Importing) -> None:
        cast, number = desk.cast, await importing.mapped(csv_bytes(rows(8)))
        await importing.ran(number)
        edited, commented, watched, deleted, purged, member, first, second = await desk.rows(Ticket)
        await desk.run(tickets.edit, cast.sam, edited.id, {"title": "Mine"}, version=1)
        await desk.comment(commented)
        await desk.run(following.watch, cast.sid, watched.id, person="sid@desk.example", level=WatchLevel.ALL)
        for ticket in (deleted, purged):
            await desk.run(tickets.delete, cast.sam, ticket.id, reason="a double", version=1)
        purge = {"typed_number": purged.ticket_number, "store": importing.store}
        await desk.run(tickets.purge_for_good, cast.ada, purged.id, **purge)

        async def bulk(session) -> None:
            subject = audit.Subject("tickets", None, "several", {})
            entry = await audit.record_batch(session, cast.ada, AuditAction.BULK_TAG, subject, batch_id="b")
            await audit.record_members(session, entry, [audit.Subject("tickets", member.id, "", {}, version=1)])

        await desk.database.run(bulk)
        found = await undone(desk, importing, number)
        assert (found.undone_count, found.kept_count) == (2, 6)
        assert [reason for _, _, reason in found.kept] == [
            "changed by Sam Staff since",
            "changed by Sam Staff since",
            "changed by Sid Staff since",
            "in the trash already",
            "removed for good since",
            "changed together with others since",
        ]
        assert found.kept[0][:2] == [edited.id, edited.ticket_number]
        gone = [ticket.id for ticket in await desk.rows(Ticket) if ticket.delete_reason == "Import undone"]
        assert gone == [first.id, second.id]

    async def test_an_unfinished_one_lets_its_file_go(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(2)))
        await importing.ran(number)
        other = await importing.sent(csv_bytes(rows(2)))
        changes = {"state": ImportState.UNFINISHED, "storage_key": other.storage_key}
        await desk.set(TicketImport, number, **changes)
        await desk.set(TicketImport, other.id, storage_key="")
        found = await undone(desk, importing, number)
        assert (found.undone_count, found.storage_key, importing.files()) == (2, "", [])

    async def test_only_as_many_are_named_as_fit(
        self, desk: Desk, importing: Importing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(undoing, "MOST_NAMED", 1)
        number = await importing.mapped(csv_bytes(rows(4)))
        await importing.ran(number)
        for ticket in await desk.rows(Ticket):
            await desk.comment(ticket)
        found = await undone(desk, importing, number)
        assert (found.kept_count, len(found.kept)) == (4, 1)


class TestWhen:
    async def refused(self, desk: Desk, importing: Importing, number: int) -> None:
        options = {"store": importing.store, "watch": Watch()}
        await desk.refusal(Conflict, undoing.undo, desk.cast.sue, number, **options)

    async def test_not_twice_and_not_when_nothing_came_in(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes([row(State="Frozen")]))
        await self.refused(desk, importing, number)
        await importing.ran(number)
        await self.refused(desk, importing, number)
        number = await importing.mapped(csv_bytes(rows(1)))
        await importing.ran(number)
        await undone(desk, importing, number)
        await self.refused(desk, importing, number)

    async def test_not_while_somebody_is_at_it(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(1)))
        await importing.ran(number)
        await desk.set(TicketImport, number, state=ImportState.RUNNING, updated_at=clock.now())
        await self.refused(desk, importing, number)
        await desk.set(TicketImport, number, updated_at=clock.now() - timedelta(minutes=2))
        await undone(desk, importing, number)

    async def test_only_by_those_who_may(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(1)))
        await importing.ran(number)
        for actor in (desk.cast.sam, desk.cast.olaf):
            options = {"store": importing.store, "watch": Watch()}
            await desk.refusal(PermissionDenied, undoing.undo, actor, number, **options)
