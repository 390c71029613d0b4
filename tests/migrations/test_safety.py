"""A migration that fails leaves nothing behind; several processes may migrate at once."""

import asyncio
import re
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


BROKEN = {
    "from sqlalchemy import Connection, text": "from sqlalchemy import Connection, NullPool, text\n"
    "from sqlalchemy.ext.asyncio import create_async_engine",
    "engines.write.connect()": "create_async_engine("
    "async_url(database_url()), isolation_level='AUTOCOMMIT', poolclass=NullPool).connect()",
    "    if on_postgresql:\n": "    if False:\n",
}


def without_a_transaction(migrations: Path) -> None:
    """A broken build: every statement for itself, and no lock around all of them."""
    environment = migrations / "env.py"
    code = environment.read_text()
    for ours, broken in BROKEN.items():
        assert ours in code
        code = code.replace(ours, broken)
    environment.write_text(code)


def left_behind(database_url: str) -> list[str]:
    """What is there of the migration that fails midway."""
    tables = ask(database_url, lambda connection: inspect(connection).get_table_names())
    columns = ask(database_url, lambda connection: inspect(connection).get_columns("tags"))
    rows = ask(database_url, lambda connection: connection.scalar(text("SELECT count(*) FROM tags")))
    found = {
        "a table": "half_done" in tables,
        "a column": "half_done" in {column["name"] for column in columns},
        "a row": rows > 0,
    }
    return [what for what, is_there in found.items() if is_there]


def fail_midway(database_url: str, migrations: Path) -> None:
    """Migrate, and then run the step that fails."""
    migrate(database_url)
    config = alembic_config(database_url)
    config.set_main_option("script_location", str(migrations))
    with pytest.raises(Exception, match="no_such_column"):
        command.upgrade(config, "head")


TAKES_AWAY = re.compile(r"\bdrop_(?:column|table)\b|nullable=False|\brename_table\b|\bnew_column_name\b")
HAD_NO_RELEASE_BEFORE = "0019"


def silent_contractions(versions: Path) -> list[str]:
    """Migrations that take something away from older code without saying whose code still works."""
    found = []
    for file in sorted(versions.glob("[0-9]*.py")):
        upgrade = file.read_text().split("def downgrade", maxsplit=1)[0].partition("def upgrade")[2]
        made = re.sub(r"create_table\(.*?\n    \)", "", upgrade, flags=re.DOTALL)
        if file.name[:4] > HAD_NO_RELEASE_BEFORE and TAKES_AWAY.search(made) and "works_from(" not in upgrade:
            found.append(file.name)
    return found


class TestContracting:
    def test_whatever_takes_something_away_says_whose_code_still_works(self, tmp_path: Path) -> None:
        assert silent_contractions(PROJECT_ROOT / "alembic" / "versions") == []
        drop = "def upgrade() -> None:\n    op.drop_column('tags', 'name')\n"
        (tmp_path / "9998_drop.py").write_text(drop)
        (tmp_path / "9999_drop.py").write_text(f"{drop}    works_from(op, '9997')\n")
        assert silent_contractions(tmp_path) == ["9998_drop.py"]


class TestFailingMidway:
    def test_nothing_of_the_failing_step_is_left(self, empty_database_url, broken_migrations, capsys) -> None:
        migrate(empty_database_url)
        version = ask(empty_database_url, version_in)
        fail_midway(empty_database_url, broken_migrations)
        with capsys.disabled():
            dialect = empty_database_url.split("+")[0]
            print(f"\nR-17 {dialect}: failed midway, left behind {left_behind(empty_database_url)}")
        assert left_behind(empty_database_url) == []
        assert ask(empty_database_url, version_in) == version

    def test_without_a_transaction_half_of_it_is_found(self, empty_database_url, broken_migrations) -> None:
        """The negative control."""
        without_a_transaction(broken_migrations)
        fail_midway(empty_database_url, broken_migrations)
        assert left_behind(empty_database_url) == ["a table", "a column", "a row"]

    def test_afterwards_the_repaired_migration_runs(self, empty_database_url, broken_migrations) -> None:
        config = alembic_config(empty_database_url)
        config.set_main_option("script_location", str(broken_migrations))
        with pytest.raises(Exception, match="no_such_column"):
            command.upgrade(config, "head")
        broken = broken_migrations / "versions" / "9999_fail.py"
        broken.write_text(broken.read_text().replace("no_such_column", "name"))
        command.upgrade(config, "head")
        assert ask(empty_database_url, version_in) == "9999"


MIGRATE = """
import sys
from alembic import command
from tests.support.migrating import alembic_config
config = alembic_config(sys.argv[1])
config.set_main_option("script_location", sys.argv[2])
command.upgrade(config, "head")
"""


def migrate_four_times_at_once(database_url: str, migrations: Path) -> tuple[list[int], str]:
    """How each of four processes ended, and what they said."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, database_url, str(migrations)],
            cwd=PROJECT_ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    ends = [process.communicate(timeout=120)[1] for process in processes]
    return [process.returncode for process in processes], "\n".join(ends)


class TestSeveralAtOnce:
    def test_four_processes_migrating_one_database_all_succeed(self, empty_database_url, capsys) -> None:
        codes, said = migrate_four_times_at_once(empty_database_url, PROJECT_ROOT / "alembic")
        with capsys.disabled():
            print(f"\nR-17 {empty_database_url.split('+')[0]}: four at once ended with {codes}, no half schema")
        assert codes == [0, 0, 0, 0], said
        command.check(alembic_config(empty_database_url))

    def test_without_the_lock_some_of_them_fail(self, empty_database_url, tmp_path: Path) -> None:
        """The negative control: the first step takes long enough for all four to begin it."""
        folder = tmp_path / "alembic"
        shutil.copytree(PROJECT_ROOT / "alembic", folder)
        without_a_transaction(folder)
        first = next((folder / "versions").glob("0001_*.py"))
        slow = "def upgrade() -> None:\n    import time\n\n    time.sleep(2)"
        first.write_text(first.read_text().replace("def upgrade() -> None:", slow))
        codes, _ = migrate_four_times_at_once(empty_database_url, folder)
        assert any(codes)
