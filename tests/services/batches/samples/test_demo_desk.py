"""The demo desk: loaded once, by the services that people use."""

from collections import Counter
from datetime import timedelta

import pytest

from admin_app import clock
from admin_app.db.database import Database
from admin_app.errors import Conflict
from admin_app.models import (
    Attachment,
    AuditAction,
    AuditLog,
    Comment,
    Notification,
    Status,
    Ticket,
    TicketWatcher,
    User,
)
from admin_app.permissions import Role
from admin_app.services.batches.samples import demo_desk, demo_people, demo_story
from admin_app.services.records import passwords
from admin_app.services.records.file_store import FileStore
from tests.services.scenes import Desk
from tests.support.cast import Cast


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 is slow on purpose; one test below pays for it."""
    monkeypatch.setattr(demo_desk.passwords, "hash_password", lambda password: f"hash of {password}")


@pytest.fixture
def empty(database: Database) -> Desk:
    """A database without anybody in it."""
    return Desk(database, Cast.__new__(Cast))


class TestLoad:
    async def test_the_desk_is_full_of_work(self, empty: Desk, store: FileStore) -> None:
        assert await demo_desk.load(empty.database.run, store)
        people, tickets = await empty.rows(User), await empty.rows(Ticket)
        assert Counter(person.role for person in people)[Role.CUSTOMER] == demo_story.CUSTOMERS
        assert [p.email for p in people if p.password_hash] == [p.email for p in demo_people.DESK]
        assert len(tickets) == demo_story.TICKETS
        live = [ticket for ticket in tickets if ticket.deleted_at is None]
        assert {ticket.status for ticket in live} == set(Status)
        assert min(Counter(ticket.status for ticket in live).values()) >= 3
        assert sum(1 for t in live if t.owner_id is None) >= 10
        assert sum(1 for t in live if t.is_active and t.due_at is not None and t.due_at < clock.now()) >= 5
        assert {ticket.delete_reason is not None for ticket in tickets if ticket.deleted_at} == {True}
        assert len(tickets) - len(live) >= 8
        comments, files = await empty.rows(Comment), await empty.rows(Attachment)
        assert {comment.is_internal for comment in comments} == {True, False}
        assert len(files) >= 5
        assert all(store.path_of(file.storage_key).stat().st_size == file.size for file in files)
        assert len(await empty.rows(TicketWatcher)) >= 20
        notifications = await empty.rows(Notification)
        assert {note.read_at is None for note in notifications} == {True, False}

    async def test_its_history_is_the_one_that_services_write(self, empty: Desk, store: FileStore) -> None:
        await demo_desk.load(empty.database.run, store)
        entries, tickets = await empty.rows(AuditLog), {t.id: t for t in await empty.rows(Ticket)}
        actions = Counter(entry.action for entry in entries)
        for action in (
            "CREATE",
            "EDIT",
            "RESOLVE",
            "CLOSE",
            "REOPEN",
            "DELETE",
            "TRANSFER_OWNERSHIP",
            "COMMENT",
            "TAG",
        ):
            assert actions[AuditAction(action)] >= 2, action
        about_tickets = [entry for entry in entries if entry.table_name == "tickets"]
        assert {entry.record_id for entry in about_tickets} == set(tickets)
        for entry in about_tickets:
            if entry.action == AuditAction.CREATE:
                assert entry.occurred_at == tickets[entry.record_id].created_at
        times = [entry.occurred_at for entry in entries]
        assert times == sorted(times)
        assert times[0] < clock.now() - timedelta(days=demo_story.DAYS)
        assert times[-1] < clock.now()

    async def test_a_second_start_keeps_everything(self, empty: Desk, store: FileStore) -> None:
        await demo_desk.load(empty.database.run, store)
        [*_, last] = await empty.rows(Ticket)
        await empty.set(Ticket, last.id, title="Changed by somebody who tries things out")
        async with empty.nothing_written():
            assert not await demo_desk.load(empty.database.run, store)

    async def test_it_stays_out_of_another_desk(self, desk: Desk, store: FileStore) -> None:
        await desk.set(User, desk.cast.sam.id, email="somebody@else.example")
        async with desk.nothing_written():
            with pytest.raises(Conflict, match="another desk"):
                await demo_desk.load(desk.database.run, store)

    async def test_all_or_nothing(self, empty: Desk, store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
        async def fails(*args: object, **options: object) -> None:
            raise Conflict("no")

        monkeypatch.setattr(demo_desk.tickets, "close", fails)
        async with empty.nothing_written():
            with pytest.raises(Conflict):
                await demo_desk.load(empty.database.run, store)

    async def test_the_printed_password_opens_the_door(
        self, empty: Desk, store: FileStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.undo()
        monkeypatch.setattr(demo_story, "TICKETS", 3)
        await demo_desk.load(empty.database.run, store)
        sam = (await empty.rows(User))[0]
        assert passwords.is_right("sam-at-the-desk", sam.password_hash)
