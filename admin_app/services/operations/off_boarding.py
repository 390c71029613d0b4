"""Deactivating somebody who owns open tickets: all of it goes to others, or to nobody, together with the person.

First a preview, which says who would get what; then the very same, in one transaction, or a `Conflict` when what was
shown is no longer so. Tickets are locked first and people after them, as everywhere in this desk.
"""

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import Conflict, InvalidInput
from admin_app.models.audit_log import AuditAction
from admin_app.models.notification import NotificationType
from admin_app.models.ticket import ACTIVE_STATUSES, Ticket
from admin_app.models.user import User
from admin_app.permissions import OWNING_ROLES, Permission
from admin_app.services.blocks import deactivation, sign_in_sessions, soft_delete
from admin_app.services.records import audit, lookup, notifications, text_rules

SHOWN_TICKETS = 50
NAMED_TICKETS = 5
"""So many numbers stand in the notification of somebody who receives tickets."""


class Choice(StrEnum):
    """What becomes of the open tickets."""

    GIVE = "give"
    SPREAD = "spread"
    LEAVE = "leave"


@dataclass(frozen=True)
class Wanted:
    """The choice, and with `give` the address of whom they go to."""

    choice: Choice
    new_owner: str = ""


class OpenTicket(NamedTuple):
    """An open ticket of the person who leaves."""

    id: int
    ticket_number: str
    title: str
    version: int


@dataclass(frozen=True)
class Receiver:
    """Somebody who gets tickets, and how many open ones they have by now."""

    id: int
    name: str
    has: int
    gets: int


@dataclass(frozen=True)
class Plan:
    """Who gets what."""

    user: User
    tickets: Sequence[OpenTicket]
    receivers: Sequence[Receiver]
    """Those who get something, by name."""
    owner_of: Mapping[int, int | None]
    """Ticket → new owner, None for nobody."""
    frozen: str
    """A digest of what was shown: the tickets with their versions, and how many each person gets."""

    @property
    def shown(self) -> list[tuple[OpenTicket, str]]:
        """The first tickets, each with the name of its new owner; empty for nobody."""
        names = {receiver.id: receiver.name for receiver in self.receivers}
        return [(ticket, names.get(self.owner_of[ticket.id] or 0, "")) for ticket in self.tickets[:SHOWN_TICKETS]]


async def owns_open_tickets(session: AsyncSession, actor: Actor, user_id: int) -> bool:
    """Whether deactivating this person has to go through here."""
    actor.require(Permission.USER_DEACTIVATE)
    user = await lookup.user(session, actor, user_id)
    return await session.scalar(_open_of(user.id).with_only_columns(Ticket.id).limit(1)) is not None


async def open_work(session: AsyncSession, actor: Actor, user_id: int) -> tuple[User, list[OpenTicket]]:
    """Somebody who may be deactivated, and their open tickets; errors as for `preview`."""
    actor.require(Permission.USER_DEACTIVATE)
    user = await lookup.user(session, actor, user_id)
    deactivation.check(actor, user)
    return user, await _tickets_of(session, user)


async def preview(session: AsyncSession, actor: Actor, user_id: int, *, wanted: Wanted) -> Plan:
    """What `off_board` would do now, in a constant number of statements.

    `InvalidInput` at `new_owner` when that person cannot own tickets or is the one who leaves, at `choice` when
    there is nobody to spread them to; `Conflict` and `PermissionDenied` as for `accounts.deactivate`.
    """
    actor.require(Permission.USER_DEACTIVATE)
    user = await lookup.user(session, actor, user_id)
    deactivation.check(actor, user)
    return await _plan(session, actor, user, wanted)


async def off_board(
    session: AsyncSession, actor: Actor, user_id: int, *, wanted: Wanted, reason: str, frozen: str
) -> User:
    """Deactivate a person and hand their open tickets on, as the preview with the digest `frozen` has shown it.

    Writes one DEACTIVATE entry and a TRANSFER_OWNERSHIP entry per ticket, all with one batch id; every receiver gets
    one notification; the person's sessions end. The number of statements does not grow with the number of tickets.
    `Conflict` when a ticket came, went or was changed since the preview, or others would get them now.
    """
    actor.require(Permission.USER_DEACTIVATE)
    unlocked = await lookup.user(session, actor, user_id)
    deactivation.check(actor, unlocked)
    text_rules.check({"reason": reason}, required=("reason",))
    locked = (await session.scalars(_open_of(user_id).with_only_columns(Ticket.id).with_for_update())).all()
    user = await _locked_user(session, user_id)
    deactivation.check(actor, user)
    plan = await _plan(session, actor, user, wanted, lock=True)
    if plan.frozen != frozen or list(locked) != [ticket.id for ticket in plan.tickets]:
        raise Conflict(
            f"The open tickets of {user.full_name}, or those of their colleagues, have changed since this was shown. "
            "Nothing was done yet; look at it as it is now."
        )
    batch = soft_delete.new_batch_id()
    await deactivation.write(session, actor, user, reason=reason, batch_id=batch)
    await sign_in_sessions.end_all(session, user.id)
    if plan.tickets:
        await _hand_over(session, actor, plan, reason=reason.strip(), batch_id=batch)
    return user


async def _plan(session: AsyncSession, actor: Actor, user: User, wanted: Wanted, *, lock: bool = False) -> Plan:
    tickets = await _tickets_of(session, user)
    people = await _candidates(session, actor, user, wanted, lock=lock)
    has = await _open_tickets_by_owner(session, people)
    owner_of = _spread(tickets, has)
    gets = Counter(owner for owner in owner_of.values() if owner is not None)
    receivers = [Receiver(person.id, person.full_name, has[person.id], gets[person.id]) for person in people]
    receivers = sorted((each for each in receivers if each.gets), key=lambda each: (each.name, each.id))
    shown = [
        [(ticket.id, ticket.version) for ticket in tickets],
        [(receiver.id, receiver.gets) for receiver in receivers],
    ]
    frozen = hashlib.sha256(json.dumps(shown).encode()).hexdigest()
    return Plan(user, tickets, receivers, owner_of, frozen)


def _spread(tickets: Sequence[OpenTicket], has: Mapping[int, int]) -> dict[int, int | None]:
    """Ticket by ticket, in the order of ids, to whoever has the fewest then; of several the one with the lowest id."""
    if not has:
        return dict.fromkeys((ticket.id for ticket in tickets), None)
    waiting = [(count, person) for person, count in has.items()]
    heapq.heapify(waiting)
    owner_of: dict[int, int | None] = {}
    for ticket in tickets:
        count, person = waiting[0]
        owner_of[ticket.id] = person
        heapq.heapreplace(waiting, (count + 1, person))
    return owner_of


async def _candidates(session: AsyncSession, actor: Actor, user: User, wanted: Wanted, *, lock: bool) -> list[User]:
    """Who may get tickets; `lock` keeps them from being deactivated meanwhile."""
    if wanted.choice is Choice.LEAVE:
        return []
    if wanted.choice is Choice.GIVE:
        person = await lookup.possible_owner(session, actor, wanted.new_owner, field="new_owner", lock=lock)
        if person.id == user.id:
            raise InvalidInput(new_owner=f"{user.full_name} is the one who leaves. Name somebody else.")
        return [person]
    statement = select(User).where(User.is_active, User.role.in_(OWNING_ROLES), User.id != user.id).order_by(User.id)
    people = list(await session.scalars(statement.with_for_update(read=True) if lock else statement))
    if not people:
        raise InvalidInput(choice="There is nobody else who can own tickets.")
    return people


async def _open_tickets_by_owner(session: AsyncSession, people: Sequence[User]) -> dict[int, int]:
    if not people:
        return {}
    statement = (
        select(Ticket.owner_id, func.count(Ticket.id))
        .where(Ticket.owner_id.in_([person.id for person in people]), Ticket.status.in_(ACTIVE_STATUSES))
        .group_by(Ticket.owner_id)
    )
    counts = {row[0]: row[1] for row in await session.execute(statement)}
    return {person.id: counts.get(person.id, 0) for person in people}


def _open_of(user_id: int) -> Select[Ticket]:
    return select(Ticket).where(Ticket.owner_id == user_id, Ticket.status.in_(ACTIVE_STATUSES)).order_by(Ticket.id)


async def _tickets_of(session: AsyncSession, user: User) -> list[OpenTicket]:
    columns = Ticket.id, Ticket.ticket_number, Ticket.title, Ticket.version
    return [OpenTicket(*row) for row in await session.execute(_open_of(user.id).with_only_columns(*columns))]


async def _locked_user(session: AsyncSession, user_id: int) -> User:
    """As they are now: from here on nobody can give them a ticket."""
    statement = select(User).where(User.id == user_id).with_for_update()
    return (await session.scalars(statement, execution_options={"populate_existing": True})).one()


async def _hand_over(session: AsyncSession, actor: Actor, plan: Plan, *, reason: str, batch_id: str) -> None:
    """One statement for all tickets, one for all entries, one for all notifications."""
    table = Ticket.__table__
    statement = (
        update(Ticket)
        .where(table.c.id == bindparam("ticket"))
        .values(owner_id=bindparam("new_owner"), version=table.c.version + 1)
        .execution_options(synchronize_session=False)
    )
    connection = await session.connection()
    moves = [{"ticket": ticket, "new_owner": owner} for ticket, owner in plan.owner_of.items()]
    await connection.execute(statement, moves)
    subjects = [
        audit.Subject(
            Ticket.__tablename__,
            ticket.id,
            ticket.ticket_number,
            {"owner_id": [plan.user.id, plan.owner_of[ticket.id]]},
            version=ticket.version + 1,
        )
        for ticket in plan.tickets
    ]
    await audit.record_many(session, actor, AuditAction.TRANSFER_OWNERSHIP, subjects, batch_id=batch_id, reason=reason)
    for receiver in plan.receivers:
        message = _digest(actor, plan, receiver)
        notifications.notify(session, actor, [receiver.id], NotificationType.TRANSFERRED, message, None)
    await session.flush()


def _digest(actor: Actor, plan: Plan, receiver: Receiver) -> str:
    numbers = [ticket.ticket_number for ticket in plan.tickets if plan.owner_of[ticket.id] == receiver.id]
    named = ", ".join(numbers[:NAMED_TICKETS])
    rest = f" and {len(numbers) - NAMED_TICKETS:,} more" if len(numbers) > NAMED_TICKETS else ""
    what = "a ticket" if len(numbers) == 1 else f"{len(numbers):,} tickets"
    return f"{actor.name} handed you {what} of {plan.user.full_name}, who leaves: {named}{rest}"
