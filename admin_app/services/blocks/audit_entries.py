"""Audit entries in people's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.audit_member import AuditMember
from admin_app.models.ticket import Priority, Ticket
from admin_app.models.user import User
from admin_app.models.watcher import WatchLevel
from admin_app.services.records import audit, history

PEOPLE_FIELDS = frozenset({"owner_id", "creator_id", "manager_id", "deleted_by_id", "author_id", "uploaded_by_id"})
TICKET_FIELDS = frozenset({"parent_id"})
PERSON, TICKET = "person", "ticket"
WATCHING = frozenset({AuditAction.WATCH, AuditAction.UNWATCH})
LEVELS = {level.value: level.label for level in WatchLevel}


@dataclass(frozen=True)
class Change:
    """One field of an entry."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Entry:
    """An audit entry with its changes in people's words: those of one member, when it is shown as part of a batch."""

    log: AuditLog
    changes: Sequence[Change]
    member: AuditMember | None = None


async def readable(session: AsyncSession, happenings: Sequence[history.Happening]) -> list[Entry]:
    """The entries with their changes in people's words; one statement for all names and numbers."""
    changes = await in_words(session, [happening.changes for happening in happenings])
    return [
        Entry(log, _levels(log, words), happening if isinstance(happening, AuditMember) else None)
        for happening, words in zip(happenings, changes, strict=True)
        for log in [history.log_of(happening)]
    ]


async def in_words(session: AsyncSession, recorded: Sequence[audit.Changes]) -> list[list[Change]]:
    """Changes with ids turned into names and ticket numbers, and priorities into words; one statement for all.

    What is the same before and after is no change.
    """
    people, tickets = _ids_in(recorded, PEOPLE_FIELDS), _ids_in(recorded, TICKET_FIELDS)
    said = await _said(session, people, tickets)

    def spoken(field: str, value: Any) -> Any:
        if field in PEOPLE_FIELDS and isinstance(value, int):
            return said.get((PERSON, value), f"person {value}")
        if field in TICKET_FIELDS and isinstance(value, int):
            return said.get((TICKET, value), "a ticket that is gone for good")
        if field == "priority" and isinstance(value, int):
            return Priority(value).name.capitalize()
        return value

    return [
        [Change(field, spoken(field, old), spoken(field, new)) for field, (old, new) in changes.items() if old != new]
        for changes in recorded
    ]


def _levels(log: AuditLog, changes: list[Change]) -> list[Change]:
    """Of watchers, whose names stand in the place of a field, what they are told of in words."""
    if log.action not in WATCHING:
        return changes
    return [Change(each.field, LEVELS.get(each.old), LEVELS.get(each.new)) for each in changes]


def _ids_in(recorded: Sequence[audit.Changes], fields: frozenset[str]) -> set[int]:
    return {
        value
        for changes in recorded
        for field, pair in changes.items()
        if field in fields
        for value in pair
        if isinstance(value, int)
    }


async def _said(session: AsyncSession, people: set[int], tickets: set[int]) -> dict[tuple[str, int], str]:
    """Names of people and numbers of tickets, deleted ones too, by what they are and id."""
    names = select(literal(PERSON), User.id, User.full_name).where(User.id.in_(people))
    numbers = select(literal(TICKET), Ticket.id, Ticket.ticket_number).where(Ticket.id.in_(tickets))
    wanted = [statement for statement, ids in ((names, people), (numbers, tickets)) if ids]
    if not wanted:
        return {}
    rows = await session.execute(union_all(*wanted), execution_options=INCLUDE_DELETED)
    return {(kind, number): text for kind, number, text in rows}
