"""Migrations, online and offline, on SQLite and PostgreSQL.

How to change a live schema here: **expand – backfill – contract**, never in one step.

1. *Expand*: add what the new code needs in a form that the old code can ignore: a nullable column, a new table, an
   index. On PostgreSQL build an index on a table that is in use inside
   `with op.get_context().autocommit_block(): op.create_index(…, postgresql_concurrently=True)`.
2. *Backfill*: fill the new column in batches by primary key, outside the schema change, and let the code write both.
3. *Contract*: one release later, when nothing reads the old form any more, add NOT NULL or drop the old column, and say
   `works_from(op, "0020")` (`admin_app.db.schema`) with the newest revision of the release before: its code, and no
   older one, works with what is left. Going back says the one before that.

So a worker of the old release may be started again while the new one is brought in, and one from before that may not.

Number the file after its neighbour (`0002_…`) and name it after what it does. On SQLite use `op.batch_alter_table`.

PostgreSQL runs each migration in a transaction of its own; SQLite runs all of them in one, opened with BEGIN
IMMEDIATE, because its driver would otherwise commit half a schema. Either way only one process migrates at a time:
the others wait and then find nothing to do.
"""

import asyncio
import time
from typing import Any

from sqlalchemy import Connection, text

from admin_app import models
from admin_app.db.engine import PoolOptions, async_url, create_engines
from admin_app.db.ticket_numbers import SEQUENCE
from admin_app.settings import Settings
from alembic import context

KEPT_BY_TRIGGERS = ("ticket_search", "user_search")
MIGRATION_LOCK = 0x5DE5C

PATIENT = PoolOptions(lock_timeout=60, statement_timeout=3600, command_timeout=3600)


def database_url() -> str:
    """From the caller when there is one, else from the settings."""
    given = context.config.attributes.get("database_url")
    return str(given) if given else Settings().database_url


def include_object(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """The stand-in for a sequence on SQLite is no model, and neither are tables that triggers keep."""
    return not (kind == "table" and (name == SEQUENCE or (name or "").startswith(KEPT_BY_TRIGGERS)))


OPTIONS: dict[str, Any] = {
    "target_metadata": models.User.metadata,
    "include_object": include_object,
    "compare_type": True,
    "render_as_batch": True,
}


def run_offline() -> None:
    """Print the SQL instead of running it (`--sql`)."""
    url = async_url(database_url())
    context.configure(
        url=url.set(drivername=url.get_backend_name()), literal_binds=True, transactional_ddl=True, **OPTIONS
    )
    with context.begin_transaction():
        context.run_migrations()


def wait_for_the_turn(connection: Connection) -> None:
    """One process migrates at a time.

    Whoever waits asks again and again, outside of any transaction: an index that is built concurrently waits for all
    transactions there are, and would wait for one that waits for the lock.
    """
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK}):
        connection.rollback()
        time.sleep(0.1)
    connection.commit()


def run_on(connection: Connection) -> None:
    """Migrate over an open connection."""
    on_postgresql = connection.dialect.name == "postgresql"
    if on_postgresql:
        wait_for_the_turn(connection)
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=on_postgresql, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    """Migrate the database that the settings (or the caller) name."""
    engines = create_engines(database_url(), PATIENT)
    try:
        async with engines.write.connect() as connection:
            await connection.run_sync(run_on)
            await connection.commit()
    finally:
        await engines.dispose()


if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(run_online())
