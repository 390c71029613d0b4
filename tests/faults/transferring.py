"""A process that hands tickets to and fro until it is killed. It says so after each commit, never before."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import select

from admin_app.actor import Actor
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.models import AuditAction, NotificationType, Ticket, User
from admin_app.services.operations import tickets
from admin_app.services.records import audit, notifications

OWNERS = ("sam@desk.example", "sid@desk.example")

Transfer = Callable[[Database, Actor, int, str], Awaitable[None]]


def run(database_url: str, actor: Actor, ticket_id: int, acked: Connection, name: str) -> None:
    """Transfer without end; a byte on `acked` for each transfer that was acknowledged."""
    os.environ["ENVIRONMENT"] = "test"
    asyncio.run(_forever(database_url, actor, ticket_id, acked, {"one": transfer, "two": in_two_halves}[name]))


async def transfer(database: Database, actor: Actor, ticket_id: int, owner: str) -> None:
    """As the desk does it."""

    async def work(session: Any) -> None:
        ticket = await session.scalar(select(Ticket).where(Ticket.id == ticket_id))
        await tickets.transfer(
            session, actor, ticket_id, new_owner=owner, reason="to and fro", note="", version=ticket.version
        )

    await database.run(work)


async def in_two_halves(database: Database, actor: Actor, ticket_id: int, owner: str) -> None:
    """As it must not be done: the ticket in one transaction, its audit entry and notifications in the next."""

    async def change(session: Any) -> None:
        ticket = await session.scalar(select(Ticket).where(Ticket.id == ticket_id))
        ticket.owner_id = await session.scalar(select(User.id).where(User.email == owner))

    async def tell(session: Any) -> None:
        ticket = await session.scalar(select(Ticket).where(Ticket.id == ticket_id))
        await audit.record(session, actor, AuditAction.TRANSFER_OWNERSHIP, ticket, changes={})
        people = (await session.scalars(select(User.id).where(User.email.in_(OWNERS)))).all()
        notifications.notify(session, actor, people, NotificationType.TRANSFERRED, "to and fro", ticket)

    await database.run(change)
    await database.run(tell)


async def _forever(database_url: str, actor: Actor, ticket_id: int, acked: Connection, how: Transfer) -> None:
    database = Database(create_engines(database_url))
    for owner in itertools.cycle(OWNERS):
        try:
            await how(database, actor, ticket_id, owner)
        except Exception:
            continue
        acked.send_bytes(b".")
