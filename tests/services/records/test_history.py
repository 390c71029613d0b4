"""What happened to one record, alone and as a member of batches."""

import pytest
from sqlalchemy import select

from admin_app.errors import FieldClash, StaleEdit
from admin_app.models import AuditMember, BatchKind, Priority, Ticket
from admin_app.services.operations import tickets
from admin_app.services.records import history
from tests.services.batches.bulk.scenes import applied, many_tickets, previewed, undone


@pytest.fixture
async def ticket(desk) -> Ticket:
    """Edited by Sam, changed with another by Sue, edited by Sid; then the batch is undone for the other one."""
    [first, second] = await many_tickets(desk, 2)
    await desk.run(tickets.edit, desk.cast.sam, first, {"title": "Smoke"}, version=1)
    batch = await applied(desk, await previewed(desk, BatchKind.PRIORITY, [first, second]))
    await desk.run(tickets.edit, desk.cast.sid, first, {"title": "Fire"}, version=3)
    await undone(desk, batch)
    return await desk.stored(Ticket, first)


class TestNewest:
    async def test_mixes_both_newest_first(self, desk, ticket) -> None:
        found = await desk.read(history.newest, ticket, limit=10)
        assert [(history.log_of(one).actor_name, one.version) for one in found] == [
            ("Sid Staff", 4),
            ("Sue Supervisor", 3),
            ("Sam Staff", 2),
        ]
        assert found[1].changes == {"priority": [2, 4]}

    async def test_stops_at_the_limit(self, desk, ticket) -> None:
        assert [one.version for one in await desk.read(history.newest, ticket, limit=2)] == [4, 3]

    async def test_takes_two_statements(self, desk, ticket, statement_counter) -> None:
        with statement_counter() as counted:
            await desk.read(history.newest, ticket, limit=10)
        assert counted.total == 2


class TestSince:
    async def test_oldest_first_after_a_version(self, desk, ticket) -> None:
        assert [one.version for one in await desk.read(history.since, ticket, version=2)] == [3, 4]
        assert [one.version for one in await desk.read(history.since, ticket, version=0)] == [2, 3, 4]


class TestNumber:
    async def test_counts_both(self, desk, ticket) -> None:
        assert await desk.read(lambda session: session.scalar(select(history.number(ticket)))) == 3
        assert len(await desk.rows(AuditMember)) == 3


class TestTheConflictPage:
    async def test_knows_what_a_batch_changed_and_who_did_it(self, desk) -> None:
        [number] = await many_tickets(desk, 1)
        await applied(desk, await previewed(desk, BatchKind.PRIORITY, [number]))
        changes = {"priority": Priority.LOW, "title": "Smoke"}
        error = await desk.refusal(StaleEdit, tickets.edit, desk.cast.sam, number, changes, version=1)
        assert error.fields[0] == FieldClash("priority", at_start=2, theirs=4, yours=1)
        assert [saved.name for saved in error.saved_by] == ["Sue Supervisor"]
        assert not error.fields[1].is_clash
