"""A migration that fails leaves nothing behind; several processes may migrate at once."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from alembic import command
from tests.support.migrating import PROJECT_ROOT, alembic_config, migrate

FAILS_MIDWAY = '''"""make a table, then fail"""

import sqlalchemy as sa

from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("half_done", sa.Column("id", sa.Integer(), primary_key=True))
    op.add_column("tags", sa.Column("half_done", sa.Integer()))
    op.execute("INSERT INTO tags (name, created_at, updated_at) VALUES ('half', '2024-01-01', '2024-01-01')")
    op.execute("SELECT no_such_column FROM tags")


def downgrade() -> None:
    raise NotImplementedError
'''


def ask(database_url: str, question):
    async def connect():
        engine = create_async_engine(database_url)
        async with engine.connect() as connection:
            found = await connection.run_sync(question)
        await engine.dispose()
        return found

    return asyncio.run(connect())


def version_in(connection) -> str | None:
    if "alembic_version" not in inspect(connection).get_table_names():
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


@pytest.fixture
def broken_migrations(tmp_path: Path) -> Path:
    """A copy of the migrations with one more that fails midway."""
    folder = tmp_path / "alembic"
    shutil.copytree(PROJECT_ROOT / "alembic", folder)
    head = max(file.name[:4] for file in (folder / "versions").glob("0*.py"))
    (folder / "versions" / "9999_fail.py").write_text(FAILS_MIDWAY.format(head=head))
    return folder


class TestFailingMidway:
    def test_nothing_of_the_failing_step_is_left(self, empty_database_url, broken_migrations) -> None:
        migrate(empty_database_url)
        version = ask(empty_database_url, version_in)
        config = alembic_config(empty_database_url)
        config.set_main_option("script_location", str(broken_migrations))
        with pytest.raises(Exception, match="no_such_column"):
            command.upgrade(config, "head")

        tables = ask(empty_database_url, lambda connection: inspect(connection).get_table_names())
        columns = ask(empty_database_url, lambda connection: inspect(connection).get_columns("tags"))
        rows = ask(empty_database_url, lambda connection: connection.scalar(text("SELECT count(*) FROM tags")))
        assert "half_done" not in tables
        assert "half_done" not in {column["name"] for column in columns}
        assert rows == 0
        assert ask(empty_database_url, version_in) == version

    def test_afterwards_the_repaired_migration_runs(self, empty_database_url, broken_migrations) -> None:
        config = alembic_config(empty_database_url)
        config.set_main_option("script_location", str(broken_migrations))
        with pytest.raises(Exception, match="no_such_column"):
            command.upgrade(config, "head")
        broken = broken_migrations / "versions" / "9999_fail.py"
        broken.write_text(broken.read_text().replace("no_such_column", "name"))
        command.upgrade(config, "head")
        assert ask(empty_database_url, version_in) == "9999"


class TestSeveralAtOnce:
    def test_four_processes_migrating_one_database_all_succeed(self, empty_database_url) -> None:
        code = "import sys; from tests.support.migrating import migrate; migrate(sys.argv[1])"
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", code, empty_database_url],
                cwd=PROJECT_ROOT,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        ends = [process.communicate(timeout=120)[1] for process in processes]
        assert [process.returncode for process in processes] == [0, 0, 0, 0], "\n".join(ends)
        command.check(alembic_config(empty_database_url))
