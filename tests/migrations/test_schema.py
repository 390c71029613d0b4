"""Up, down and up again; and what the migrations make is what the models say."""

import asyncio
import io

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from admin_app.db.base import Base
from alembic import command
from tests.support.migrating import alembic_config, migrate

STAND_IN_FOR_A_SEQUENCE = "ticket_number_seq"
SEARCH = ("ticket_search", "user_search")
"""Tables that are kept by triggers are no models; `tests/db/test_ticket_search_schema.py` is about them, and
`test_user_search.py`."""


async def look(database_url: str, question):
    """What `question` finds out on a plain connection."""
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        found = await connection.run_sync(question)
    await engine.dispose()
    return found


def tables_in(connection) -> set[str]:
    names = inspect(connection).get_table_names()
    return {name for name in names if name != STAND_IN_FOR_A_SEQUENCE and not name.startswith(SEARCH)}


def leftovers(connection) -> list[str]:
    """Everything in the schema besides alembic's own table."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    else:
        query = (
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
    names = connection.execute(text(query)).scalars()
    return [name for name in names if not name.startswith("alembic_version")]


def differences(connection) -> list:
    options = {
        "compare_type": True,
        "include_object": lambda thing, name, *rest: (
            name != STAND_IN_FOR_A_SEQUENCE and not str(name).startswith(SEARCH)
        ),
    }
    return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


class TestUpgrade:
    async def test_an_empty_database_gets_every_table(self, database_url) -> None:
        assert await look(database_url, tables_in) == set(Base.metadata.tables) | {"alembic_version"}

    async def test_nobody_has_an_account_on_a_new_desk(self, database_url) -> None:
        count = text("SELECT count(*) FROM users")
        assert await look(database_url, lambda connection: connection.execute(count).scalar()) == 0

    async def test_the_schema_is_what_the_models_say(self, database_url) -> None:
        assert await look(database_url, differences) == []

    async def test_a_schema_that_differs_would_be_noticed(self, database_url) -> None:
        """The negative control of the test above."""
        engine = create_async_engine(database_url)
        async with engine.begin() as connection:
            await connection.execute(text("DROP INDEX ix_tickets_trash"))
            await connection.execute(text("ALTER TABLE tags ADD COLUMN colour VARCHAR(20)"))
        await engine.dispose()
        assert {difference[0] for difference in await look(database_url, differences)} == {"add_index", "remove_column"}

    def test_alembic_finds_nothing_to_add(self, empty_database_url) -> None:
        migrate(empty_database_url)
        command.check(alembic_config(empty_database_url))

    def test_migrating_again_changes_nothing(self, empty_database_url) -> None:
        migrate(empty_database_url)
        migrate(empty_database_url)


class TestDowngrade:
    def test_down_and_up_again_ends_where_it_began(self, empty_database_url) -> None:
        migrate(empty_database_url)
        command.downgrade(alembic_config(empty_database_url), "base")
        migrate(empty_database_url)
        command.check(alembic_config(empty_database_url))

    def test_nothing_is_left_at_the_bottom(self, empty_database_url) -> None:
        migrate(empty_database_url)
        command.downgrade(alembic_config(empty_database_url), "base")
        assert asyncio.run(look(empty_database_url, leftovers)) == []


class TestOffline:
    @pytest.mark.parametrize("url", ["sqlite:///unused.sqlite3", "postgresql://desk@unused/desk"])
    def test_the_sql_can_be_printed_for_whoever_runs_it_by_hand(self, url: str) -> None:
        output = io.StringIO()
        command.upgrade(alembic_config(url, output), "head", sql=True)
        sql = output.getvalue()
        for table in Base.metadata.tables:
            assert f"CREATE TABLE {table} (" in sql
        assert "append-only" in sql
        assert STAND_IN_FOR_A_SEQUENCE in sql

    def test_what_is_printed_for_sqlite_makes_the_same_schema(self, tmp_path) -> None:
        output = io.StringIO()
        command.upgrade(alembic_config("sqlite:///unused.sqlite3", output), "head", sql=True)
        engine = create_engine(f"sqlite:///{tmp_path / 'printed.sqlite3'}")
        with engine.connect() as connection:
            connection.connection.executescript(output.getvalue())
            assert differences(connection) == []
        engine.dispose()

    async def test_what_is_printed_for_postgresql_makes_the_same_schema(self, postgresql) -> None:
        output = io.StringIO()
        command.upgrade(alembic_config("postgresql://desk@unused/desk", output), "head", sql=True)
        name = postgresql.create_database()
        plain = make_url(postgresql.database_url(name)).set(drivername="postgresql")
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
        await connection.execute(output.getvalue())
        await connection.close()
        assert await look(postgresql.database_url(name), differences) == []
        postgresql.drop_database(name)


class TestVersions:
    def test_they_form_one_line_numbered_in_order(self) -> None:
        script = ScriptDirectory.from_config(alembic_config("sqlite:///unused.sqlite3"))
        numbers = [revision.revision for revision in script.walk_revisions()][::-1]
        assert numbers == [f"{n:04d}" for n in range(1, len(numbers) + 1)], (
            "Two heads cannot both be applied: number a migration after its neighbour and point down_revision at it."
        )
