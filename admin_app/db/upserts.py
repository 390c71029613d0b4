"""INSERT that leaves alone what is there already, however many write at once."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


def insert_or_skip(session: AsyncSession, target: Any) -> Any:
    """An INSERT for a table or model that skips rows whose unique value is taken."""
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return make(target).on_conflict_do_nothing()
