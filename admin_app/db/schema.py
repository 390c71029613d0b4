"""Which migrations the database has seen, and running those that it has not."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from alembic import command

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def upgrade(database_url: str) -> None:
    """Bring the database to the newest schema. Starts an event loop: call it where none is running."""
    command.upgrade(_config(database_url), "head")


def newest_revision() -> str | None:
    """The revision that this code needs."""
    return ScriptDirectory.from_config(_config("")).get_current_head()


async def stored_revision(session: AsyncSession) -> str | None:
    """The revision that the database is at; None when no migration has touched it."""
    if not await session.run_sync(_has_version_table):
        return None
    found: str | None = await session.scalar(text("SELECT version_num FROM alembic_version"))
    return found


async def is_behind(session: AsyncSession) -> bool:
    """Whether this code needs migrations that the database has not seen.

    A schema that is newer than the code is not behind: during a release the old code goes on until it is replaced.
    """
    stored = await stored_revision(session)
    return stored is None or stored in _earlier_revisions()


async def is_current(session: AsyncSession) -> bool:
    """Whether the database has exactly the schema that this code needs."""
    return await stored_revision(session) == newest_revision()


@cache
def _earlier_revisions() -> frozenset[str]:
    scripts = ScriptDirectory.from_config(_config(""))
    return frozenset(script.revision for script in scripts.walk_revisions()) - set(scripts.get_heads())


def _config(database_url: str) -> Config:
    config = Config(toml_file=str(PYPROJECT))
    config.attributes["database_url"] = database_url
    return config


def _has_version_table(session: Session) -> bool:
    return inspect(session.connection()).has_table("alembic_version")
