"""Sample tickets in any number for benchmarks: the same ones every time, skewed like those of real desks."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db import bulk_rows, ticket_numbers, ticket_search
from admin_app.db.base import Base
from admin_app.db.search_words import words
from admin_app.db.upserts import insert_or_skip
from admin_app.models.audit_log import AuditAction
from admin_app.models.tag import Tag
from admin_app.models.user import User
from admin_app.permissions import Permission, Role
from admin_app.services.batches.samples import cases, demo_people, seed_rows
from admin_app.services.batches.units_of_work import RunsWork
from admin_app.services.blocks import soft_delete
from admin_app.services.records import audit

BATCH_TICKETS = 10_000
BATCH_PEOPLE = 2_000
TICKETS_PER_CUSTOMER = 50
FEWEST_CUSTOMERS = 20
OWNERS = 24

TICKETS, COMMENTS, TAGS = (Base.metadata.tables[name] for name in ("tickets", "comments", "ticket_tags"))
FILLED: tuple[Table, ...] = (TICKETS, COMMENTS, TAGS)


async def seed(
    run: RunsWork, actor: Actor, *, tickets: int, today: datetime, on_batch: Callable[[int], None] = lambda done: None
) -> None:
    """Add `tickets` tickets with about two comments each; times count back from `today`. All of them or none.

    The same call on an empty database writes the same texts, people and states. One audit entry tells of the whole
    run: this is data for benchmarks, not anybody's work. While it runs, nobody else should write.
    """
    actor.require(Permission.TICKET_IMPORT)

    async def fill(session: AsyncSession) -> None:
        people = await _people(session, max(FEWEST_CUSTOMERS, tickets // TICKETS_PER_CUSTOMER))
        tag_ids = await _tag_ids(session)
        async with bulk_rows.unburdened(session, FILLED) as were_empty:
            for start in range(0, tickets, BATCH_TICKETS):
                count = min(BATCH_TICKETS, tickets - start)
                batch = seed_rows.Batch(f"seed {start}", people, tag_ids, today)
                await _write(session, count, batch, writes_words=were_empty)
                on_batch(start + count)
        subject = audit.Subject("tickets", None, "Sample tickets", {"tickets": [0, tickets]})
        await audit.record_many(session, actor, AuditAction.IMPORT, [subject], batch_id=soft_delete.new_batch_id())

    await run(fill)


async def _write(session: AsyncSession, count: int, batch: seed_rows.Batch, *, writes_words: bool) -> None:
    ids = await bulk_rows.take_ids(session, TICKETS, count)
    numbers = await ticket_numbers.take(session, count)
    await bulk_rows.append(session, TICKETS, seed_rows.TICKET_COLUMNS, batch.tickets(ids, numbers))
    await bulk_rows.append(session, COMMENTS, seed_rows.COMMENT_COLUMNS, batch.comments)
    await bulk_rows.append(session, TAGS, seed_rows.TAG_COLUMNS, batch.tags)
    if writes_words:
        await bulk_rows.append(session, ticket_search.stored, seed_rows.SEARCH_COLUMNS, batch.words())


async def _people(session: AsyncSession, customers: int) -> seed_rows.People:
    """Customers and staff by address, made where they are missing; the first owners do most of the work."""
    staff = [_person(f"seed-staff-{number:03d}@desk.example", number, Role.STAFF) for number in range(OWNERS)]
    rest = [_person(f"seed-{number:07d}@customer.example", number, Role.CUSTOMER) for number in range(customers)]
    for start in range(0, len(rest), BATCH_PEOPLE):
        await session.execute(insert_or_skip(session, User), rest[start : start + BATCH_PEOPLE])
    await session.execute(insert_or_skip(session, User), staff)
    owner_ids = select(User.id).where(User.email.startswith("seed-staff-")).order_by(User.email)
    named = select(User.id, User.full_name, User.email).where(User.email.startswith("seed-0"))
    found = await session.execute(named.order_by(User.email).limit(customers))
    owners = list(await session.scalars(owner_ids))
    weights = [1 / (rank + 2) for rank in range(len(owners))]
    by_words = {row.id: words(f"{row.full_name} {row.email}") for row in found}
    return seed_rows.People(by_words, owners, weights)


def _person(email: str, number: int, role: Role) -> dict[str, Any]:
    return {"email": email, "full_name": demo_people.full_name(number), "role": role}


async def _tag_ids(session: AsyncSession) -> dict[str, int]:
    names = sorted({tag for case in cases.CASES for tag in case.tags})
    await session.execute(insert_or_skip(session, Tag), [{"name": name} for name in names])
    found = await session.execute(select(Tag.name, Tag.id).where(Tag.name.in_(names)))
    return {row.name: row.id for row in found}
