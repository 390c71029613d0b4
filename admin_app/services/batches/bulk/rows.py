"""What bulk work reads of tickets and people: plain rows, in chunks, locked in the order of ids."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.models.tag import Tag, ticket_tags
from admin_app.models.ticket import Priority, Status, Ticket
from admin_app.models.user import User
from admin_app.permissions import OWNING_ROLES

T = TypeVar("T")

CHUNK_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket, deleted or not, as far as a batch can touch it."""

    id: int
    ticket_number: str
    title: str
    version: int
    status: Status
    priority: Priority
    owner_id: int | None
    creator_id: int
    has_resolution: bool
    resolved_at: datetime | None
    deleted_at: datetime | None
    deleted_by_id: int | None
    delete_reason: str | None
    delete_batch_id: str | None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and whether they can be responsible for a ticket."""

    id: int
    name: str
    is_active: bool
    can_own: bool


People = Mapping[int, Person]


def chunks(items: Iterable[T], size: int = CHUNK_ROWS) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk


async def read(
    session: AsyncSession, ids: Sequence[int], *, with_tags: bool = False, lock: bool = False
) -> dict[int, Row]:
    """The tickets with these ids; those that are missing are left out. One statement, two with tags.

    `lock` keeps them from changing until the transaction ends; on SQLite a writer excludes all others anyway.
    """
    columns = [getattr(Ticket, name) for name in Row.__dataclass_fields__ if name not in {"has_resolution", "tags"}]
    has_resolution = and_(Ticket.resolution.is_not(None), Ticket.resolution != "").label("has_resolution")
    statement = select(*columns, has_resolution).where(Ticket.id.in_(ids)).order_by(Ticket.id)
    if lock:
        statement = statement.with_for_update(of=Ticket)
    found = (await session.execute(statement.execution_options(**INCLUDE_DELETED))).mappings().all()
    tags = await _tags_of(session, ids) if with_tags else {}
    return {ticket["id"]: Row(**ticket, tags=tuple(tags.get(ticket["id"], ()))) for ticket in found}


async def people(session: AsyncSession, ids: Iterable[int | None], *, lock: bool = False) -> dict[int, Person]:
    """The people with these ids; `lock` keeps them from being deactivated or given another role meanwhile."""
    wanted = sorted({number for number in ids if number is not None})
    if not wanted:
        return {}
    columns = select(User.id, User.full_name, User.is_active, User.role).where(User.id.in_(wanted)).order_by(User.id)
    found = await session.execute(columns.with_for_update(read=True) if lock else columns)
    return {
        person.id: Person(
            person.id, person.full_name, person.is_active, person.is_active and person.role in OWNING_ROLES
        )
        for person in found
    }


async def _tags_of(session: AsyncSession, ids: Sequence[int]) -> dict[int, list[str]]:
    statement = (
        select(ticket_tags.c.ticket_id, Tag.name)
        .join(Tag, Tag.id == ticket_tags.c.tag_id)
        .where(ticket_tags.c.ticket_id.in_(ids))
        .order_by(ticket_tags.c.ticket_id, Tag.name)
    )
    names: dict[int, list[str]] = {}
    for ticket_id, name in await session.execute(statement):
        names.setdefault(ticket_id, []).append(name)
    return names
