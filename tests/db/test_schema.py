"""Which migrations the database has seen."""

import anyio.to_thread
from sqlalchemy import text

from admin_app.db import schema
from admin_app.db.database import Database
from admin_app.db.engine import create_engines


class TestUpgrade:
    async def test_an_empty_database_becomes_current(self, empty_database_url: str) -> None:
        database = Database(create_engines(empty_database_url))
        assert await database.read(schema.stored_revision) is None
        assert not await database.read(schema.is_current)
        await anyio.to_thread.run_sync(schema.upgrade, empty_database_url)
        assert await database.read(schema.stored_revision) == schema.newest_revision()
        assert await database.read(schema.is_current)
        await database.dispose()

    async def test_a_second_time_changes_nothing(self, database: Database, database_url: str) -> None:
        await anyio.to_thread.run_sync(schema.upgrade, database_url)
        assert await database.read(schema.is_current)


class TestIsCurrent:
    async def test_an_older_schema_is_not_and_is_behind(self, database: Database) -> None:
        assert not await database.read(schema.is_behind)
        await database.run(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '0001'")))
        assert await database.read(schema.stored_revision) == "0001"
        assert not await database.read(schema.is_current)
        assert await database.read(schema.is_behind)
        await database.run(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '9999'")))
        assert not await database.read(schema.is_current)
        assert not await database.read(schema.is_behind), "the next release has migrated it already"

    async def test_a_version_table_without_a_row_is_not(self, database: Database) -> None:
        await database.run(lambda session: session.execute(text("DELETE FROM alembic_version")))
        assert not await database.read(schema.is_current)
