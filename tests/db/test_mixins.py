"""What several tables have in common."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from admin_app import clock
from admin_app.db.sessions import LiveSession
from admin_app.models import Ticket, User
from tests.support.tickets import store_ticket


async def change(database, ticket_id: int, **columns: object) -> Ticket:
    async def edit(session) -> Ticket:
        ticket = await session.get_one(Ticket, ticket_id)
        for name, value in columns.items():
            setattr(ticket, name, value)
        return ticket

    return await database.run(edit)


@pytest.fixture
async def ticket_id(database, cast) -> int:
    return await store_ticket(database, cast)


class TestTimestamped:
    async def test_both_times_are_set_when_a_row_is_made(self, database, ticket_id, monkeypatch) -> None:
        ticket = await database.read(lambda session: session.get_one(Ticket, ticket_id))
        assert abs(clock.now() - ticket.created_at) < timedelta(seconds=10)
        assert abs(ticket.updated_at - ticket.created_at) < timedelta(seconds=1)

    async def test_only_the_second_moves_when_it_is_written(self, database, ticket_id, monkeypatch) -> None:
        before = await database.read(lambda session: session.get_one(Ticket, ticket_id))
        later = clock.now() + timedelta(hours=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        after = await change(database, ticket_id, title="Broken lamp shade")
        assert (after.created_at, after.updated_at) == (before.created_at, later)


class TestBumpVersion:
    async def test_a_new_row_starts_at_one(self, database, ticket_id) -> None:
        assert await database.read(lambda session: session.scalar(select(Ticket.version))) == 1

    @pytest.mark.parametrize(
        "columns",
        [{"title": "Other"}, {"owner_id": None, "priority": 4}, {"deleted_at": clock.now()}, {"parent_id": 1}],
        ids=lambda columns: "+".join(columns),
    )
    async def test_a_change_that_a_person_makes_counts_once(self, database, ticket_id, columns) -> None:
        assert (await change(database, ticket_id, **columns)).version == 2

    @pytest.mark.parametrize("column", sorted(Ticket.MACHINE_COLUMNS - {"updated_at"}))
    async def test_a_change_that_the_desk_makes_itself_does_not_count(self, database, ticket_id, column) -> None:
        ticket = await change(database, ticket_id, **{column: clock.now()})
        assert getattr(ticket, column) is not None
        assert ticket.version == 1

    async def test_both_together_count(self, database, ticket_id) -> None:
        assert (await change(database, ticket_id, title="Other", closed_at=clock.now())).version == 2

    async def test_the_same_value_again_does_not_count(self, database, ticket_id) -> None:
        assert (await change(database, ticket_id, title="Broken lamp")).version == 1

    async def test_signing_in_leaves_a_persons_version(self, database, cast) -> None:
        async def sign_in(session) -> User:
            sam = await session.get_one(User, cast.sam.id)
            sam.last_sign_in_at = clock.now()
            return sam

        assert (await database.run(sign_in)).version == 1


class TestVersioned:
    @pytest.mark.parametrize("column", ["title", "closed_at"])
    async def test_a_row_that_somebody_else_changed_cannot_be_saved(self, database, ticket_id, column) -> None:
        async with LiveSession(database.engines.read, expire_on_commit=False) as session:
            stale = await session.get_one(Ticket, ticket_id)
        await change(database, ticket_id, title="Changed in between")

        async with LiveSession(database.engines.write) as session:
            session.add(stale)
            setattr(stale, column, "Mine" if column == "title" else clock.now())
            with pytest.raises(StaleDataError):
                await session.flush()

    async def test_a_row_that_nobody_changed_can_be(self, database, ticket_id) -> None:
        async with LiveSession(database.engines.read, expire_on_commit=False) as session:
            fresh = await session.get_one(Ticket, ticket_id)
        async with LiveSession(database.engines.write) as session:
            session.add(fresh)
            fresh.title = "Mine"
            await session.flush()
            assert fresh.version == 2


class TestSoftDeletable:
    async def test_a_row_knows_when_who_why_and_together_with_what(self, database, cast, ticket_id) -> None:
        now = clock.now()
        await change(
            database,
            ticket_id,
            deleted_at=now,
            deleted_by_id=cast.sam.id,
            delete_reason="A double",
            delete_batch_id="b1",
        )
        statement = select(Ticket).execution_options(include_deleted=True)
        ticket = await database.read(lambda session: session.scalar(statement))
        assert (ticket.deleted_at, ticket.deleted_by_id, ticket.delete_reason, ticket.delete_batch_id) == (
            now,
            cast.sam.id,
            "A double",
            "b1",
        )
