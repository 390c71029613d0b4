"""Sample tickets for benchmarks: the same ones every time, skewed like those of real desks."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from admin_app.db.search_query import parse
from admin_app.db.ticket_search import matching
from admin_app.db.ticket_search_schema import POSTGRESQL_FILL_ALL, SQLITE_FILL_ALL
from admin_app.errors import PermissionDenied
from admin_app.models import AuditAction, AuditLog, Comment, Status, Ticket, User
from admin_app.permissions import Role
from admin_app.services.batches.samples import seed, seed_rows
from tests.services.scenes import Desk

TODAY = datetime(2030, 1, 15, tzinfo=UTC)


async def seeded(desk: Desk, count: int, told: list[int] | None = None) -> list[Ticket]:
    """Seed and give back the tickets."""
    on_batch = (told if told is not None else []).append
    await seed.seed(desk.database.run, desk.cast.ada, tickets=count, today=TODAY, on_batch=on_batch)
    return list(await desk.rows(Ticket))


class TestSeed:
    async def test_as_many_as_asked_for_with_numbers_of_their_own(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(seed, "BATCH_TICKETS", 100)
        told: list[int] = []
        tickets = await seeded(desk, 250, told)
        assert told == [100, 200, 250]
        assert [ticket.ticket_number for ticket in tickets] == [f"T-{n:06d}" for n in range(1, 251)]

    async def test_what_was_seeded_can_be_searched(self, desk: Desk) -> None:
        """Onto an empty desk it is written with the triggers off, onto a full one with them on: the same words."""
        every = text("SELECT ticket_id, is_deleted, title, customer, body FROM ticket_search ORDER BY ticket_id")
        on_sqlite = desk.database.engines.dialect == "sqlite"
        for _ in range(2):
            tickets = await seeded(desk, 30)
            kept = (await desk.database.read(lambda session: session.execute(every))).all()
            assert len(kept) == len(tickets)
            query = parse(f"{tickets[-1].ticket_number} {tickets[-1].title}")
            found = await desk.database.read(lambda session: session.scalars(matching(query)))  # noqa: B023
            assert (tickets[-1].id in list(found)) is (tickets[-1].deleted_at is None)
            anew = SQLITE_FILL_ALL if on_sqlite else POSTGRESQL_FILL_ALL
            for statement in ("DELETE FROM ticket_search", anew):
                await desk.database.run(lambda session: session.execute(text(statement)))  # noqa: B023
            assert (await desk.database.read(lambda session: session.execute(every))).all() == kept

    async def test_it_is_skewed_like_a_real_desk(self, desk: Desk) -> None:
        tickets = await seeded(desk, 2000)
        deleted = [ticket for ticket in tickets if ticket.deleted_at is not None]
        assert 20 <= len(deleted) <= 60
        assert {bool(ticket.delete_reason and ticket.delete_batch_id) for ticket in deleted} == {True}
        comments = await desk.rows(Comment)
        assert 1.8 <= len(comments) / len(tickets) <= 2.2
        owned = Counter(ticket.owner_id for ticket in tickets)
        assert owned[None] > 100
        counts = [count for owner, count in owned.most_common() if owner is not None]
        assert counts[0] > 4 * counts[-1]
        old = [ticket for ticket in tickets if ticket.created_at < TODAY - timedelta(days=30)]
        assert sum(1 for ticket in old if ticket.status is Status.CLOSED) > len(old) / 2
        customers = {person.id for person in await desk.rows(User) if person.role is Role.CUSTOMER}
        assert len(customers) == 40 + 2
        assert {ticket.creator_id for ticket in tickets} <= customers

    async def test_every_row_makes_sense(self, desk: Desk) -> None:
        tickets = {ticket.id: ticket for ticket in await seeded(desk, 400)}
        for ticket in tickets.values():
            is_over = ticket.status in (Status.RESOLVED, Status.CLOSED)
            assert bool(ticket.resolution) == (ticket.resolved_at is not None) == is_over
            assert (ticket.closed_at is not None) == (ticket.status is Status.CLOSED)
            assert ticket.created_at <= ticket.updated_at
            assert "{" not in ticket.title + ticket.description
        for comment in await desk.rows(Comment):
            ticket = tickets[comment.ticket_id]
            assert comment.delete_batch_id == ticket.delete_batch_id
            assert comment.created_at > ticket.created_at
            assert "{" not in comment.body

    async def test_it_is_the_same_every_time(self, desk: Desk) -> None:
        def essence(tickets: list[Ticket]) -> list[tuple]:
            return [
                (t.title, t.status, t.priority, t.owner_id, t.creator_id, t.created_at, t.deleted_at) for t in tickets
            ]

        first = await seeded(desk, 30)
        both = await seeded(desk, 30)
        assert essence(both[30:]) == essence(first)
        assert len({ticket.ticket_number for ticket in both}) == 60

    async def test_a_few_tickets_still_have_twenty_customers(self, desk: Desk) -> None:
        await seeded(desk, 1)
        assert Counter(person.role for person in await desk.rows(User))[Role.CUSTOMER] == 20 + 2

    async def test_tickets_without_a_word_on_them(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(seed_rows, "COMMENTS", (0,))
        await seeded(desk, 3)
        assert await desk.rows(Comment) == []

    async def test_one_entry_tells_of_it(self, desk: Desk) -> None:
        await seeded(desk, 5)
        [entry] = await desk.rows(AuditLog)
        assert (entry.action, entry.record_label, entry.changes) == (
            AuditAction.IMPORT,
            "Sample tickets",
            {"tickets": [0, 5]},
        )

    async def test_a_batch_is_a_handful_of_statements(self, desk: Desk, statement_counter, monkeypatch) -> None:
        totals = []
        for size in (500, 100):
            monkeypatch.setattr(seed, "BATCH_TICKETS", size)
            await desk.ticket()  # tables that hold rows keep their indexes on
            with statement_counter() as counted:
                await seeded(desk, 500)
            totals.append(counted.total)
        assert totals[0] <= 25
        assert totals[1] - totals[0] <= 4 * 4, "four more batches"

    async def test_all_of_it_or_nothing(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(seed, "BATCH_TICKETS", 50)

        def cut_off(done: int) -> None:
            if done == 100:
                raise KeyboardInterrupt

        async with desk.nothing_written():
            with pytest.raises(KeyboardInterrupt):
                await seed.seed(desk.database.run, desk.cast.ada, tickets=200, today=TODAY, on_batch=cut_off)

    async def test_not_for_everybody(self, desk: Desk) -> None:
        async with desk.nothing_written():
            with pytest.raises(PermissionDenied):
                await seed.seed(desk.database.run, desk.cast.sam, tickets=1, today=TODAY)
