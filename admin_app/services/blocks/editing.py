"""Saving a form under an optimistic lock, and what a merge needs when somebody saved first."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import FieldClash, SavedBy, StaleEdit
from admin_app.models.audit_log import AuditAction
from admin_app.models.comment import Comment
from admin_app.models.ticket import Ticket
from admin_app.models.user import User
from admin_app.services.records import audit, history

Editable = Ticket | Comment | User


async def check_version(session: AsyncSession, record: Editable, *, version: int, typed: Mapping[str, object]) -> None:
    """Raise `StaleEdit`, with every typed field at start / theirs / yours, unless `version` is the stored one.

    What the fields held at the start comes from the audit entries since then, not from the browser.
    A version from the future (forged, or from before a restored backup) is stale as well.
    """
    if record.version == version:
        return
    entries = await _entries_since(session, record, version)
    fields = [
        FieldClash(
            field=name,
            at_start=_at_start(entries, name, audit.plain(getattr(record, name))),
            theirs=audit.plain(getattr(record, name)),
            yours=audit.plain(value),
        )
        for name, value in typed.items()
    ]
    raise StaleEdit(
        current_version=record.version,
        fields=fields,
        saved_by=[SavedBy(log.actor_name, log.occurred_at) for log in map(history.log_of, entries)],
    )


async def write(session: AsyncSession, actor: Actor, record: Editable, changes: Mapping[str, object]) -> bool:
    """Set the fields that differ and record one EDIT entry; False, and no entry, when nothing differs.

    The caller has checked permission, version and values.
    """
    for name, value in changes.items():
        if getattr(record, name) != value:
            setattr(record, name, value)
    return await record_edit(session, actor, record)


async def record_edit(session: AsyncSession, actor: Actor, record: Editable) -> bool:
    """Record what is pending on `record` as one EDIT entry; False when nothing is."""
    pending = audit.pending_changes(record)
    if not pending:
        return False
    await audit.record(session, actor, AuditAction.EDIT, record, changes=pending)
    return True


async def _entries_since(session: AsyncSession, record: Editable, version: int) -> list[history.Happening]:
    """The entry of every save since `version`, oldest first, batches included; a version from the future has none.

    Comments, files, watchers and sign-ins leave the version alone: theirs come second at their version.
    """
    if version > record.version:
        return []
    saves: dict[int | None, history.Happening] = {}
    for entry in await history.since(session, record, version=max(version, 0)):
        saves.setdefault(entry.version, entry)
    return list(saves.values())


def _at_start(entries: list[history.Happening], field: str, current: object) -> object:
    """The oldest `old` value among the entries, or the current value when nobody touched the field."""
    for entry in entries:
        if field in entry.changes:
            old: object = entry.changes[field][0]
            return old
    return current
