"""What was typed for a batch, checked and kept in JSON's own types, and turned into an action."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import Conflict, InvalidInput
from admin_app.models.batch import Batch, BatchKind
from admin_app.models.ticket import Priority
from admin_app.services.batches.bulk import rows
from admin_app.services.batches.bulk.actions import ACTIONS, Action, Orders
from admin_app.services.batches.bulk.rows import Person
from admin_app.services.operations import following
from admin_app.services.records import lookup, text_rules

LONGEST_RESOLUTION = 1_000
"""It is stored with every ticket and with every member of the batch, so it is shorter than a ticket's own."""

Typed = Mapping[str, str]


async def check(session: AsyncSession, actor: Actor, kind: BatchKind, typed: Typed) -> dict[str, Any]:
    """The parameters of a batch; `InvalidInput` at `resolution`, `new_owner`, `reason`, `priority` or the tags."""
    texts = {name: text_rules.normalised(text) for name, text in typed.items()}
    if kind is BatchKind.CLOSE:
        return {"resolution": _resolution(texts.get("resolution", ""))}
    if kind is BatchKind.PRIORITY:
        return {"priority": _priority(texts.get("priority", ""))}
    if kind is BatchKind.TAG:
        return _tags(texts)
    reason = texts.get("reason", "")
    if kind is not BatchKind.RESTORE:
        text_rules.check({"reason": reason}, required=("reason",))
    if kind is BatchKind.DELETE:
        return {"reason": reason}
    address = texts.get("new_owner", "")
    if kind is BatchKind.RESTORE and not address:
        return {"owner_id": None}
    owner = await lookup.possible_owner(session, actor, address, field="new_owner")
    return {"owner_id": owner.id} if kind is BatchKind.RESTORE else {"owner_id": owner.id, "reason": reason}


async def action_for(session: AsyncSession, actor: Actor, batch: Batch, *, lock: bool = False) -> Action:
    """What a batch is to do, with its new owner read (and kept as they are, with `lock`).

    `PermissionDenied` without the action's own permission; `Conflict` when the new owner can own no more.
    """
    chosen = ACTIONS[batch.kind]
    actor.require(chosen.permission)
    owner_id = batch.parameters.get("owner_id")
    people = await rows.people(session, [owner_id], lock=lock)
    new_owner = people[owner_id] if owner_id is not None else None
    if new_owner is not None and not new_owner.can_own:
        raise Conflict(f"{new_owner.name} can no longer own tickets. Nothing was changed; choose somebody else.")
    return chosen(orders_of(batch, actor, new_owner))


def orders_of(batch: Batch, actor: Actor, new_owner: Person | None = None) -> Orders:
    """The orders of a batch, to be carried out or taken back now."""
    return Orders(batch.parameters, batch.batch_id, actor, clock.now(), new_owner)


def _resolution(text: str) -> str:
    text_rules.check({"resolution": text})
    if len(text) > LONGEST_RESOLUTION:
        raise InvalidInput(
            resolution=f"At most {LONGEST_RESOLUTION:,} characters for many tickets; these are {len(text):,}."
        )
    return text


def _priority(text: str) -> int:
    known = {str(priority.value): priority.value for priority in Priority}
    if text not in known:
        raise InvalidInput(priority="Choose one of the list.")
    return known[text]


def _tags(texts: Typed) -> dict[str, list[str]]:
    added, removed = (following.tag_words(texts.get(name, "")) for name in ("tags", "removed_tags"))
    if not (added or removed):
        raise InvalidInput(tags="Say which tags to add or to remove.")
    both = sorted(set(added) & set(removed))
    if both:
        raise InvalidInput(removed_tags=f"{both[0]} cannot be both added and removed.")
    return {"added": added, "removed": removed}
