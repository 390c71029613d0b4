"""Tickets straight into the tables, for tests below the services."""

import itertools
from typing import Any

from admin_app.db.database import Database
from admin_app.models import Comment, Ticket
from tests.support.cast import Cast

_numbers = itertools.count(1)


async def store_ticket(database: Database, cast: Cast, **columns: Any) -> int:
    """A ticket that Kim opened; its id."""
    number = f"X-{next(_numbers):06d}"
    ticket = Ticket(**{"ticket_number": number, "title": "Broken lamp", "creator_id": cast.kim.id, **columns})
    return await _store(database, ticket)


async def store_comment(database: Database, cast: Cast, ticket_id: int, **columns: Any) -> int:
    """A comment by Sam; its id."""
    comment = Comment(**{"ticket_id": ticket_id, "author_id": cast.sam.id, "body": "On it.", **columns})
    return await _store(database, comment)


async def _store(database: Database, row: Any) -> int:
    async def add(session) -> int:
        session.add(row)
        await session.flush()
        return row.id

    return await database.run(add)
