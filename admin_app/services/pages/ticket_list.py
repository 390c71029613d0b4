"""Which tickets a list shows: filters, search and sort, as one statement."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import Malformed
from admin_app.models.tag import Tag
from admin_app.models.ticket import ACTIVE_STATUSES, Channel, Priority, Status, Ticket
from admin_app.models.user import User
from admin_app.permissions import Permission
from admin_app.services.records import listing, lookup

SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "created_at": Ticket.created_at,
    "updated_at": Ticket.updated_at,
    "title": Ticket.title,
    "status": Ticket.status,
    "priority": Ticket.priority,
    "due_at": Ticket.due_at,
    "ticket_number": Ticket.id,
}
"""Sortable columns; the number sorts as the id does, both grow together."""

OWNER_ME = "me"
OWNER_NOBODY = "nobody"


@dataclass(frozen=True)
class TicketFilter:
    """What the list is narrowed to; None or empty means everything."""

    search: str = ""
    status: Status | None = None
    only_active: bool = False
    priority: Priority | None = None
    channel: Channel | None = None
    owner: str = ""
    """`me`, `nobody`, or an e-mail address."""
    creator: str = ""
    tag: str = ""
    created_from: datetime | None = None
    created_before: datetime | None = None
    overdue: bool = False


async def page(
    session: AsyncSession,
    actor: Actor,
    wanted: TicketFilter,
    *,
    sort: str,
    descending: bool,
    request: listing.PageRequest,
) -> listing.Page[Ticket]:
    """One page of live tickets with owner and customer loaded. `Malformed` for an unknown sort column."""
    actor.require(Permission.TICKET_LIST)
    statement = narrowed(select(Ticket).options(*lookup.WITH_PEOPLE), actor, wanted)
    return await listing.paginate(session, statement, order=order_by(sort, descending=descending), request=request)


async def trash_page(
    session: AsyncSession, actor: Actor, *, search: str, request: listing.PageRequest
) -> listing.Page[Ticket]:
    """One page of deleted tickets, last deleted first."""
    actor.require(Permission.TICKET_TRASH)
    statement = in_trash(select(Ticket).options(*lookup.WITH_PEOPLE), search)
    return await listing.paginate(
        session, statement, order=(Ticket.deleted_at.desc(), Ticket.id.desc()), request=request
    )


def in_trash(statement: Select[Ticket], search: str) -> Select[Ticket]:
    """The statement for deleted tickets only, those that match when something is searched for."""
    deleted = statement.where(Ticket.deleted_at.is_not(None)).execution_options(**INCLUDE_DELETED)
    return deleted.where(_matches(search)) if search.strip() else deleted


def narrowed(statement: Select[Ticket], actor: Actor, wanted: TicketFilter) -> Select[Ticket]:
    """The statement with every wanted condition on it."""
    conditions: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (Ticket.status, wanted.status),
            (Ticket.priority, wanted.priority),
            (Ticket.channel, wanted.channel),
        )
        if value is not None
    ]
    if wanted.only_active:
        conditions.append(Ticket.status.in_(ACTIVE_STATUSES))
    if wanted.overdue:
        conditions += [Ticket.due_at < clock.now(), Ticket.status.in_(ACTIVE_STATUSES)]
    if wanted.created_from is not None:
        conditions.append(Ticket.created_at >= wanted.created_from)
    if wanted.created_before is not None:
        conditions.append(Ticket.created_at < wanted.created_before)
    conditions += _related(actor, wanted)
    return statement.where(*conditions)


def order_by(sort: str, *, descending: bool) -> tuple[ColumnElement[Any], ...]:
    """The sort column and then the id, both in one direction; tickets without a value come last."""
    column = SORTS.get(sort)
    if column is None:
        raise Malformed(f"Tickets cannot be sorted by {sort[:40]}.")
    directed = column.desc() if descending else column.asc()
    if column is Ticket.id:
        return (directed,)
    if column is Ticket.due_at:
        directed = directed.nulls_last()
    return (directed, Ticket.id.desc() if descending else Ticket.id.asc())


def _matches(search: str) -> ColumnElement[bool]:
    """Number, title, description, customer's name or address contain the words as typed; wildcards are plain text."""
    term = search.strip().replace("\x00", "")
    customers = select(User.id).where(
        or_(User.full_name.icontains(term, autoescape=True), User.email.contains(term.lower(), autoescape=True))
    )
    return or_(
        Ticket.ticket_number == term.upper(),
        Ticket.title.icontains(term, autoescape=True),
        Ticket.description.icontains(term, autoescape=True),
        Ticket.creator_id.in_(customers),
    )


def _related(actor: Actor, wanted: TicketFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.search.strip():
        yield _matches(wanted.search)
    if wanted.owner:
        yield _owned_by(wanted.owner, actor)
    if wanted.creator:
        yield Ticket.creator_id == _id_of(wanted.creator)
    if wanted.tag:
        yield Ticket.tags.any(Tag.name == wanted.tag.replace("\x00", "").strip().lower())


def _owned_by(owner: str, actor: Actor) -> ColumnElement[bool]:
    if owner == OWNER_NOBODY:
        return Ticket.owner_id.is_(None)
    if owner == OWNER_ME:
        return Ticket.owner_id == actor.id
    owned: ColumnElement[bool] = Ticket.owner_id == _id_of(owner)
    return owned


def _id_of(address: str) -> Any:
    return select(User.id).where(User.email == lookup.address_in(address)).scalar_subquery()
