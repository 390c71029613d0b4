"""Deleted rows stay out of sight, and pages cannot write."""

import re

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased, joinedload, selectinload

from admin_app import clock
from admin_app.db.sessions import INCLUDE_DELETED, LiveSession
from admin_app.errors import AppError, WriteOutsideService
from admin_app.models import Comment, Tag, Ticket
from tests.support.tickets import store_comment, store_ticket


@pytest.fixture
async def live_id(database, cast) -> int:
    return await store_ticket(database, cast, title="Live")


@pytest.fixture
async def deleted_id(database, cast) -> int:
    return await store_ticket(database, cast, title="Deleted", deleted_at=clock.now())


@pytest.fixture(params=["run", "read"])
def execute(request, database):
    """Both ways into the database hide the same rows."""
    return getattr(database, request.param)


class TestHideDeleted:
    async def test_a_select_sees_only_what_is_live(self, execute, live_id, deleted_id) -> None:
        found = await execute(lambda session: session.scalars(select(Ticket.id)))
        assert list(found) == [live_id]

    async def test_a_count_counts_only_what_is_live(self, execute, live_id, deleted_id) -> None:
        assert await execute(lambda session: session.scalar(select(func.count(Ticket.id)))) == 1

    async def test_an_alias_hides_nothing_less(self, execute, live_id, deleted_id) -> None:
        other = aliased(Ticket)
        found = await execute(lambda session: session.scalars(select(other.id)))
        assert list(found) == [live_id]

    async def test_a_subquery_hides_nothing_less(self, execute, live_id, deleted_id) -> None:
        inner = select(Ticket.id).subquery()
        found = await execute(lambda session: session.scalars(select(inner.c.id)))
        assert list(found) == [live_id]

    async def test_a_deleted_row_cannot_be_fetched_by_its_key(self, execute, deleted_id) -> None:
        assert await execute(lambda session: session.get(Ticket, deleted_id)) is None

    @pytest.mark.parametrize("load", [joinedload, selectinload])
    async def test_an_eager_load_does_not_bring_a_deleted_row_in(
        self, database, cast, execute, deleted_id, load
    ) -> None:
        await store_comment(database, cast, deleted_id)
        statement = select(Comment).options(load(Comment.ticket))
        comment = await execute(lambda session: session.scalar(statement))
        assert comment.ticket is None

    async def test_a_table_without_deletion_is_read_as_it_is(self, execute, cast) -> None:
        assert await execute(lambda session: session.scalar(select(func.count(Tag.id)))) == 0

    async def test_a_statement_may_ask_for_deleted_rows(self, execute, live_id, deleted_id) -> None:
        statement = select(Ticket.id).execution_options(**INCLUDE_DELETED).order_by(Ticket.id)
        found = await execute(lambda session: session.scalars(statement))
        assert list(found) == sorted([live_id, deleted_id])

    async def test_asking_once_does_not_open_the_door_for_the_next_statement(
        self, execute, live_id, deleted_id
    ) -> None:
        async def look_twice(session) -> list[int]:
            await session.scalars(select(Ticket.id).execution_options(**INCLUDE_DELETED))
            return list(await session.scalars(select(Ticket.id)))

        assert await execute(look_twice) == [live_id]

    async def test_refreshing_a_row_just_deleted_still_finds_it(self, database, live_id) -> None:
        async def delete_and_refresh(session) -> str:
            ticket = await session.get_one(Ticket, live_id)
            ticket.deleted_at = clock.now()
            await session.flush()
            session.expire(ticket, ["title"])
            await session.refresh(ticket, ["title"])
            return ticket.title

        assert await database.run(delete_and_refresh) == "Live"


class TestRefuseStatements:
    @pytest.mark.parametrize(
        "statement",
        [
            insert(Tag).values(name="x"),
            update(Ticket).values(title="x"),
            delete(Ticket),
            text("UPDATE tickets SET title = 'x'"),
            text("  delete from tickets"),
        ],
        ids=["insert", "update", "delete", "text update", "text delete"],
    )
    async def test_a_page_cannot_send_a_write(self, database, live_id, statement) -> None:
        with pytest.raises(WriteOutsideService, match="asked to write"):
            await database.read(lambda session: session.execute(statement))

    async def test_a_page_may_send_a_select_as_text(self, database) -> None:
        assert await database.read(lambda session: session.scalar(text(" select 7"))) == 7

    async def test_a_write_hidden_behind_a_select_is_refused_by_the_connection(self, database, live_id) -> None:
        """The list of reading words is a courtesy; this is the lock."""
        hidden = {"sqlite": "PRAGMA user_version = 7", "postgresql": "SELECT nextval('ticket_number_seq')"}
        statement = text(hidden[database.engines.dialect])
        with pytest.raises((AppError, DBAPIError)) as refused:
            await database.read(lambda session: session.execute(statement))
        said = f"{refused.value} {refused.value.__cause__}"
        assert re.search("readonly database|read-only transaction", said)

    async def test_a_service_may_write(self, database, live_id) -> None:
        await database.run(lambda session: session.execute(update(Ticket).values(title="x")))
        assert await database.read(lambda session: session.scalar(select(Ticket.title))) == "x"


class TestRefuseFlush:
    async def test_a_page_cannot_add_an_object(self, database) -> None:
        async with database.stream() as session:
            session.add(Tag(name="x"))
            with pytest.raises(WriteOutsideService, match="asked to flush"):
                await session.flush()

    async def test_a_page_cannot_change_an_object(self, database, live_id) -> None:
        async with database.stream() as session:
            ticket = await session.get_one(Ticket, live_id)
            ticket.title = "x"
            with pytest.raises(WriteOutsideService, match="asked to flush"):
                await session.commit()

    async def test_a_page_cannot_delete_an_object(self, database, live_id) -> None:
        async with database.stream() as session:
            await session.delete(await session.get_one(Ticket, live_id))
            with pytest.raises(WriteOutsideService, match="asked to flush"):
                await session.flush()

    async def test_a_page_that_changed_nothing_may_flush(self, database, live_id) -> None:
        async with database.stream() as session:
            ticket = await session.get_one(Ticket, live_id)
            await session.flush()
            assert ticket.title == "Live"

    async def test_a_live_session_flushes(self, database) -> None:
        async with LiveSession(database.engines.write) as session:
            session.add(Tag(name="x"))
            await session.flush()
            assert await session.scalar(select(func.count(Tag.id))) == 1
