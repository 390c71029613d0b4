"""Which tickets a list shows: filters, search and sort, as one statement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db import ticket_search as searching
from admin_app.db.keyset import Order
from admin_app.db.search_query import SearchQuery, parse
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import Malformed
from admin_app.models.comment import Comment
from admin_app.models.tag import Tag
from admin_app.models.ticket import ACTIVE_STATUSES, Channel, Priority, Status, Ticket
from admin_app.models.user import User
from admin_app.permissions import Permission
from admin_app.services.records import highlights, listing, lookup, ticket_search

SORTS: dict[str, tuple[InstrumentedAttribute[Any], ...]] = {
    "created_at": (Ticket.created_at, Ticket.id),
    "updated_at": (Ticket.updated_at, Ticket.id),
    "title": (Ticket.title, Ticket.id),
    "status": (Ticket.status, Ticket.created_at, Ticket.id),
    "priority": (Ticket.priority, Ticket.created_at, Ticket.id),
    "due_at": (Ticket.due_at, Ticket.id),
    "ticket_number": (Ticket.id,),
}
"""Sortable columns, each with those of its index; the number sorts as the id does, both grow together."""

RELEVANCE = "relevance"
"""Not a column: how well a ticket fits to what is searched for."""

LAST_DELETED_FIRST = Order((Ticket.deleted_at, Ticket.id), descending=True)

MOST_COMMENTS = 500
"""So many comments are looked through for what a page of matches shows of them."""

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
    """One page of live tickets with owner and customer loaded. `Malformed` for an unknown sort column.

    A search looks at the newest `ticket_search.NEWEST` matches, and says so when there are more.
    """
    actor.require(Permission.TICKET_LIST)
    tickets = select(Ticket).options(*lookup.WITH_PEOPLE)
    if not wanted.search.strip():
        order = order_by(sort, descending=descending)
        return await listing.paginate(session, narrowed(tickets, actor, wanted), order=order, request=request)
    query, others = parse(wanted.search), replace(wanted, search="")
    fitting = narrowed(select(Ticket.id), actor, others).where(Ticket.deleted_at.is_(None))
    found = await ticket_search.best(session, query, fitting=fitting if others != TicketFilter() else None)
    dialect = session.get_bind().dialect.name

    async def read(ids: list[int]) -> dict[int, Ticket]:
        chosen = tickets.where(searching.among(Ticket.id, ids, dialect))
        return {ticket.id: ticket for ticket in await session.scalars(chosen)}

    if sort == RELEVANCE:
        shown = await listing.paginate_ranked(found.places, request, read)
    else:
        among = tickets.where(searching.among(Ticket.id, found.ids, dialect))
        order = order_by(sort, descending=descending)
        known = len(found.places)
        shown = await listing.paginate(session, among, order=order, request=request, known_count=known)
    contexts = await _contexts(session, shown.rows, query) if shown.rows else {}
    return replace(shown, cut_at=found.cut_at, contexts=contexts)


@dataclass(frozen=True)
class Context:
    """What was searched for, as it stands in a ticket. Text in parts, those to be marked with True."""

    title: highlights.Pieces
    customer: highlights.Pieces
    excerpt: highlights.Pieces = ()
    source: str = ""
    """Where the excerpt is from."""


async def _contexts(session: AsyncSession, rows: Sequence[Ticket], query: SearchQuery) -> dict[int, Context]:
    """Per ticket; comments are read, in one statement, for those whose own text does not hold every word."""
    wanted = highlights.wanted_in(query)
    own = {row.id: (row.title, row.creator.full_name, row.creator.email, row.description) for row in rows}
    numbers = {row.id: row.ticket_number for row in rows}
    unexplained = [number for number, texts in own.items() if not highlights.holds((*texts, numbers[number]), query)]
    statement = (
        select(Comment.ticket_id, Comment.body)
        .where(Comment.ticket_id.in_(unexplained), Comment.deleted_at.is_(None))
        .order_by(Comment.ticket_id, Comment.id)
        .limit(MOST_COMMENTS)
    )
    said: dict[int, highlights.Pieces] = {}
    for number, body in await session.execute(statement) if unexplained else ():
        if number not in said and (pieces := highlights.excerpt(body, wanted)):
            said[number] = pieces
    contexts = {}
    for number, (title, name, address, description) in own.items():
        customer = highlights.marked(f"{name} <{address}>" if query.address else name, wanted)
        pieces, source = said.get(number, ()), "Comment"
        if not pieces:
            pieces, source = highlights.excerpt(description, wanted), "Description"
        contexts[number] = Context(highlights.marked(title, wanted), customer, pieces, source if pieces else "")
    return contexts


async def trash_page(
    session: AsyncSession, actor: Actor, *, search: str, request: listing.PageRequest
) -> listing.Page[Ticket]:
    """One page of deleted tickets, last deleted first."""
    actor.require(Permission.TICKET_TRASH)
    statement = in_trash(select(Ticket).options(*lookup.WITH_PEOPLE), search)
    return await listing.paginate(session, statement, order=LAST_DELETED_FIRST, request=request)


def in_trash(statement: Select[Ticket], search: str) -> Select[Ticket]:
    """The statement for deleted tickets only, those that match when something is searched for."""
    deleted = statement.where(Ticket.deleted_at.is_not(None)).execution_options(**INCLUDE_DELETED)
    return deleted.where(_matches(parse(search), deleted=True)) if search.strip() else deleted


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


def order_by(sort: str, *, descending: bool) -> Order:
    """The order that a sortable column stands for; tickets without a due time come last in both directions."""
    columns = SORTS.get(sort)
    if columns is None:
        raise Malformed(f"Tickets cannot be sorted by {sort[:40]}.")
    return Order(columns, descending=descending, empty_last=columns[0] is Ticket.due_at)


def _matches(query: SearchQuery, *, deleted: bool = False) -> ColumnElement[bool]:
    """Every ticket that holds the words, however many they are."""
    return Ticket.id.in_(searching.matching(query, deleted=deleted))


def _related(actor: Actor, wanted: TicketFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.search.strip():
        yield _matches(parse(wanted.search))
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
