"""Audit entries in people's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.models.audit_log import AuditLog
from admin_app.models.audit_member import AuditMember
from admin_app.models.ticket import Priority
from admin_app.services.records import audit, history, lookup

PEOPLE_FIELDS = frozenset({"owner_id", "creator_id", "manager_id", "deleted_by_id", "author_id", "uploaded_by_id"})


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
    """The entries with their changes in people's words; one statement for all names."""
    changes = await in_words(session, [happening.changes for happening in happenings])
    return [
        Entry(history.log_of(happening), words, happening if isinstance(happening, AuditMember) else None)
        for happening, words in zip(happenings, changes, strict=True)
    ]


async def in_words(session: AsyncSession, recorded: Sequence[audit.Changes]) -> list[list[Change]]:
    """Changes with ids of people turned into names and priorities into words; one statement for all names."""
    ids = {
        value
        for changes in recorded
        for field, pair in changes.items()
        if field in PEOPLE_FIELDS
        for value in pair
        if isinstance(value, int)
    }
    names = await lookup.names_of(session, ids)

    def spoken(field: str, value: Any) -> Any:
        if field in PEOPLE_FIELDS and isinstance(value, int):
            return names.get(value, f"person {value}")
        if field == "priority" and isinstance(value, int):
            return Priority(value).name.capitalize()
        return value

    return [
        [Change(field, spoken(field, old), spoken(field, new)) for field, (old, new) in changes.items()]
        for changes in recorded
    ]
