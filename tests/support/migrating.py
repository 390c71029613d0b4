"""Running the desk's own migrations on a database of a test's choice."""

import io
from pathlib import Path

from alembic.config import Config
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.db import schema
from alembic import command

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def alembic_config(database_url: str, output: io.StringIO | None = None) -> Config:
    """The configuration from pyproject.toml, aimed at `database_url`."""
    config = Config(toml_file=str(PROJECT_ROOT / "pyproject.toml"), output_buffer=output)
    config.attributes["database_url"] = database_url
    return config


async def is_current(session: AsyncSession) -> bool:
    """Whether the database has exactly the schema that this code needs."""
    return await schema.stored_revision(session) == schema.newest_revision()


def migrate(database_url: str) -> None:
    """Bring the database to the newest schema. Starts an event loop: call it where none is running."""
    command.upgrade(alembic_config(database_url), "head")
