"""What happened to one record: entries of its own, and batches that it was a member of."""

import pytest
from sqlalchemy import select

from admin_app.models import AuditAction, AuditMember, Priority, Ticket
from admin_app.services.operations import accounts, tickets
from admin_app.services.records import audit, history


async def raise_priority(session, actor, *ids: int) -> None:
    """A batch as bulk work writes it: one entry, and a member per ticket."""
    found = list(await session.scalars(select(Ticket).where(Ticket.id.in_(ids)).order_by(Ticket.id)))
    members = []
    for ticket in found:
        changes = {"priority": [ticket.priority.value, Priority.HIGH.value]}
        ticket.priority = Priority.HIGH
        await session.flush()
        members.append(audit.Subject("tickets", ticket.id, ticket.ticket_number, changes, ticket.version))
    batch = audit.Subject("tickets", None, f"{len(found)} tickets", {"priority": [None, Priority.HIGH.value]})
    entry = await audit.record_batch(session, actor, AuditAction.EDIT, batch, batch_id="b-1", reason="outage")
    await audit.record_members(session, entry, members)


async def happenings(desk, ticket: Ticket, limit: int = 20) -> list[tuple[str, str]]:
    """Who did what to it, the newest first."""
    found = await desk.read(history.newest, ticket, limit=limit)
    return [(history.log_of(one).actor_name.split()[0], history.log_of(one).action.value) for one in found]


@pytest.fixture
async def ticket(desk) -> Ticket:
    """Opened by Sam, renamed by Sid, made urgent by Sue together with another one, renamed by Ada."""
    cast = desk.cast
    ticket, other = await desk.ticket(), await desk.ticket()
    await desk.run(tickets.edit, cast.sid, ticket.id, {"title": "Smoke"}, version=1)
    await desk.run(raise_priority, cast.sue, ticket.id, other.id)
    await desk.run(tickets.edit, cast.ada, ticket.id, {"title": "Fire"}, version=3)
    return ticket


class TestNewest:
    async def test_mixes_own_entries_and_batches_the_newest_first(self, desk, ticket) -> None:
        expected = [("Ada", "EDIT"), ("Sue", "EDIT"), ("Sid", "EDIT"), ("Sam", "CREATE")]
        assert await happenings(desk, ticket) == expected

    async def test_stops_at_the_limit_whichever_kind_is_newest(self, desk, ticket) -> None:
        assert await happenings(desk, ticket, limit=2) == [("Ada", "EDIT"), ("Sue", "EDIT")]
        assert await happenings(desk, ticket, limit=1) == [("Ada", "EDIT")]

    async def test_a_batch_shows_what_it_did_to_this_record(self, desk, ticket) -> None:
        member = (await desk.read(history.newest, ticket, limit=20))[1]
        assert isinstance(member, AuditMember)
        assert (member.version, member.changes) == (3, {"priority": [2, 3]})

    async def test_shows_nothing_of_another_record_with_the_same_number(self, desk, ticket) -> None:
        assert ticket.id == desk.cast.sam.id
        await desk.run(accounts.edit, desk.cast.ada, ticket.id, {"full_name": "Sam Smith"}, version=1)
        assert len(await happenings(desk, ticket)) == 4

    async def test_sends_two_statements(self, desk, ticket, statement_counter) -> None:
        with statement_counter() as counted:
            await happenings(desk, ticket)
        assert counted.total == 2


class TestSince:
    @pytest.mark.parametrize(("version", "expected"), [(0, 4), (1, 3), (2, 2), (3, 1), (4, 0)])
    async def test_gives_what_came_after_a_version_the_oldest_first(
        self, desk, ticket, version: int, expected: int
    ) -> None:
        found = await desk.read(history.since, ticket, version=version)
        versions = [happening.version for happening in found]
        assert versions == [1, 2, 3, 4][4 - expected :]


class TestNumber:
    async def test_counts_both_kinds(self, desk, ticket) -> None:
        assert await desk.database.read(lambda session: session.scalar(select(history.number(ticket)))) == 4
