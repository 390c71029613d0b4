"""Which reference leads nowhere, told from the statement that was refused."""

import pytest
from sqlalchemy import event, insert, update
from sqlalchemy.exc import IntegrityError

from admin_app.db import references
from admin_app.errors import InvalidInput
from admin_app.models import Tag, Ticket, TicketWatcher, ticket_tags
from tests.support.tickets import store_ticket

NOBODY = 999


def refused(statement: str, params) -> IntegrityError:
    return IntegrityError(statement, params, Exception("FOREIGN KEY constraint failed"))


async def field_of(database, work) -> set[str]:
    """The field at which a unit of work is refused."""
    with pytest.raises(InvalidInput) as caught:
        await database.run(work)
    assert set(caught.value.fields.values()) == {"The record this points to does not exist."}
    return set(caught.value.fields)


def new_ticket(**columns):
    return insert(Ticket).values(**{"ticket_number": "T-1", "title": "x", "version": 1, "creator_id": 1, **columns})


class TestByADatabase:
    async def test_an_insert_is_refused_at_the_field(self, database, cast) -> None:
        for field in ("owner_id", "creator_id", "parent_id"):
            statement = new_ticket(**{field: NOBODY})
            assert await field_of(database, lambda session, s=statement: session.execute(s)) == {field}

    async def test_an_update_of_a_row_that_is_loaded_is_refused_at_the_field(self, database, cast) -> None:
        stored = await store_ticket(database, cast)

        async def work(session) -> None:
            ticket = await session.get(Ticket, stored)
            ticket.title, ticket.parent_id = "Another", NOBODY

        assert await field_of(database, work) == {"parent_id"}

    async def test_a_statement_for_many_rows_is_refused_at_the_field(self, database, cast) -> None:
        stored = await store_ticket(database, cast)
        rows = [{"ticket_id": stored, "tag_id": 1}, {"ticket_id": stored, "tag_id": NOBODY}]

        async def work(session) -> None:
            session.add(Tag(name="lamp"))
            await session.flush()
            await session.execute(insert(ticket_tags), rows)

        assert await field_of(database, work) == {"tag_id"}

    async def test_objects_that_are_added_together_are_refused_at_the_field(self, database, cast) -> None:
        stored = await store_ticket(database, cast)

        async def work(session) -> None:
            people = (cast.sam.id, NOBODY)
            session.add_all([TicketWatcher(ticket_id=stored, user_id=number) for number in people])

        assert await field_of(database, work) == {"user_id"}

    async def test_what_cannot_be_looked_up_is_about_the_whole_form(self, sqlite_url, database, cast) -> None:
        if database.engines.dialect != "sqlite":
            return

        def fail(*arguments) -> None:
            raise OSError

        event.listen(database.engines.aside.sync_engine, "before_cursor_execute", fail)
        assert await field_of(database, lambda session: session.execute(new_ticket(owner_id=NOBODY))) == {"form"}


class TestMissing:
    async def test_values_within_an_expression_are_passed_over(self, database, cast) -> None:
        statement = update(Ticket).values(version=Ticket.version + 1, owner_id=NOBODY)
        stored = await store_ticket(database, cast)
        assert await field_of(database, lambda s: s.execute(statement.where(Ticket.id == stored))) == {"owner_id"}

    @pytest.mark.parametrize(
        "error",
        [
            refused("INSERT INTO no_such_table (owner_id) VALUES (?)", (NOBODY,)),
            refused("INSERT INTO tickets (no_such_column) VALUES (?)", (NOBODY,)),
            refused("INSERT INTO tickets (title, owner_id) VALUES ('x', ?)", (NOBODY,)),
            refused("INSERT INTO tickets (owner_id) VALUES (?)", (None,)),
            refused("INSERT INTO tickets (owner_id) VALUES (?)", {"owner_id": NOBODY}),
            refused("INSERT INTO comments SELECT 1", ()),
            refused("UPDATE tickets SET owner_id=?", ()),
            refused("UPDATE tickets SET owner_id=999", ()),
            refused("", None),
        ],
        ids=lambda error: error.statement,
    )
    async def test_what_the_statement_does_not_tell_nobody_knows(self, database, error) -> None:
        assert await database.read(lambda session: references.missing(session, error)) is None

    async def test_a_row_that_is_there_after_all_is_no_field(self, database, cast) -> None:
        error = refused("INSERT INTO tickets (owner_id) VALUES (?)", (cast.sam.id,))
        assert await database.read(lambda session: references.missing(session, error)) is None

    async def test_a_statement_without_a_condition_is_read_to_its_end(self, database, cast) -> None:
        error = refused("UPDATE comments SET author_id=?", (NOBODY,))
        assert await database.read(lambda session: references.missing(session, error)) == "author_id"
