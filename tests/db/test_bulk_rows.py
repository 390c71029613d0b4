"""Rows by the hundred thousand: nothing that hangs on a table is lost, whatever happens on the way."""

import re
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.db import bulk_rows
from admin_app.db.base import Base
from admin_app.db.database import Database
from tests.support.cast import Cast

TICKETS, TAGS = Base.metadata.tables["tickets"], Base.metadata.tables["tags"]
COLUMNS = ("name", "created_at", "updated_at")
TRIGGER = {
    "sqlite": [
        "CREATE TRIGGER tags_seen AFTER INSERT ON tags BEGIN UPDATE tags SET name = 'seen' WHERE id = new.id; END"
    ],
    "postgresql": [
        "CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := 'seen'; RETURN NEW; END $$",
        "CREATE TRIGGER tags_seen BEFORE INSERT ON tags FOR EACH ROW EXECUTE FUNCTION seen()",
    ],
}
CASTS = re.compile(r"::(character varying|text)(\[\])?|[()]")
"""PostgreSQL may write the casts of a condition otherwise once it has read its own words."""
UNTRIGGER = {"sqlite": ["DROP TRIGGER tags_seen"], "postgresql": ["DROP FUNCTION seen CASCADE"]}


def plain(part: Any) -> str:
    """An index or a key in words, its condition included."""
    options = {name: CASTS.sub("", str(value)) for name, value in part.get("dialect_options", {}).items()}
    return str({**part, "dialect_options": options})


def shape(connection: Connection) -> dict[str, Any]:
    """Everything that hangs on the two tables."""
    found = inspect(connection)
    parts = {
        table: (found.get_indexes(table), found.get_foreign_keys(table), found.get_unique_constraints(table))
        for table in ("tickets", "tags", "ticket_tags")
    }
    return {name: [sorted(map(plain, part)) for part in three] for name, three in parts.items()}


async def look(database: Database) -> dict[str, Any]:
    """The shape as it is now."""
    async with database.engines.aside.connect() as connection:
        return await connection.run_sync(shape)


async def execute(database: Database, statements: list[str]) -> None:
    """Statements past every service."""
    for statement in statements:
        await database.run(lambda session, statement=statement: session.execute(text(statement)))  # type: ignore[misc]


class TestUnburdened:
    async def test_what_hangs_on_a_table_is_back_afterwards_even_when_the_work_fails(
        self, database: Database, cast: Cast
    ) -> None:
        before = await look(database)
        inside: list[int] = []

        async def fill(session: AsyncSession, names: list[str], fault: Exception | None = None) -> None:
            connection = await session.connection()
            tables = [TICKETS, TAGS, Base.metadata.tables["ticket_tags"]]
            async with bulk_rows.unburdened(session, tables):
                shaped = await connection.run_sync(shape)
                inside.append(len(shaped["tickets"][0]) + len(shaped["ticket_tags"][0]))
                await bulk_rows.append(session, TAGS, COLUMNS, [(name, clock.now(), clock.now()) for name in names])
                if fault is not None:
                    raise fault

        with pytest.raises(RuntimeError):
            await database.run(lambda session: fill(session, ["lost"], RuntimeError("killed midway")))
        assert await look(database) == before
        await execute(database, TRIGGER[database.engines.dialect])
        await database.run(lambda session: fill(session, ["a", "b"]))
        await database.run(lambda session: fill(session, ["c"]))
        await execute(database, UNTRIGGER[database.engines.dialect])
        assert await look(database) == before
        empty, full = inside[1], inside[2]
        assert (inside[0], empty < full, full >= 12) == (empty, True, True), "a full table keeps its indexes"
        names = set(await database.read(lambda session: session.scalars(select(TAGS.c.name))))
        assert names == {"a", "b", "seen"}, "the trigger slept, and woke up again"

    async def test_tables_without_tickets_leave_the_words_of_the_search_alone(self, database: Database) -> None:
        async def fill(session: AsyncSession) -> bool:
            async with bulk_rows.unburdened(session, [TAGS]) as is_empty:
                await bulk_rows.append(session, TAGS, COLUMNS, [("a", clock.now(), clock.now())])
            return is_empty

        before = await look(database)
        assert [await database.run(fill), await look(database) == before] == [True, True]


class TestTakeIds:
    async def test_they_are_in_order_and_nobody_elses(self, database: Database, cast: Cast) -> None:
        async def take(session: AsyncSession) -> list[int]:
            ids = await bulk_rows.take_ids(session, TAGS, 3)
            rows = [(number, f"tag {number}", clock.now(), clock.now()) for number in ids]
            await bulk_rows.append(session, TAGS, ("id", *COLUMNS), rows)
            return ids

        first, second = await database.run(take), await database.run(take)
        assert sorted({*first, *second}) == [*first, *second]
