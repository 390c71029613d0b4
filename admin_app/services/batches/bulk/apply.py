"""Carrying a preview out: every ticket of it, in one transaction, or none."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import Conflict, PermissionDenied
from admin_app.models.batch import Batch, BatchState
from admin_app.permissions import Permission, Role
from admin_app.services.batches.bulk import parameters, preview, rows, writing
from admin_app.services.batches.bulk.actions import Action
from admin_app.services.batches.bulk.digests import Digests, tickets
from admin_app.services.batches.bulk.rows import People, Row
from admin_app.services.records import audit
from admin_app.services.records.audit import Changes

NAMED = 5
CHECKING, CHANGING = "checking", "changing"

Progress = Callable[[str, int, int], None]
"""Hears (`checking` or `changing`, tickets done, tickets in all) after every chunk; from the start when retried."""


def unheard(phase: str, done: int, total: int) -> None:
    """Nobody wants to know how far it is."""


async def apply(session: AsyncSession, actor: Actor, batch_id: str, progress: Progress = unheard) -> Batch:
    """Change every planned ticket, or none.

    Locks them in the order of ids and decides again: when one is missing, deleted, at another version than at the
    preview, or against the rules by now, a `Conflict` names up to five of them. Writes one audit entry with a member
    per ticket and tells each person concerned once. Only whoever made the preview, or an admin, may apply it, once,
    within the hour; otherwise `PermissionDenied` or `Conflict`.
    """
    actor.require(Permission.TICKET_BULK)
    batch = await preview.find(session, batch_id, lock=True)
    _refuse_others(actor, batch)
    _refuse_done_or_old(batch)
    action = await parameters.action_for(session, actor, batch)
    planned = await _checked(session, action, batch, progress)
    action = await parameters.action_for(session, actor, batch, lock=True)  # a ticket is locked before its new owner
    entry = await audit.record_batch(
        session,
        actor,
        action.done,
        audit.Subject("tickets", None, tickets(len(planned)), action.asked),
        batch_id=batch.batch_id,
        reason=batch.parameters.get("reason"),
    )
    digests = Digests(action)
    for number, chunk in enumerate(rows.chunks(planned)):
        await writing.change(session, action, entry, chunk)
        await digests.add(session, chunk)
        progress(CHANGING, number * rows.CHUNK_ROWS + len(chunk), len(planned))
    digests.send(session, actor)
    batch.state, batch.applied_at = BatchState.APPLIED, action.orders.now
    return batch


def may_apply(actor: Actor, batch: Batch) -> bool:
    """Whoever made the preview, or an admin."""
    return (actor.id is not None and actor.id == batch.actor_id) or actor.role is Role.ADMIN


def is_too_old(batch: Batch) -> bool:
    """The desk has moved on too far since the preview."""
    return clock.now() - batch.created_at > preview.GOOD_FOR


def _refuse_others(actor: Actor, batch: Batch) -> None:
    if not may_apply(actor, batch):
        raise PermissionDenied("Somebody else made this preview. Make your own to apply it.")


def _refuse_done_or_old(batch: Batch) -> None:
    if batch.state is not BatchState.PREVIEWED:
        raise Conflict("This batch was applied already. Nothing was changed a second time.")
    if is_too_old(batch):
        raise Conflict("This preview is older than an hour. Nothing was changed; make a new one.")
    if not batch.plan:
        raise Conflict("There is nothing to change in this batch.")


async def _checked(
    session: AsyncSession, action: Action, batch: Batch, progress: Progress
) -> list[tuple[Row, Changes]]:
    """Every planned ticket, locked, with its changes; `Conflict` when there is something against one of them."""
    planned: list[tuple[Row, Changes]] = []
    wrong: list[str] = []
    for number, chunk in enumerate(rows.chunks(batch.plan)):
        found, people = await preview.read_rows(session, action, [ticket_id for ticket_id, _ in chunk], lock=True)
        for ticket_id, version in chunk:
            row = found.get(ticket_id)
            refusal = _stale_or_refused(action, row, version, people)
            if row is None or refusal:
                wrong.append(f"{row.ticket_number if row else f'Number {ticket_id}'}: {refusal}")
            else:
                planned.append((row, action.changes(row, people)))
        progress(CHECKING, number * rows.CHUNK_ROWS + len(chunk), len(batch.plan))
    if wrong:
        more = f" And {len(wrong) - NAMED:,} more." if len(wrong) > NAMED else ""
        raise Conflict(f"Nothing was changed. {' '.join(wrong[:NAMED])}{more} Preview it again.")
    return planned


def _stale_or_refused(action: Action, row: Row | None, version: int, people: People) -> str:
    refusal = action.refusal(row, people)
    if row is not None and row.version != version and (row.deleted_at is not None) is action.on_deleted:
        return "It was changed since the preview."
    return refusal
