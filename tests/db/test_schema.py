"""Which migrations the database has seen, and running those that it has not."""

import asyncio

from sqlalchemy import text

from admin_app.db import schema
from admin_app.db.database import Database
from admin_app.db.engine import create_engines


async def read(database_url: str, question):
    database = Database(create_engines(database_url))
    found = await database.read(question)
    await database.dispose()
    return found


class TestUpgrade:
    def test_an_empty_database_becomes_current(self, empty_database_url) -> None:
        schema.upgrade(empty_database_url)
        assert asyncio.run(read(empty_database_url, schema.is_current)) is True


class TestNewestRevision:
    def test_it_is_the_last_of_the_migrations(self) -> None:
        files = sorted(file.name for file in (schema.PYPROJECT.parent / "alembic" / "versions").glob("0*.py"))
        assert schema.newest_revision() == files[-1].split("_")[0]


class TestStoredRevision:
    async def test_a_database_that_no_migration_has_touched_has_none(self, empty_database_url) -> None:
        assert await read(empty_database_url, schema.stored_revision) is None

    async def test_a_migrated_one_says_which(self, database) -> None:
        assert await database.read(schema.stored_revision) == schema.newest_revision()


class TestIsCurrent:
    async def test_an_older_schema_is_not(self, database) -> None:
        older = text("UPDATE alembic_version SET version_num = '0001'")
        await database.run(lambda session: session.execute(older))
        assert await database.read(schema.is_current) is False

    async def test_an_empty_database_is_not(self, empty_database_url) -> None:
        assert await read(empty_database_url, schema.is_current) is False
