"""INSERT that leaves alone what is there already."""

import asyncio

import pytest
from sqlalchemy import func, select

from admin_app import clock
from admin_app.db.upserts import insert_or_skip
from admin_app.errors import AlreadyExists, InvalidInput
from admin_app.models import Tag


def adding(name: str, insert=insert_or_skip):
    async def work(session) -> int:
        values = {"name": name, "created_at": clock.now(), "updated_at": clock.now()}
        return (await session.execute(insert(session, Tag).values(values))).rowcount

    return work


async def how_many(database) -> int:
    return await database.read(lambda session: session.scalar(select(func.count(Tag.id))))


class TestInsertOrSkip:
    async def test_what_is_new_is_added(self, database) -> None:
        assert await database.run(adding("lamp")) == 1
        assert await how_many(database) == 1

    async def test_what_is_there_is_left_alone(self, database) -> None:
        await database.run(adding("lamp"))
        assert await database.run(adding("lamp")) == 0
        assert await how_many(database) == 1

    async def test_of_many_at_once_one_adds_it(self, database) -> None:
        added = await asyncio.gather(*(database.run(adding("lamp")) for _ in range(10)))
        assert sorted(added) == [0] * 9 + [1]

    async def test_a_plain_insert_would_be_refused(self, database) -> None:
        """The negative control."""
        await database.run(adding("lamp"))
        with pytest.raises(AlreadyExists):
            await database.run(adding("lamp", insert=lambda session, model: model.__table__.insert()))

    async def test_a_value_that_is_not_allowed_is_still_refused(self, database) -> None:
        with pytest.raises(InvalidInput):
            await database.run(adding("LAMP"))
