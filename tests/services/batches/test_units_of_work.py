"""What a batch needs of the database, and that the database has it."""

import pytest
from sqlalchemy import select

from admin_app.db.database import Database
from admin_app.errors import WriteOutsideService
from admin_app.models import Tag
from admin_app.services.batches.units_of_work import ReadsWork, RunsWork


async def add_tag(session) -> None:
    session.add(Tag(name="lamps"))
    await session.flush()


class TestRunsWork:
    async def test_the_database_runs_and_commits(self, database: Database) -> None:
        run: RunsWork = database.run
        await run(add_tag, repeatable=True)
        assert await database.read(lambda session: session.scalar(select(Tag.name))) == "lamps"


class TestReadsWork:
    async def test_the_database_reads_and_refuses_to_write(self, database: Database) -> None:
        read: ReadsWork = database.read
        assert await read(lambda session: session.scalar(select(Tag.name))) is None
        with pytest.raises(WriteOutsideService):
            await read(add_tag)
