"""Taking a batch back, for every ticket that nobody touched since."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import Conflict
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.audit_member import AuditMember
from admin_app.models.batch import Batch, BatchState
from admin_app.permissions import Permission
from admin_app.services.batches.bulk import parameters, preview, rows, writing
from admin_app.services.batches.bulk.actions import ACTIONS, CHANGED_SINCE, Action
from admin_app.services.batches.bulk.apply import CHANGING, CHECKING, NAMED, Progress, unheard
from admin_app.services.batches.bulk.digests import Digests, tickets
from admin_app.services.batches.bulk.rows import Row
from admin_app.services.records import audit
from admin_app.services.records.audit import Changes

GONE = "It is gone for good."


@dataclass
class _Sorted:
    """Tickets that get their old values back, and those that stay as they are: id, label, reason."""

    untouched: list[tuple[Row, Changes]] = field(default_factory=list)
    kept: list[list[object]] = field(default_factory=list)


async def undo(session: AsyncSession, actor: Actor, batch_id: str, progress: Progress = unheard) -> Batch:
    """Give the tickets of an applied batch their old values back, where the batch was the last to touch them.

    The others stay as they are and are named in `kept`, as are those whose old owner can own no more, and, on the way
    out of the trash, those whose customer is deactivated. One UNDO entry with a member per ticket; each person
    concerned is told once. Anybody with `ticket:bulk` and the right to the opposite may undo, once; `Conflict` for a
    second time, before the batch was applied, and when no ticket is left to undo.
    """
    actor.require(Permission.TICKET_BULK)
    batch = await preview.find(session, batch_id, lock=True)
    actor.require(ACTIONS[batch.kind].undo_permission)
    if batch.state is BatchState.PREVIEWED:
        raise Conflict("This batch was not applied, so there is nothing to undo.")
    if batch.state is BatchState.UNDONE:
        raise Conflict("This batch was undone already. Nothing was changed a second time.")
    action = ACTIONS[batch.kind](parameters.orders_of(batch, actor))
    found = await _sorted(session, action, batch, progress)
    if not found.untouched:
        raise Conflict(f"Nothing was undone: {_reasons(found.kept)}")
    await _take_back(session, actor, action, found, progress)
    batch.kept, batch.kept_count = found.kept, len(found.kept)
    batch.state, batch.undone_at = BatchState.UNDONE, action.orders.now
    return batch


async def _sorted(session: AsyncSession, action: Action, batch: Batch, progress: Progress) -> _Sorted:
    """Every member of the batch, its ticket locked in the order of ids."""
    found = _Sorted()
    last, done = 0, 0
    while members := await _members(session, action, after=last):
        ids = [member.record_id for member in members]
        last, done = ids[-1], done + len(ids)
        stored = await rows.read(session, ids, with_tags=action.asks_tags, lock=True)
        people = await _people(session, action, stored.values(), members)
        for member in members:
            row = stored.get(member.record_id)
            reason = GONE
            if row is not None:
                untouched = row.version == member.version
                reason = action.undo_rule(row, member.changes, people) if untouched else CHANGED_SINCE
            if row is None or reason:
                found.kept.append([member.record_id, member.record_label, reason])
            else:
                found.untouched.append((row, {name: pair[::-1] for name, pair in member.changes.items()}))
        progress(CHECKING, done, batch.planned_count)
    return found


async def _people(
    session: AsyncSession, action: Action, stored: Iterable[Row], members: Iterable[AuditMember]
) -> rows.People:
    """Whoever would be responsible again, locked, when the rules of this undo ask for them."""
    if not action.undo_asks_people:
        return {}
    involved = {number for row in stored for number in (row.owner_id, row.creator_id)}
    former = {member.changes["owner_id"][0] for member in members if "owner_id" in member.changes}
    return await rows.people(session, involved | former, lock=True)


async def _members(session: AsyncSession, action: Action, *, after: int) -> Sequence[AuditMember]:
    statement = (
        select(AuditMember)
        .join(AuditMember.log)
        .where(AuditLog.batch_id == action.orders.batch_id, AuditLog.action == action.done)
        .where(AuditMember.record_id > after)
        .order_by(AuditMember.record_id)
        .limit(rows.CHUNK_ROWS)
    )
    return (await session.scalars(statement)).all()


async def _take_back(session: AsyncSession, actor: Actor, action: Action, found: _Sorted, progress: Progress) -> None:
    total = len(found.untouched)
    done: Changes = {
        "batch": [action.kind.value, None],
        "given_back": [0, total],
        "kept_as_they_are": [0, len(found.kept)],
    }
    entry = await audit.record_batch(
        session,
        actor,
        AuditAction.UNDO,
        audit.Subject("tickets", None, tickets(total), done),
        batch_id=action.orders.batch_id,
    )
    digests = Digests(action, undone=True)
    for number, chunk in enumerate(rows.chunks(found.untouched)):
        await writing.change(session, action, entry, chunk)
        await digests.add(session, chunk)
        progress(CHANGING, number * rows.CHUNK_ROWS + len(chunk), total)
    digests.send(session, actor)


def _reasons(kept: Sequence[Sequence[object]]) -> str:
    named = [f"{label}: {reason}" for _, label, reason in kept[:NAMED]]
    more = f" And {len(kept) - NAMED:,} more." if len(kept) > NAMED else ""
    return " ".join(named) + more
