"""Taking an import back: tickets that nobody touched since go to the trash, the others are named and stay."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import Conflict
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.audit_member import AuditMember
from admin_app.models.ticket import Ticket
from admin_app.models.ticket_import import ImportState, TicketImport
from admin_app.permissions import Permission
from admin_app.services.batches.imports import uploads
from admin_app.services.batches.imports.runs import Watches, is_silent
from admin_app.services.blocks import soft_delete
from admin_app.services.records import audit
from admin_app.services.records.file_store import FileStore

REASON = "Import undone"
CHUNK = 500
MOST_NAMED = 100

Made = tuple[int, str]
"""Id and number of a ticket that the import opened."""


async def undo(
    session: AsyncSession, actor: Actor, import_id: int, *, store: FileStore, watch: Watches
) -> TicketImport:
    """Put every ticket of an import that nobody touched into the trash, as one batch with one audit entry.

    Touched is whatever the audit log knows more of than its opening: edits, comments, files, watchers, tags. Such
    tickets stay; the first hundred are named in `kept`. Customers stay too, as people always do. Tells nobody.
    `Conflict` when there is nothing to undo; needs `ticket:import` and `ticket:delete`.
    """
    actor.require(Permission.TICKET_DELETE)
    found = await uploads.find(session, actor, import_id, lock=True)
    if not can_undo(found):
        raise Conflict("There is nothing to undo in this import.")
    batch_id, removed, kept = soft_delete.new_batch_id(), list[Made](), list[list[Any]]()
    marks = {
        "deleted_at": clock.now(),
        "deleted_by_id": actor.id,
        "delete_reason": REASON,
        "delete_batch_id": batch_id,
    }
    seen, kept_count = 0, 0
    while made := await _made(session, found.batch_id, seen):
        seen = made[-1][0]
        fresh = await _untouched(session, found.batch_id, [ticket_id for ticket_id, _ in made])
        await _delete(session, fresh, marks)
        removed += [one for one in made if one[0] in fresh]
        others = [one for one in made if one[0] not in fresh]
        kept_count += len(others)
        kept += await _named(session, found.batch_id, others[: MOST_NAMED - len(kept)])
        watch(len(removed) + kept_count, found.imported, f"{len(removed):,} tickets in the trash, {kept_count:,} kept")
    found.state, found.undone_at = ImportState.UNDONE, clock.now()
    found.undone_count, found.kept_count, found.kept = len(removed), kept_count, kept
    await _record(session, actor, found, removed, marks)
    if found.storage_key:  # of an unfinished one; nobody will go on with it
        await uploads.release(session, store, found)
    return found


def can_undo(found: TicketImport) -> bool:
    """Whether it brought tickets and nobody is at it."""
    has_stopped = found.state in (ImportState.FINISHED, ImportState.UNFINISHED) or is_silent(found)
    return has_stopped and found.state is not ImportState.CHECKING and found.imported > 0


async def _made(session: AsyncSession, batch_id: str, after: int) -> list[Made]:
    """The next tickets that an import opened, in the order of ids."""
    statement = (
        select(AuditLog.record_id, AuditLog.record_label)
        .where(AuditLog.batch_id == batch_id, *_opened(), AuditLog.record_id > after)
        .order_by(AuditLog.record_id)
        .limit(CHUNK)
    )
    return [(row.record_id, row.record_label) for row in await session.execute(statement)]


async def _untouched(session: AsyncSession, batch_id: str, ids: Sequence[int]) -> set[int]:
    """Those of which the log knows nothing but that they were opened, locked against whoever comes now."""
    locked = select(Ticket.id).where(Ticket.id.in_(ids), Ticket.version == 1).order_by(Ticket.id).with_for_update()
    candidates = set(await session.scalars(locked))
    touched = set(await session.scalars(_elsewhere(batch_id, ids).with_only_columns(AuditLog.record_id)))
    members = set(await session.scalars(_members(ids).with_only_columns(AuditMember.record_id)))
    return candidates - touched - members


async def _delete(session: AsyncSession, ids: set[int], marks: dict[str, Any]) -> None:
    statement = update(Ticket).where(Ticket.id.in_(ids)).values(**marks, version=Ticket.version + 1)
    await session.execute(statement, execution_options={"synchronize_session": False})


async def _named(session: AsyncSession, batch_id: str, others: Sequence[Made]) -> list[list[Any]]:
    """[id, label, reason] of tickets that stay."""
    ids = [ticket_id for ticket_id, _ in others]
    if not ids:
        return []
    stored = select(Ticket.id, Ticket.deleted_at).where(Ticket.id.in_(ids)).execution_options(**INCLUDE_DELETED)
    deleted = {row.id: row.deleted_at is not None for row in await session.execute(stored)}
    newest = _elsewhere(batch_id, ids).with_only_columns(func.max(AuditLog.id)).group_by(AuditLog.record_id)
    lately = select(AuditLog.record_id, AuditLog.actor_name).where(AuditLog.id.in_(newest))
    names = {row.record_id: row.actor_name for row in await session.execute(lately)}

    def reason(ticket_id: int) -> str:
        if ticket_id not in deleted:
            return "removed for good since"
        if deleted[ticket_id]:
            return "in the trash already"
        return f"changed by {names[ticket_id]} since" if ticket_id in names else "changed together with others since"

    return [[ticket_id, label, reason(ticket_id)] for ticket_id, label in others]


async def _record(
    session: AsyncSession, actor: Actor, found: TicketImport, removed: Sequence[Made], marks: dict[str, Any]
) -> None:
    changes = {"undone": [0, len(removed)], "kept": [0, found.kept_count]}
    subject = audit.Subject("tickets", None, found.file_name, changes)
    entry = await audit.record_batch(
        session, actor, AuditAction.UNDO, subject, batch_id=marks["delete_batch_id"], reason=REASON
    )
    written = {name: [None, audit.plain(value)] for name, value in marks.items()}
    members = [audit.Subject("tickets", ticket_id, label, written, version=2) for ticket_id, label in removed]
    for start in range(0, len(members), CHUNK):
        await audit.record_members(session, entry, members[start : start + CHUNK])


def _opened() -> tuple[ColumnElement[bool], ...]:
    return AuditLog.action == AuditAction.CREATE, AuditLog.table_name == "tickets"


def _elsewhere(batch_id: str, ids: Sequence[int]) -> Select[Any]:
    """Entries about these tickets that are not of the import."""
    others = (AuditLog.batch_id.is_(None)) | (AuditLog.batch_id != batch_id)
    return select(AuditLog).where(AuditLog.table_name == "tickets", AuditLog.record_id.in_(ids), others)


def _members(ids: Sequence[int]) -> Select[Any]:
    return select(AuditMember).where(AuditMember.table_name == "tickets", AuditMember.record_id.in_(ids))
