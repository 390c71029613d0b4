"""The ticket states: one table of arrows. Form, action, bulk and import obey it."""

from dataclasses import dataclass

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import InvalidInput, InvalidTransition
from admin_app.models.ticket import Status, Ticket
from admin_app.permissions import Permission


@dataclass(frozen=True)
class Arrow:
    """One allowed change of status."""

    source: Status
    target: Status
    permission: Permission
    needs_reason: bool = False
    needs_resolution: bool = False


def _among_active() -> tuple[Arrow, ...]:
    working = (Status.OPEN, Status.PENDING, Status.ON_HOLD)
    sources = (Status.NEW, *working)
    return tuple(
        Arrow(source, target, Permission.TICKET_EDIT)
        for source in sources
        for target in working
        if source is not target
    )


def _to_the_end() -> tuple[Arrow, ...]:
    sources = (Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD)
    return tuple(
        Arrow(source, target, Permission.TICKET_CLOSE, needs_resolution=True)
        for source in sources
        for target in (Status.RESOLVED, Status.CLOSED)
    )


ARROWS: tuple[Arrow, ...] = (
    *_among_active(),
    *_to_the_end(),
    Arrow(Status.RESOLVED, Status.CLOSED, Permission.TICKET_CLOSE, needs_resolution=True),
    Arrow(Status.RESOLVED, Status.OPEN, Permission.TICKET_CLOSE, needs_reason=True),
    Arrow(Status.CLOSED, Status.OPEN, Permission.TICKET_REOPEN_CLOSED, needs_reason=True),
)

_BY_ENDS = {(arrow.source, arrow.target): arrow for arrow in ARROWS}


def find_arrow(source: Status, target: Status) -> Arrow:
    """The arrow between two states; `InvalidTransition` when the table has none."""
    try:
        return _BY_ENDS[source, target]
    except KeyError:
        raise InvalidTransition(f"A ticket cannot go from {label(source)} to {label(target)}.") from None


def find_reopening(source: Status) -> Arrow:
    """The arrow back from an end to open; `InvalidTransition` for a ticket that has not ended."""
    arrow = find_arrow(source, Status.OPEN)
    if not arrow.needs_reason:
        raise InvalidTransition(f"{label(source)} is no end: only a resolved or closed ticket can be reopened.")
    return arrow


def check_reopening(actor: Actor, source: Status) -> None:
    """Refuse whoever may not bring a ticket back from this end; whether it has ended is for `find_reopening`."""
    arrow = _BY_ENDS.get((source, Status.OPEN))
    if arrow is not None and arrow.needs_reason:
        actor.require(arrow.permission)


def can_move(actor: Actor, source: Status, target: Status) -> bool:
    """Whether the table has the arrow and the actor's role its permission."""
    arrow = _BY_ENDS.get((source, target))
    return arrow is not None and actor.can(arrow.permission)


def choices(actor: Actor, source: Status) -> list[Status]:
    """The present status and every status that an edit form may offer (arrows without a reason)."""
    return [
        status
        for status in Status
        if status is source or (can_move(actor, source, status) and not _BY_ENDS[source, status].needs_reason)
    ]


def move(
    actor: Actor, ticket: Ticket, target: Status, *, reason: str | None = None, resolution: str | None = None
) -> None:
    """Set the status along an arrow, with the times that follow from it. Does not flush and does not record.

    Raises `InvalidTransition` without an arrow, `PermissionDenied` without its permission, and `InvalidInput` at
    `reason` or `resolution` when the arrow needs one. A resolution that the ticket already has is enough.
    """
    arrow = find_arrow(ticket.status, target)
    actor.require(arrow.permission)
    if arrow.needs_reason and not (reason or "").strip():
        raise InvalidInput(reason="Say why.")
    text = (resolution or ticket.resolution or "").strip()
    if arrow.needs_resolution and not text:
        raise InvalidInput(resolution="Say how this was solved.")
    if arrow.needs_resolution:
        ticket.resolution = text
    ticket.status = target
    now = clock.now()
    ticket.closed_at = now if target is Status.CLOSED else None
    if target is Status.RESOLVED or (target is Status.CLOSED and ticket.resolved_at is None):
        ticket.resolved_at = now
    elif target is not Status.CLOSED:
        ticket.resolved_at = None


def label(status: Status) -> str:
    """A status as people read it."""
    return status.value.replace("_", " ").capitalize()
