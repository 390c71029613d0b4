"""Sample tickets in any number for benchmarks: the same ones every time, skewed like those of real desks."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db import ticket_numbers
from admin_app.db.upserts import insert_or_skip
from admin_app.models.audit_log import AuditAction
from admin_app.models.comment import Comment
from admin_app.models.ticket import Channel, Priority, Status, Ticket
from admin_app.models.user import User
from admin_app.permissions import Permission, Role
from admin_app.services.batches.samples import cases, demo_people
from admin_app.services.batches.units_of_work import RunsWork
from admin_app.services.blocks import soft_delete
from admin_app.services.records import audit

BATCH_TICKETS = 2_000
TICKETS_PER_CUSTOMER = 50
FEWEST_CUSTOMERS = 20
OWNERS = 24
DELETED_SHARE = 0.02
OWNERLESS_SHARE = 0.08
DAYS = 730
COMMENTS = (0, 1, 1, 2, 2, 2, 3, 5)
"""How many a ticket has, equally likely: two on average."""

RECENT_STATUSES = (Status.NEW, Status.NEW, Status.OPEN, Status.OPEN, Status.OPEN, Status.PENDING, Status.ON_HOLD)
OLD_STATUSES = (*[Status.CLOSED] * 16, Status.RESOLVED, Status.RESOLVED, Status.PENDING, Status.OPEN)

_ALL_COLUMNS = {"render_nulls": True}
_INSERT_TICKETS = insert(Ticket).returning(Ticket.ticket_number, Ticket.id).execution_options(**_ALL_COLUMNS)
_INSERT_COMMENTS = insert(Comment).execution_options(**_ALL_COLUMNS)


@dataclass(frozen=True)
class _People:
    """Ids that tickets point at."""

    customers: list[int]
    owners: list[int]
    weights: list[float]


async def seed(
    run: RunsWork, actor: Actor, *, tickets: int, today: datetime, on_batch: Callable[[int], None] = lambda done: None
) -> None:
    """Add `tickets` tickets with about two comments each, batch by batch; times count back from `today`.

    The same call on an empty database writes the same texts, people and states. One audit entry tells of the whole
    run: this is data for benchmarks, not anybody's work.
    """
    actor.require(Permission.TICKET_IMPORT)
    people = await run(lambda session: _people(session, max(FEWEST_CUSTOMERS, tickets // TICKETS_PER_CUSTOMER)))
    batch_id = soft_delete.new_batch_id()
    for start in range(0, tickets, BATCH_TICKETS):
        numbers = range(start, min(start + BATCH_TICKETS, tickets))
        await run(lambda session, numbers=numbers: _write(session, numbers, people, today))  # type: ignore[misc]
        on_batch(numbers.stop)
    subject = audit.Subject("tickets", None, "Sample tickets", {"tickets": [0, tickets]})
    await run(lambda session: audit.record_many(session, actor, AuditAction.IMPORT, [subject], batch_id=batch_id))


async def _people(session: AsyncSession, customers: int) -> _People:
    """Customers and staff by address, made where they are missing; the first owners do most of the work."""
    staff = [_person(f"seed-staff-{number:03d}@desk.example", number, Role.STAFF) for number in range(OWNERS)]
    rest = [_person(f"seed-{number:07d}@customer.example", number, Role.CUSTOMER) for number in range(customers)]
    for start in range(0, len(rest), BATCH_TICKETS):
        await session.execute(insert_or_skip(session, User), rest[start : start + BATCH_TICKETS])
    await session.execute(insert_or_skip(session, User), staff)
    owner_ids = select(User.id).where(User.email.startswith("seed-staff-")).order_by(User.email)
    customer_ids = select(User.id).where(User.email.startswith("seed-0")).order_by(User.email).limit(customers)
    owners = list(await session.scalars(owner_ids))
    return _People(list(await session.scalars(customer_ids)), owners, [1 / (rank + 2) for rank in range(len(owners))])


def _person(email: str, number: int, role: Role) -> dict[str, Any]:
    return {"email": email, "full_name": demo_people.customer(number)[0], "role": role}


async def _write(session: AsyncSession, numbers: range, people: _People, today: datetime) -> None:
    chance = random.Random(f"seed {numbers.start}")  # noqa: S311 - made-up data keeps no secret
    taken = await ticket_numbers.take(session, len(numbers))
    rows = [_ticket(chance, number, people, today) for number in taken]
    ids = {row.ticket_number: row.id for row in await session.execute(_INSERT_TICKETS, rows)}
    comments = [comment for row in rows for comment in _comments(chance, ids[row["ticket_number"]], row, people)]
    if comments:
        await session.execute(_INSERT_COMMENTS, comments)


def _ticket(chance: random.Random, number: str, people: _People, today: datetime) -> dict[str, Any]:
    case = chance.choice(cases.CASES)
    words = {"product": chance.choice(cases.PRODUCTS), "order": f"HP-{chance.randint(10_000, 99_999)}"}
    age = timedelta(minutes=chance.randrange(DAYS * 24 * 60))
    created_at = today - age
    status = chance.choice(OLD_STATUSES if age > timedelta(days=30) else RECENT_STATUSES)
    is_over = status in (Status.RESOLVED, Status.CLOSED)
    ended_at = created_at + timedelta(hours=chance.randint(1, 200)) if is_over else None
    owner_id = None if chance.random() < OWNERLESS_SHARE else chance.choices(people.owners, people.weights)[0]
    return {
        "ticket_number": number,
        "title": case.title.format(**words),
        "description": f"{case.description} {chance.choice(cases.CASES).description}".format(**words),
        "status": status,
        "priority": chance.choice([Priority.LOW, *[Priority.MEDIUM] * 3, Priority.HIGH, Priority.CRITICAL]),
        "channel": chance.choice([Channel.EMAIL, *Channel]),
        "category": case.category,
        "creator_id": chance.choice(people.customers),
        "owner_id": owner_id,
        "resolution": case.resolution if is_over else None,
        "first_response_at": created_at + timedelta(minutes=chance.randint(5, 600)) if is_over else None,
        "resolved_at": ended_at,
        "closed_at": ended_at if status is Status.CLOSED else None,
        "due_at": created_at + timedelta(days=chance.choice([1, 3, 5, 10])) if chance.random() < 0.6 else None,
        "created_at": created_at,
        "updated_at": ended_at or created_at,
        **_deletion(chance, created_at),
    }


def _deletion(chance: random.Random, created_at: datetime) -> dict[str, Any]:
    is_deleted = chance.random() < DELETED_SHARE
    return {
        "deleted_at": created_at + timedelta(hours=1) if is_deleted else None,
        "delete_reason": chance.choice(cases.DELETE_REASONS) if is_deleted else None,
        "delete_batch_id": f"{chance.getrandbits(128):032x}" if is_deleted else None,
    }


def _comments(chance: random.Random, ticket_id: int, ticket: dict[str, Any], people: _People) -> list[dict[str, Any]]:
    """What was said; it went into the trash together with its ticket."""
    deletion = {name: ticket[name] for name in ("deleted_at", "delete_reason", "delete_batch_id")}
    moment = ticket["created_at"]
    said = []
    for _ in range(chance.choice(COMMENTS)):
        case, is_internal = chance.choice(cases.CASES), chance.random() < 0.4
        moment += timedelta(minutes=chance.randint(1, 50))
        said.append(
            {
                "ticket_id": ticket_id,
                "author_id": ticket["owner_id"] or people.owners[0],
                "body": (case.note if is_internal else case.reply).format(product="unit", order="the order"),
                "is_internal": is_internal,
                "created_at": moment,
                "updated_at": moment,
                **deletion,
            }
        )
    return said
