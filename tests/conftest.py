"""Fixtures that every floor shares. Each test that asks for a database runs on SQLite and on PostgreSQL."""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

os.environ["ENVIRONMENT"] = "test"

from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from tests.support.cast import Cast, store_cast
from tests.support.compiled import compiled_once
from tests.support.migrating import migrate
from tests.support.postgresql import EmptiedDatabase, PostgresServer, postgresql_server
from tests.support.snapshots import Snapshots
from tests.support.statements import StatementCount, count_statements

DATABASES = ("sqlite", "postgresql")
LONG_FIRST = (
    "tests/flows/",
    "tests/faults/",
    "tests/migrations/",
    "tests/benchmarks/",
    "tests/cli/",
    "tests/test_main",
)
"""Where few tests of a file take long; begun last, one of them would keep one worker busy and the other waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files before those of a moment; within a file nothing changes its place."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG_FIRST))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The desk runs on asyncio; so do its tests."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    with compiled_once():
        yield


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the newest schema, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "desk.sqlite3"
    migrate(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """One server per test process."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: PostgresServer) -> Iterator[str]:
    """The name of a PostgreSQL database with the newest schema, to be copied."""
    name = postgresql.create_database()
    migrate(postgresql.database_url(name))
    yield name
    postgresql.drop_database(name)


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database of this test's own."""
    file = tmp_path / "desk.sqlite3"
    shutil.copy(migrated_sqlite, file)
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(scope="session")
def emptied_postgresql(postgresql: PostgresServer, migrated_postgresql: str) -> Iterator[EmptiedDatabase]:
    """The migrated PostgreSQL database that the tests of this process use one after the other."""
    database = EmptiedDatabase(postgresql, migrated_postgresql)
    yield database
    database.drop()


@pytest.fixture
def postgresql_url(postgresql: PostgresServer, emptied_postgresql: EmptiedDatabase) -> Iterator[str]:
    """A migrated, empty PostgreSQL database, for the time of this test its own."""
    yield postgresql.database_url(emptied_postgresql.name)
    emptied_postgresql.empty()


@pytest.fixture(scope="session")
def snapshots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """The scenes that were made already."""
    return Snapshots(tmp_path_factory.mktemp("scenes"), lambda: request.getfixturevalue("emptied_postgresql"))


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database: once on SQLite, once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that no migration has touched."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgresql")
    name = server.create_database()
    yield server.database_url(name)
    server.drop_database(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The desk's database, as `create_app` would make it."""
    database = Database(create_engines(database_url))
    yield database
    await database.dispose()


@pytest.fixture
async def cast(database: Database) -> Cast:
    """Sam, Sid, Sue, Olaf, Ada, Mallory and Kim, created and committed."""
    return await store_cast(database)


@pytest.fixture
def statement_counter(database: Database) -> Callable[[], AbstractContextManager[StatementCount]]:
    """`with statement_counter() as counted:` counts what the block sends; `counted.total`, `counted.statements`."""
    return partial(count_statements, database.engines)
