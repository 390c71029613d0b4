"""What people do with a ticket: open, edit, move, hand over, delete, restore, purge."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db import ticket_numbers
from admin_app.db.search_query import ticket_number
from admin_app.errors import Conflict, Findings, InvalidInput
from admin_app.models.attachment import Attachment
from admin_app.models.audit_log import AuditAction
from admin_app.models.notification import NotificationType
from admin_app.models.ticket import Channel, Priority, Status, Ticket
from admin_app.models.user import User
from admin_app.models.watcher import WatchLevel
from admin_app.permissions import Permission
from admin_app.services.blocks import editing, ownership, purge, soft_delete, stored_bytes, workflow
from admin_app.services.records import audit, lookup, notifications, text_rules
from admin_app.services.records.file_store import FileStore

EDITABLE_FIELDS = (
    "title",
    "description",
    "status",
    "priority",
    "channel",
    "category",
    "due_at",
    "resolution",
)


@dataclass(frozen=True)
class NewTicket:
    """What a person fills in to open a ticket; people are named by e-mail address."""

    creator: str
    title: str
    description: str = ""
    priority: Priority = Priority.MEDIUM
    channel: Channel = Channel.WEB
    category: str = ""
    owner: str = ""
    due_at: datetime | None = None
    parent: str = ""


async def open_ticket(session: AsyncSession, actor: Actor, new: NewTicket) -> Ticket:
    """Open a ticket for a customer; the number comes from the sequence.

    `InvalidInput` at `creator`, `owner` and `parent` when that record is missing or inactive, and at every field that
    is empty or too long. A clash on the number is retried by `Database.run` and never shown.
    """
    actor.require(Permission.TICKET_CREATE)
    typed = {"title": new.title, "description": new.description, "category": new.category}
    creator, owner, parent_id = await _checked(session, actor, new, typed)
    [number] = await ticket_numbers.take(session)
    ticket = Ticket(
        ticket_number=number,
        **{name: text_rules.normalised(text) for name, text in typed.items()},
        priority=new.priority,
        channel=new.channel,
        creator_id=creator.id,
        owner_id=owner.id if owner else None,
        parent_id=parent_id,
        due_at=new.due_at,
    )
    session.add(ticket)
    await audit.record(session, actor, AuditAction.CREATE, ticket)
    notifications.notify(
        session,
        actor,
        [ticket.owner_id],
        NotificationType.TRANSFERRED,
        f"{actor.name} opened {number} for you: {ticket.title}",
        ticket,
    )
    return ticket


async def edit(
    session: AsyncSession, actor: Actor, ticket_id: int, changes: Mapping[str, object], *, version: int
) -> Ticket:
    """Save an edit form that was opened at `version`; fields left out stay as they are.

    A status goes through the state table; what is resolved or closed keeps a resolution. Raises `StaleEdit`
    when somebody saved first, `InvalidInput` at a field, `InvalidTransition` without an arrow. Saving
    without a change writes nothing.
    """
    actor.require(Permission.TICKET_EDIT)
    unknown = changes.keys() - set(EDITABLE_FIELDS)
    if unknown:
        raise InvalidInput(**dict.fromkeys(unknown, "This cannot be edited here."))
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True)
    typed = {name: _normalised(name, value) for name, value in changes.items()}
    await editing.check_version(session, ticket, version=version, typed=typed)
    texts = {name: str(value or "") for name, value in typed.items() if name in text_rules.LONGEST}
    text_rules.check(texts, required=("title",))
    before = ticket.status
    target = typed.pop("status", before)
    for name, value in typed.items():
        if getattr(ticket, name) != value:
            setattr(ticket, name, value)
    if target != before:
        workflow.move(actor, ticket, Status(str(target)))
    if not (ticket.is_active or ticket.resolution):
        raise InvalidInput(resolution="Say how this was solved.")
    await editing.record_edit(session, actor, ticket)
    if ticket.status != before:
        await _tell_status(session, actor, ticket)
    return ticket


async def resolve(session: AsyncSession, actor: Actor, ticket_id: int, *, resolution: str, version: int) -> Ticket:
    """Mark as solved; the resolution is required. Errors as for `move`."""
    return await _move(session, actor, ticket_id, Status.RESOLVED, version=version, resolution=resolution)


async def close(session: AsyncSession, actor: Actor, ticket_id: int, *, resolution: str, version: int) -> Ticket:
    """End the ticket; a resolution is required, one that it already has is enough."""
    return await _move(session, actor, ticket_id, Status.CLOSED, version=version, resolution=resolution)


async def reopen(session: AsyncSession, actor: Actor, ticket_id: int, *, reason: str, version: int) -> Ticket:
    """Back to open, with a reason; a closed ticket only with `ticket:reopen-closed`.

    A ticket whose owner has left meanwhile, or can own none any more, comes back without an owner.
    """
    return await _move(session, actor, ticket_id, Status.OPEN, version=version, reason=reason)


async def transfer(
    session: AsyncSession, actor: Actor, ticket_id: int, *, new_owner: str, reason: str, note: str, version: int
) -> Ticket:
    """Hand a ticket to the person with the address `new_owner`, with a reason.

    Raises `PermissionDenied`, `InvalidInput` at `new_owner` or `reason`, and `Conflict` when the ticket was
    changed since the form was opened: of two at once, one wins and the other is told.
    """
    actor.require(Permission.TICKET_TRANSFER)
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True)
    text_rules.check({"reason": reason, "note": note}, required=("reason",))
    receiver = await lookup.possible_owner(session, actor, new_owner, field="new_owner", lock=True)
    lookup.check_version(ticket, version)
    await ownership.transfer(session, actor, ticket, new_owner=receiver, reason=reason.strip(), note=note.strip())
    return ticket


async def take(session: AsyncSession, actor: Actor, ticket_id: int, *, seen_owner_id: int | None) -> Ticket:
    """Make a ticket one's own that belonged to nobody, or to somebody else, when it was looked at.

    `Conflict` when it was given to another person meanwhile; `PermissionDenied` as for handing it over, and for
    those who cannot own tickets.
    """
    actor.require(Permission.TICKET_TRANSFER)
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True)
    if ticket.owner is not None and ticket.owner_id != seen_owner_id:
        raise Conflict(f"{ticket.owner.full_name} was faster: {ticket.ticket_number} is theirs now.")
    receiver = await lookup.possible_owner(session, actor, lookup.ME, field="new_owner", lock=True)
    await ownership.transfer(session, actor, ticket, new_owner=receiver, reason="Took it on.")
    return ticket


async def delete(session: AsyncSession, actor: Actor, ticket_id: int, *, reason: str, version: int) -> Ticket:
    """Put a ticket into the trash with its comments and attachments. `Conflict` when changed meanwhile."""
    actor.require(Permission.TICKET_DELETE)
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True)
    text_rules.check({"reason": reason}, required=("reason",))
    lookup.check_version(ticket, version)
    await soft_delete.delete(session, actor, ticket, reason=reason)
    return ticket


async def restore(session: AsyncSession, actor: Actor, ticket_id: int, *, new_owner: str = "") -> Ticket:
    """Bring a ticket back from the trash; `new_owner` (an address) replaces an owner who can own no more."""
    actor.require(Permission.TICKET_RESTORE)
    ticket = await lookup.deleted_ticket(session, actor, ticket_id, lock=True)
    owner = (
        await lookup.possible_owner(session, actor, new_owner, field="new_owner", lock=True)
        if new_owner.strip()
        else None
    )
    await soft_delete.restore(session, actor, ticket, new_owner=owner)
    return ticket


async def purge_preview(session: AsyncSession, actor: Actor, ticket_id: int) -> tuple[Ticket, purge.PurgeCounts]:
    """A ticket in the trash, and what would go with it."""
    actor.require(Permission.TICKET_PURGE)
    ticket = await lookup.deleted_ticket(session, actor, ticket_id)
    return ticket, await purge.count(session, actor, ticket)


async def purge_for_good(
    session: AsyncSession, actor: Actor, ticket_id: int, *, typed_number: str, store: FileStore
) -> None:
    """Remove a ticket from the trash for good; bytes of its files go once that is committed."""
    actor.require(Permission.TICKET_PURGE)
    ticket = await lookup.deleted_ticket(session, actor, ticket_id, lock=True)
    keys = await purge.purge(session, actor, ticket, typed_number=typed_number)
    stored_bytes.remove_when_unused(session, store, Attachment.storage_key, keys)


async def _move(
    session: AsyncSession,
    actor: Actor,
    ticket_id: int,
    target: Status,
    *,
    version: int,
    reason: str = "",
    resolution: str = "",
) -> Ticket:
    actions = {Status.RESOLVED: AuditAction.RESOLVE, Status.CLOSED: AuditAction.CLOSE, Status.OPEN: AuditAction.REOPEN}
    actor.require(Permission.TICKET_CLOSE)
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True)
    text_rules.check({"reason": reason, "resolution": resolution})
    if target is Status.OPEN:
        workflow.find_reopening(ticket.status)
    else:
        workflow.find_arrow(ticket.status, target)
    lookup.check_version(ticket, version)
    if target is Status.OPEN and ticket.owner_id and not await lookup.can_still_own(session, ticket.owner_id):
        ticket.owner_id = None
    workflow.move(actor, ticket, target, reason=reason, resolution=text_rules.normalised(resolution))
    await audit.record(session, actor, actions[target], ticket, reason=reason.strip() or None)
    await _tell_status(session, actor, ticket)
    return ticket


async def _tell_status(session: AsyncSession, actor: Actor, ticket: Ticket) -> None:
    watching = await notifications.watchers_of(session, ticket, WatchLevel.ALL)
    notifications.notify(
        session,
        actor,
        [ticket.owner_id, *watching],
        NotificationType.STATUS_CHANGED,
        f"{actor.name} set {ticket.ticket_number} to {workflow.label(ticket.status)}: {ticket.title}",
        ticket,
    )


async def _checked(
    session: AsyncSession, actor: Actor, new: NewTicket, texts: Mapping[str, str]
) -> tuple[User, User | None, int | None]:
    """Who opens it, who owns it and what it follows; all that is wrong with the form at once."""
    wrong, owner, parent_id = Findings(), None, None
    with wrong.gathered():
        text_rules.check(texts, required=("title",))
    with wrong.gathered():
        creator = await lookup.active_person(session, new.creator, field="creator")
    if new.owner.strip():
        with wrong.gathered():
            owner = await lookup.possible_owner(session, actor, new.owner, field="owner", lock=True)
    if new.parent.strip():
        with wrong.gathered():
            parent_id = await _parent_id(session, new.parent)
    wrong.tell()
    return creator, owner, parent_id


async def _parent_id(session: AsyncSession, number: str) -> int:
    wanted = ticket_number(number) or number.replace("\x00", "").strip()[:100]
    found = await session.scalar(select(Ticket.id).where(Ticket.ticket_number == wanted))
    if found is None:
        raise InvalidInput(parent=f"There is no ticket {wanted}.")
    return found


def _normalised(name: str, value: object) -> object:
    """Browsers send CRLF from textareas, and an empty resolution is none."""
    if type(value) is not str:
        return value
    text = text_rules.normalised(value)
    return None if name == "resolution" and not text else text
