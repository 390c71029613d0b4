"""What the page of a batch shows, in a constant number of statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.batch import Batch, BatchState
from admin_app.permissions import Permission
from admin_app.services.batches.bulk import parameters, preview
from admin_app.services.batches.bulk.actions import ACTIONS, Action
from admin_app.services.batches.bulk.apply import is_too_old, may_apply
from admin_app.services.batches.bulk.rows import Row
from admin_app.services.blocks import audit_entries
from admin_app.services.records import lookup

SHOWN = 100


@dataclass(frozen=True)
class PlannedRow:
    """A ticket as it is, and what becomes of it; `is_stale` when somebody changed it since the preview."""

    row: Row
    changes: Sequence[audit_entries.Change]
    is_stale: bool


@dataclass(frozen=True)
class BatchPage:
    """A batch with the first `SHOWN` of its tickets, and what this person may do with it."""

    batch: Batch
    made_by: str
    asked: Sequence[audit_entries.Change]
    planned: Sequence[PlannedRow]
    entries: Mapping[AuditAction, int]
    """Ids of the entries that tell of it in the audit log."""
    may_apply: bool
    is_too_old: bool
    may_undo: bool


async def read(session: AsyncSession, actor: Actor, batch_id: str) -> BatchPage:
    """A batch for its page; planned tickets are read anew while it is a preview. `NotFound` when there is none."""
    actor.require(Permission.TICKET_BULK)
    batch = await preview.find(session, batch_id)
    action = ACTIONS[batch.kind](parameters.orders_of(batch, actor))
    rows = await _planned(session, action, batch)
    asked, *changes = await audit_entries.in_words(session, [action.asked, *(changed for _, changed, _ in rows)])
    names = await lookup.names_of(session, [batch.actor_id] if batch.actor_id is not None else [])
    entries = await session.execute(select(AuditLog.action, AuditLog.id).where(AuditLog.batch_id == batch.batch_id))
    return BatchPage(
        batch=batch,
        made_by=next(iter(names.values()), "The command line"),
        asked=asked,
        planned=[PlannedRow(row, words, is_stale) for (row, _, is_stale), words in zip(rows, changes, strict=True)],
        entries={entry.action: entry.id for entry in entries},
        may_apply=may_apply(actor, batch) and actor.can(action.permission),
        is_too_old=is_too_old(batch),
        may_undo=actor.can(action.undo_permission),
    )


async def batch_id_of(session: AsyncSession, actor: Actor, number: int) -> str:
    """The batch id of a stored batch."""
    actor.require(Permission.TICKET_BULK)
    found: str = await session.scalar(select(Batch.batch_id).where(Batch.id == number)) or ""
    return found


async def _planned(
    session: AsyncSession, action: Action, batch: Batch
) -> list[tuple[Row, dict[str, list[object]], bool]]:
    if batch.state is not BatchState.PREVIEWED:
        return []
    first = batch.plan[:SHOWN]
    found, people = await preview.read_rows(session, action, [ticket_id for ticket_id, _ in first])
    shown = []
    for ticket_id, version in first:
        row = found.get(ticket_id)
        if row is not None:
            is_stale = row.version != version or action.refusal(row, people) != ""
            shown.append((row, {} if is_stale else action.changes(row, people), is_stale))
    return shown
