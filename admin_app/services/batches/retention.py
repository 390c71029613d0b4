"""Retention: what has been in the trash for long enough goes for good."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.models.attachment import Attachment
from admin_app.models.ticket import Ticket
from admin_app.permissions import Permission
from admin_app.services.batches.units_of_work import RunsWork
from admin_app.services.blocks import purge, stored_bytes
from admin_app.services.records import text_rules
from admin_app.services.records.file_store import FileStore

GROUP_TICKETS = 100
"""Tickets of one unit of work."""


@dataclass(frozen=True)
class Kept:
    """A ticket that stays in the trash, and why."""

    ticket_number: str
    reason: str


@dataclass
class Plan:
    """Numbers by id of what goes, children before the tickets they point at; and what stays."""

    numbers: dict[int, str]
    kept: list[Kept] = field(default_factory=list)
    reason: str = ""
    """for the audit log; without one it is that of each deletion"""


async def plan(session: AsyncSession, actor: Actor, *, deleted_before: datetime, reason: str = "") -> Plan:
    """Which tickets were deleted before that time, and which of them something that stays still points at."""
    actor.require(Permission.TICKET_PURGE)
    text_rules.check({"reason": reason})
    old = (Ticket.deleted_at.is_not(None), Ticket.deleted_at < deleted_before)
    found = await session.execute(
        select(Ticket.id, Ticket.ticket_number).where(*old).order_by(Ticket.id).execution_options(**INCLUDE_DELETED)
    )
    numbers = {row.id: row.ticket_number for row in found}
    pointing = (
        select(Ticket.id, Ticket.ticket_number, Ticket.parent_id)
        .where(Ticket.parent_id.in_(select(Ticket.id).where(*old)))
        .order_by(Ticket.id)
    )
    children: dict[int, dict[int, str]] = {}
    for row in await session.execute(pointing.execution_options(**INCLUDE_DELETED)):
        children.setdefault(row.parent_id, {})[row.id] = row.ticket_number
    return replace(_in_order(numbers, children), reason=reason)


async def purge_old(
    run: RunsWork,
    actor: Actor,
    chosen: Plan,
    *,
    deleted_before: datetime,
    store: FileStore,
    on_group: Callable[[int], None] = lambda done: None,
) -> tuple[int, list[Kept]]:
    """Remove what the plan holds, `GROUP_TICKETS` in one unit of work; how many went, and what stays after all.

    Each ticket is looked at again under its lock: one that was restored, or that something points at by now, stays.
    Every ticket leaves its tombstone in the audit log; bytes of files go after the commit that removes their rows.
    """
    actor.require(Permission.TICKET_PURGE)
    purged, kept = 0, list(chosen.kept)
    for done, group in _groups(list(chosen.numbers)):
        work = partial(_purge_group, actor=actor, group=group, before=deleted_before, reason=chosen.reason, store=store)
        outcome = await run(work)
        purged += len(group) - len(outcome)
        kept += [Kept(chosen.numbers[ticket_id], reason) for ticket_id, reason in outcome.items()]
        on_group(done)
    return purged, kept


def _in_order(numbers: dict[int, str], children: dict[int, dict[int, str]]) -> Plan:
    """Rounds, each of tickets whose children have gone in an earlier one; what is left over stays."""
    waiting, chosen = dict(numbers), Plan({})
    while True:
        ready = [number for number in waiting if children.get(number, {}).keys() <= chosen.numbers.keys()]
        if not ready:
            break
        chosen.numbers.update((number, waiting.pop(number)) for number in ready)
    for number, label in waiting.items():
        staying = [name for child, name in children[number].items() if child not in chosen.numbers]
        chosen.kept.append(Kept(label, f"still named as the parent of {', '.join(staying[: purge.SHOWN_CHILDREN])}"))
    return chosen


async def _purge_group(
    session: AsyncSession, *, actor: Actor, group: Sequence[int], before: datetime, reason: str, store: FileStore
) -> dict[int, str]:
    """Purge a group in its order; reasons by id of those that stay."""
    statement = select(Ticket).where(Ticket.id.in_(group)).order_by(Ticket.id).with_for_update()
    found = {ticket.id: ticket for ticket in await session.scalars(statement.execution_options(**INCLUDE_DELETED))}
    staying: dict[int, str] = {}
    for ticket_id in group:
        ticket = found.get(ticket_id)
        if ticket is None:
            staying[ticket_id] = "somebody else removed it meanwhile"
        elif ticket.deleted_at is None or ticket.deleted_at >= before:
            staying[ticket_id] = "it was restored meanwhile"
        elif (await purge.count(session, actor, ticket)).pointing_here:
            staying[ticket_id] = "another ticket points at it by now"
        else:
            number = ticket.ticket_number
            keys = await purge.purge(session, actor, ticket, typed_number=number, reason=reason)
            stored_bytes.remove_when_unused(session, store, Attachment.storage_key, keys)
    return staying


def _groups(ids: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    for start in range(0, len(ids), GROUP_TICKETS):
        group = ids[start : start + GROUP_TICKETS]
        yield start + len(group), group
