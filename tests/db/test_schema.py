"""Which migrations the database has seen."""

import anyio.to_thread
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from admin_app.db import schema
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.db.readiness import NotReady
from tests.support.migrating import is_current


class TestUpgrade:
    async def test_an_empty_database_becomes_current(self, empty_database_url: str) -> None:
        database = Database(create_engines(empty_database_url))
        assert await database.read(schema.stored_revision) is None
        assert not await database.read(is_current)
        await anyio.to_thread.run_sync(schema.upgrade, empty_database_url)
        assert await database.read(schema.stored_revision) == schema.newest_revision()
        assert await database.read(is_current)
        await database.dispose()

    async def test_a_second_time_changes_nothing(self, database: Database, database_url: str) -> None:
        await anyio.to_thread.run_sync(schema.upgrade, database_url)
        assert await database.read(is_current)


class TestFits:
    async def test_a_newer_schema_does_until_it_takes_away_what_this_code_needs(self, database: Database) -> None:
        assert await database.read(schema.fits)
        await _at(database, "0001")
        assert not await database.read(schema.fits), "an older one"
        await _at(database, "9999")
        assert await database.read(schema.fits), "the next release has migrated it, and taken nothing away"
        try:
            for revision, fits in ((str(schema.newest_revision()), True), ("9998", False)):
                await _works_from(database, revision)
                assert await database.read(schema.fits) is fits, revision
                assert await database._fault() == (None if fits else NotReady.UNMIGRATED), revision
            await _at(database, str(schema.newest_revision()))
            assert await database.read(schema.fits), "its own always does"
        finally:
            await _works_from(database, "0001")


async def _at(database: Database, revision: str) -> None:
    """As if the database had seen all migrations up to this one."""
    change = text("UPDATE alembic_version SET version_num = :revision")
    await database.run(lambda session: session.execute(change, {"revision": revision}))


async def _works_from(database: Database, revision: str) -> None:
    """As a migration says it."""

    def say(connection: Connection) -> None:
        schema.works_from(Operations(MigrationContext.configure(connection)), revision)

    async with database.engines.write.begin() as connection:
        await connection.run_sync(say)


class TestIsCurrent:
    async def test_an_older_schema_is_not_nor_is_a_newer_one(self, database: Database) -> None:
        await _at(database, "0001")
        assert await database.read(schema.stored_revision) == "0001"
        assert not await database.read(is_current)
        await _at(database, "9999")
        assert not await database.read(is_current)

    async def test_a_version_table_without_a_row_is_not(self, database: Database) -> None:
        await database.run(lambda session: session.execute(text("DELETE FROM alembic_version")))
        assert not await database.read(is_current)
