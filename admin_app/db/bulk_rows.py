"""Rows by the hundred thousand: past the ORM, in the form that each driver takes fastest, with little memory.

`unburdened` takes what makes a single row slow (secondary indexes, triggers and, on PostgreSQL, foreign keys) off
empty tables and puts it back when they are full. Both databases do that inside the transaction: whoever kills the
process midway leaves the tables as they were.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Table, TableClause, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from admin_app.db.ticket_search_schema import SQLITE_INDEX_ALL

PATIENCE_SECONDS = 3600
SQLITE_CACHE_KIB = 262_144
SEARCHED, SEARCH = "tickets", "ticket_search"
"""The table whose words triggers keep for the search, and where they keep them."""

Record = tuple[Any, ...]

_SQLITE_PARTS = text(
    "SELECT type, name, sql FROM sqlite_master WHERE tbl_name IN :tables AND sql IS NOT NULL "
    "AND type IN ('index', 'trigger') ORDER BY type, name"
).bindparams(bindparam("tables", expanding=True))

_POSTGRESQL_KEYS = text(
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE contype = 'f' AND conrelid::regclass::text IN :tables ORDER BY 1, 2"
).bindparams(bindparam("tables", expanding=True))

_POSTGRESQL_INDEXES = text(
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
    "WHERE indrelid::regclass::text IN :tables AND NOT indisunique ORDER BY 1"
).bindparams(bindparam("tables", expanding=True))


async def append(session: AsyncSession, table: TableClause, columns: Sequence[str], records: Iterable[Record]) -> None:
    """Write records, which hold the values of `columns` in their order; columns left out are the database's to fill.

    Defaults that live in Python are not applied.
    """
    connection = await session.connection()
    prepared = _prepared(connection, table, columns, records)
    driver: Any = (await connection.get_raw_connection()).driver_connection
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        await driver.executemany(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})", prepared)  # noqa: S608
    else:
        await driver.copy_records_to_table(
            table.name, records=prepared, columns=list(columns), timeout=PATIENCE_SECONDS
        )


async def take_ids(session: AsyncSession, table: Table, count: int) -> list[int]:
    """Ids for the next `count` rows of a table, in order."""
    if session.get_bind().dialect.name == "sqlite":
        last = await session.scalar(select(func.coalesce(func.max(table.c.id), 0))) or 0
        return list(range(last + 1, last + 1 + count))
    taken = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
    return sorted((await session.execute(taken, {"table": table.name, "count": count})).scalars())


@asynccontextmanager
async def unburdened(session: AsyncSession, tables: Sequence[Table]) -> AsyncIterator[bool]:
    """Tables to fill in the block; what hangs on them is made anew behind it, statistics included.

    Tables that hold rows keep everything on: to make it anew would cost more than it saves. The block is told whether
    they were empty: then no trigger keeps the words of tickets, and the block has to write them itself.
    """
    connection = await session.connection()
    names = [table.name for table in tables]
    await _wait_for_long_work(connection)
    is_empty = not any([await session.scalar(select(next(iter(table.primary_key))).limit(1)) for table in tables])
    if SEARCHED in names:
        names.append(SEARCH)
    restored = await _take_off(connection, names) if is_empty else []
    if SEARCH in names and connection.dialect.name == "sqlite":
        restored += SQLITE_INDEX_ALL if is_empty else []
    yield is_empty
    for statement in restored:
        await _at_length(connection, statement)
    for name in names:
        await _at_length(connection, f"ANALYZE {name}")


async def _take_off(connection: AsyncConnection, tables: list[str]) -> list[str]:
    """Drop what slows each row down; gives back the statements that make it anew."""
    if connection.dialect.name == "sqlite":
        parts = (await connection.execute(_SQLITE_PARTS, {"tables": tables})).all()
        for part in parts:
            await connection.exec_driver_sql(f"DROP {part.type} {part.name}")
        return [part.sql for part in parts]
    keys = (await connection.execute(_POSTGRESQL_KEYS, {"tables": tables})).all()
    indexes = (await connection.execute(_POSTGRESQL_INDEXES, {"tables": tables})).all()
    drops = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables]
    drops += [f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, definition in keys]
    drops += [f"DROP INDEX {name}" for name, definition in indexes]
    for statement in drops:
        await connection.exec_driver_sql(statement)
    anew = [definition for name, definition in indexes]
    anew += [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in keys]
    return [*anew, *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables)]


async def _wait_for_long_work(connection: AsyncConnection) -> None:
    """An index over a million rows takes longer than a page may."""
    if connection.dialect.name == "sqlite":
        await connection.exec_driver_sql(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
        return
    await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    await connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")


async def _at_length(connection: AsyncConnection, statement: str) -> None:
    """Run a statement that may take minutes; asyncpg has a clock of its own."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    options = {} if connection.dialect.name == "sqlite" else {"timeout": PATIENCE_SECONDS}
    await driver.execute(statement, **options)


def _prepared(
    connection: AsyncConnection, table: TableClause, columns: Sequence[str], records: Iterable[Record]
) -> Iterator[Record]:
    """The records as the driver wants their values; made one by one, while the database works on those before."""
    kinds = [table.c[name].type.dialect_impl(connection.dialect) for name in columns]
    all_processors = [kind.bind_processor(connection.dialect) for kind in kinds]
    processors = [(place, processor) for place, processor in enumerate(all_processors) if processor]
    for record in records:
        values = list(record)
        for place, processor in processors:
            values[place] = processor(values[place])
        yield tuple(values)
