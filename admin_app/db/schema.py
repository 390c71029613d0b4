"""Which migrations the database has seen, running those that it has not, and whether this code works with the result.

During a release the database is newer than the code that is still there. What a migration adds, older code can ignore;
what takes something away says with `works_from` whose code still works, and older code then refuses to start.
"""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from alembic import command

NOT_MIGRATED = (
    "The database is not migrated to this version of the desk. Run: python -m admin_app migrate. "
    "Or, when a newer version has migrated it already: run that one."
)
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


async def fits(session: AsyncSession) -> bool:
    """Whether this code works with the schema: with its own, and with a newer one that takes nothing away from it."""
    stored, known = await stored_revision(session), _known_revisions()
    if stored is None or stored in known:
        return stored is not None and known[stored]
    oldest = await _oldest_that_works(session)
    return oldest is None or oldest in known


def works_from(op: Operations, revision: str) -> None:
    """Have the schema say that code works with it from this revision on; for the upgrade that takes something away."""
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"PRAGMA user_version = {int(revision)}")
    else:
        op.create_table_comment("alembic_version", f"{int(revision):04}")


async def _oldest_that_works(session: AsyncSession) -> str | None:
    """None while nothing was ever taken away."""
    if session.get_bind().dialect.name == "sqlite":
        number = await session.scalar(text("PRAGMA user_version"))
        return f"{number:04}" if number else None
    comment: str | None = await session.scalar(text("SELECT obj_description('alembic_version'::regclass, 'pg_class')"))
    return comment


@cache
def _known_revisions() -> dict[str, bool]:
    """Those that this code brings, and whether it is the last of them."""
    scripts = ScriptDirectory.from_config(_config(""))
    return {script.revision: script.revision in scripts.get_heads() for script in scripts.walk_revisions()}


def _config(database_url: str) -> Config:
    config = Config(toml_file=str(PYPROJECT))
    config.attributes["database_url"] = database_url
    return config


def _has_version_table(session: Session) -> bool:
    return inspect(session.connection()).has_table("alembic_version")
