"""What a batch would do, frozen: ids with their versions, and who is refused and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import NotFound
from admin_app.models.batch import Batch, BatchKind, BatchState
from admin_app.permissions import Permission
from admin_app.services.batches.bulk import choosing, parameters, rows
from admin_app.services.batches.bulk.actions import Action
from admin_app.services.batches.bulk.choosing import Selection
from admin_app.services.batches.bulk.rows import People, Row
from admin_app.services.blocks import soft_delete

GOOD_FOR = timedelta(hours=1)
KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class Wanted:
    """What to do, with the form's texts: resolution, reason, new_owner, priority, tags, removed_tags."""

    kind: BatchKind
    typed: Mapping[str, str] = field(default_factory=dict)


async def preview(session: AsyncSession, actor: Actor, wanted: Wanted, selection: Selection) -> Batch:
    """Decide for every chosen ticket and keep the outcome for `apply`; no ticket is touched.

    Doubled ids count once. Needs `ticket:bulk` and the permission of the action itself. Raises `InvalidInput` when
    nothing or too much is chosen, and at the field that is wrong.
    """
    actor.require(Permission.TICKET_BULK)
    checked = await parameters.check(session, actor, wanted.kind, wanted.typed)
    return await _freeze(session, actor, wanted.kind, checked, selection)


async def preview_again(session: AsyncSession, actor: Actor, batch_id: str) -> Batch:
    """A new preview of the same thing for the tickets that the old one planned to change, as they are now."""
    actor.require(Permission.TICKET_BULK)
    old = await find(session, batch_id)
    ids = [ticket_id for ticket_id, _ in old.plan]
    return await _freeze(session, actor, old.kind, old.parameters, Selection(ids=ids))


async def find(session: AsyncSession, batch_id: str, *, lock: bool = False) -> Batch:
    """The batch, or `NotFound`; `lock` keeps others from applying or undoing it at the same time."""
    statement = select(Batch).where(Batch.batch_id == batch_id.replace("\x00", ""))
    found = await session.scalar(statement.with_for_update() if lock else statement)
    if found is None:
        raise NotFound("There is no such batch.")
    return found


async def read_rows(
    session: AsyncSession, action: Action, ids: Sequence[int], *, lock: bool = False
) -> tuple[dict[int, Row], People]:
    """A chunk of tickets, with the people whom the action's rules ask about."""
    found = await rows.read(session, list(filter(choosing.can_exist, ids)), with_tags=action.asks_tags, lock=lock)
    if not action.asks_people:
        return found, {}
    involved = {number for row in found.values() for number in (row.owner_id, row.creator_id)}
    return found, await rows.people(session, involved, lock=lock)


async def _freeze(
    session: AsyncSession, actor: Actor, kind: BatchKind, checked: Mapping[str, object], selection: Selection
) -> Batch:
    batch = Batch(batch_id=soft_delete.new_batch_id(), kind=kind, actor_id=actor.id, plan=[], refused=[])
    batch.parameters = dict(checked)
    action = await parameters.action_for(session, actor, batch)
    for chunk in rows.chunks(await choosing.chosen(session, actor, selection)):
        found, people = await read_rows(session, action, chunk)
        for ticket_id in chunk:
            row = found.get(ticket_id)
            refusal = action.refusal(row, people)
            if row is not None and not refusal:
                batch.plan.append([row.id, row.version])
            else:
                batch.refused.append([ticket_id, row.ticket_number if row else f"Number {ticket_id}", refusal])
    batch.planned_count, batch.refused_count = len(batch.plan), len(batch.refused)
    await _forget_old(session)
    session.add(batch)
    await session.flush()
    return batch


async def _forget_old(session: AsyncSession) -> None:
    """Previews that nobody can apply any more."""
    is_old = Batch.created_at < clock.now() - KEPT_FOR
    await session.execute(delete(Batch).where(Batch.state == BatchState.PREVIEWED, is_old))
