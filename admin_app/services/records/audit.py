"""Who did what, and when: written in the transaction of the change itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sqlalchemy import insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db.base import Base
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.audit_member import AuditMember

Changes = dict[str, list[Any]]
"""Field → [old, new], in JSON's own types."""

NEVER_RECORDED = frozenset(
    {"id", "created_at", "updated_at", "version", "password_hash", "token_hash", "sealed_secret"}
)
"""Columns that say nothing about what a person did, or must not be written down twice."""

LONGEST_LABEL = 254


async def record(
    session: AsyncSession,
    actor: Actor,
    action: AuditAction,
    subject: Base,
    *,
    changes: Mapping[str, Sequence[object]] | None = None,
    reason: str | None = None,
    batch_id: str | None = None,
) -> AuditLog:
    """Flush `subject` and append one entry about it to the same transaction.

    Without `changes` the entry holds what is pending on the subject: every changed column as [old, new].
    """
    pending = pending_changes(subject) if changes is None else {name: list(pair) for name, pair in changes.items()}
    await session.flush()
    entry = AuditLog(
        **_actor_columns(actor),
        action=action,
        table_name=subject.__tablename__,
        record_id=getattr(subject, "id", None),
        record_label=label_of(subject),
        version=getattr(subject, "version", None),
        changes=pending,
        reason=reason,
        batch_id=batch_id,
    )
    session.add(entry)
    return entry


@dataclass(frozen=True)
class Subject:
    """What one of many entries is about; `record_id` is None when it is about a whole batch."""

    table_name: str
    record_id: int | None
    label: str
    changes: Changes
    version: int | None = None


async def record_many(
    session: AsyncSession,
    actor: Actor,
    action: AuditAction,
    subjects: Sequence[Subject],
    *,
    batch_id: str | None = None,
    reason: str | None = None,
) -> None:
    """Append an entry per subject to the same transaction, in one statement: for rows that were written in bulk."""
    common = {**_actor_columns(actor), "action": action, "batch_id": batch_id, "reason": reason}
    entries = [
        {
            **common,
            "table_name": subject.table_name,
            "record_id": subject.record_id,
            "record_label": subject.label[:LONGEST_LABEL],
            "version": subject.version,
            "changes": subject.changes,
        }
        for subject in subjects
    ]
    if entries:
        await session.execute(insert(AuditLog).execution_options(render_nulls=True), entries)


async def record_batch(
    session: AsyncSession,
    actor: Actor,
    action: AuditAction,
    batch: Subject,
    *,
    batch_id: str,
    reason: str | None = None,
) -> AuditLog:
    """Append the one entry of a change to many records; `record_members` says what it did to each."""
    entry = AuditLog(
        **_actor_columns(actor),
        action=action,
        table_name=batch.table_name,
        record_label=batch.label[:LONGEST_LABEL],
        changes=batch.changes,
        reason=reason,
        batch_id=batch_id,
    )
    session.add(entry)
    await session.flush()
    return entry


async def record_members(session: AsyncSession, entry: AuditLog, members: Sequence[Subject]) -> None:
    """Append what a batch did to each of these records, in one statement."""
    rows = [
        {
            "audit_log_id": entry.id,
            "table_name": member.table_name,
            "record_id": member.record_id,
            "record_label": member.label[:LONGEST_LABEL],
            "version": member.version,
            "changes": member.changes,
        }
        for member in members
    ]
    await session.execute(insert(AuditMember).execution_options(render_nulls=True), rows)


async def refuse(session: AsyncSession, actor: Actor, what: str, reason: str) -> AuditLog:
    """Append an entry about something that the actor tried and may not do, in an address that may be made up."""
    entry = AuditLog(
        **_actor_columns(actor),
        action=AuditAction.REFUSED,
        table_name="",
        record_label=what.replace("\x00", "")[:LONGEST_LABEL],
        changes={},
        reason=reason.replace("\x00", "")[:500],
    )
    session.add(entry)
    return entry


async def newest_at(session: AsyncSession) -> datetime | None:
    """When the newest entry was written, None when there is none; says nothing else, so anybody may ask."""
    found: datetime | None = await session.scalar(select(AuditLog.occurred_at).order_by(AuditLog.id.desc()).limit(1))
    return found


def pending_changes(subject: Base) -> Changes:
    """What a flush would write to `subject`, without machine-only columns."""
    state = inspect(subject)
    machine: frozenset[str] = getattr(subject, "MACHINE_COLUMNS", frozenset()) if state.persistent else frozenset()
    changes: Changes = {}
    for attribute in state.mapper.column_attrs:
        name = attribute.key
        if name in NEVER_RECORDED or name in machine:
            continue
        history = state.attrs[name].history
        if not history.has_changes():
            continue
        old = history.deleted[0] if history.deleted else None
        new = history.added[0] if history.added else None
        if old != new:
            changes[name] = [plain(old), plain(new)]
    return changes


def created_changes(values: Mapping[str, object]) -> Changes:
    """What `pending_changes` would say of a new row with these columns."""
    return {
        name: [None, plain(value)] for name, value in values.items() if value is not None and name not in NEVER_RECORDED
    }


def plain(value: object) -> Any:
    """A value in JSON's own types; a moment reads the same whatever time zone it was typed in."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def label_of(subject: Base) -> str:
    """How people call the record: its number, e-mail address or name."""
    for name in ("ticket_number", "email", "name", "filename"):
        label = getattr(subject, name, None)
        if label:
            return str(label)[:LONGEST_LABEL]
    return ""


def _actor_columns(actor: Actor) -> dict[str, Any]:
    """Who it was, as they were then."""
    return {
        "actor_id": actor.id,
        "actor_name": actor.name,
        "actor_role": actor.role.value,
        "actor_kind": actor.kind,
        "request_id": actor.request_id,
        "ip": actor.ip,
    }
