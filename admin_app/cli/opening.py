"""From the settings to an open database: what every command begins with."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import make_url

from admin_app.app import open_database
from admin_app.cli.talking import fail
from admin_app.db import schema
from admin_app.db.database import Database
from admin_app.settings import Settings

T = TypeVar("T")


def with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Open the database, refuse one that is not migrated, do the work, and close every connection."""

    async def opened() -> T:
        database = open_database(settings)
        try:
            await refuse_unmigrated(database)
            return await work(database)
        finally:
            await database.dispose()

    refuse_missing_file(settings.database_url)
    return asyncio.run(opened())


async def refuse_unmigrated(database: Database) -> None:
    """End the command unless this code works with the schema; with a newer one it mostly does."""
    if not await database.read(schema.fits):
        raise fail(schema.NOT_MIGRATED)


def refuse_missing_file(database_url: str) -> None:
    """End the command for an SQLite file that is not there: opening it would make an empty one."""
    file = sqlite_file(database_url)
    if file is not None and not file.exists():
        raise fail(schema.NOT_MIGRATED)


def migrate(database_url: str) -> None:
    """Bring the database to the newest schema; an SQLite file is made with its folder, for this user alone."""
    file = sqlite_file(database_url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    schema.upgrade(database_url)


def sqlite_file(database_url: str) -> Path | None:
    """The file behind an SQLite URL; None for PostgreSQL."""
    url = make_url(database_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
