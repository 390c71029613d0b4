"""Which tickets a list shows: filters, search and sort, as one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db import ticket_search as searching
from admin_app.db.keyset import Order
from admin_app.db.search_query import SearchQuery, parse
from admin_app.db.sessions import INCLUDE_DELETED, Reader, dialect_of
from admin_app.models.comment import Comment
from admin_app.models.tag import Tag, ticket_tags
from admin_app.models.ticket import Channel, Priority, Status, Ticket
from admin_app.models.user import User
from admin_app.permissions import Permission
from admin_app.services.pages import ticket_paths, ticket_reading
from admin_app.services.pages.ticket_reading import TicketRow
from admin_app.services.records import highlights, listing, lookup, ticket_search

RELEVANCE = "relevance"
"""Not a column: how well a ticket fits to what is searched for."""

LAST_DELETED_FIRST = Order((Ticket.deleted_at, Ticket.id), descending=True)

MOST_COMMENTS = 500
"""So many comments are looked through for what a page of matches shows of them."""

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
    updated_from: datetime | None = None
    updated_before: datetime | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    overdue: bool = False


async def page(
    session: Reader,
    actor: Actor,
    wanted: TicketFilter,
    *,
    sort: str,
    descending: bool,
    request: listing.PageRequest,
) -> listing.Page[TicketRow]:
    """One page of live tickets with the names of owner and customer. `Malformed` for an unknown sort column.

    What is narrowed and sorted so that no index helps stops after `ticket_paths.MOST` tickets, and the page says so
    (`looked_at`). A search looks at the newest `ticket_search.NEWEST` matches, and says so when there are more.
    """
    actor.require(Permission.TICKET_LIST)
    if not wanted.search.strip():
        chosen = _conditions(wanted, actor, await _ids_of(session, wanted))
        return await ticket_reading.page(session, chosen, sort=sort, descending=descending, request=request)
    query, others = parse(wanted.search), replace(wanted, search="")
    fitting = narrowed(select(Ticket.id), actor, others).where(Ticket.deleted_at.is_(None))
    found = await ticket_search.best(session, query, fitting=fitting if others != TicketFilter() else None)
    dialect = dialect_of(session)

    async def read(ids: list[int]) -> dict[int, TicketRow]:
        return {ticket.id: ticket for ticket in (await session.execute(_found(ids, dialect))).all()}

    if sort == RELEVANCE:
        shown = await listing.paginate_ranked(found.places, request, read)
    else:
        order = order_by(sort, descending=descending)
        unknown = listing.Count(0)
        shown = await listing.paginate(session, _found(found.ids, dialect), order=order, request=request, count=unknown)
    contexts = await _contexts(session, shown.rows, query) if shown.rows else {}
    count = listing.Count(len(found.places), is_capped=bool(found.cut_at))
    if count.is_capped and request.count_all:
        every = narrowed(select(Ticket.id), actor, wanted).where(Ticket.deleted_at.is_(None))
        counted = select(func.count()).select_from(every.subquery()).execution_options(**INCLUDE_DELETED)
        count = listing.Count(await session.scalar(counted) or 0)
    return replace(shown.counted(count), cut_at=found.cut_at, contexts=contexts)


def _found(ids: Sequence[int], dialect: str) -> Select[Any]:
    chosen = ticket_reading.AS_FOUND.where(searching.among(Ticket.id, ids, dialect), ticket_reading.LIVE)
    return chosen.execution_options(**INCLUDE_DELETED)


@dataclass(frozen=True)
class Context:
    """What was searched for, as it stands in a ticket. Text in parts, those to be marked with True."""

    title: highlights.Pieces
    customer: highlights.Pieces
    excerpt: highlights.Pieces = ()
    source: str = ""
    """Where the excerpt is from."""


async def _contexts(session: Reader, rows: Sequence[TicketRow], query: SearchQuery) -> dict[int, Context]:
    """Per ticket; comments are read, in one statement, for those whose own text does not hold every word."""
    wanted = highlights.wanted_in(query)
    own = {row.id: (row.title, row.customer, row.address, row.description) for row in rows}
    numbers = {row.id: row.ticket_number for row in rows}
    unexplained = [number for number, texts in own.items() if not highlights.holds((*texts, numbers[number]), query)]
    statement = (
        select(Comment.ticket_id, Comment.body)
        .where(Comment.ticket_id.in_(unexplained), Comment.deleted_at.is_(None))
        .order_by(Comment.ticket_id, Comment.id)
        .limit(MOST_COMMENTS)
        .execution_options(**INCLUDE_DELETED)
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
    ids = {"owner": _id_of(wanted.owner), "creator": _id_of(wanted.creator)}
    conditions = _conditions(replace(wanted, tag=""), actor, ids)
    clauses = [clause for of_name in conditions.values() for clause in of_name]
    if wanted.tag:
        clauses.append(Ticket.tags.any(Tag.name == _tag_in(wanted.tag)))
    if wanted.search.strip():
        clauses.append(_matches(parse(wanted.search)))
    return statement.where(*clauses)


def order_by(sort: str, *, descending: bool) -> Order:
    """The order that a sortable column stands for; tickets without a due time come last in both directions."""
    return ticket_paths.path(sort, {}, descending=descending).order


def _conditions(wanted: TicketFilter, actor: Actor, ids: Mapping[str, Any]) -> dict[str, list[ColumnElement[bool]]]:
    """The clauses of a filter but for its search, by the names that `ticket_paths` knows."""
    conditions: dict[str, list[ColumnElement[bool]]] = {
        column.key: [column == value]
        for column, value in (
            (Ticket.status, wanted.status),
            (Ticket.priority, wanted.priority),
            (Ticket.channel, wanted.channel),
        )
        if value is not None
    }
    for name, column, first, end in (
        ("created", Ticket.created_at, wanted.created_from, wanted.created_before),
        ("updated", Ticket.updated_at, wanted.updated_from, wanted.updated_before),
        ("due", Ticket.due_at, wanted.due_from, wanted.due_before),
    ):
        clauses = [column >= first] if first is not None else []
        clauses += [column < end] if end is not None else []
        conditions |= {name: clauses} if clauses else {}
    if wanted.only_active or wanted.overdue:
        conditions["active"] = [ticket_paths.IS_ACTIVE]
    if wanted.overdue:
        conditions["overdue"] = [Ticket.due_at < clock.now()]
    if wanted.owner:
        conditions["owner"] = [_owned_by(wanted.owner, actor, ids["owner"])]
    if wanted.creator:
        conditions["creator"] = [Ticket.creator_id == ids["creator"]]
    if wanted.tag:
        conditions["tag"] = [ticket_tags.c.tag_id == ids["tag"]]
    return conditions


def _matches(query: SearchQuery, *, deleted: bool = False) -> ColumnElement[bool]:
    """Every ticket that holds the words, however many they are."""
    return Ticket.id.in_(searching.matching(query, deleted=deleted))


def _owned_by(owner: str, actor: Actor, owner_id: Any) -> ColumnElement[bool]:
    if owner == OWNER_NOBODY:
        return Ticket.owner_id.is_(None)
    return Ticket.owner_id == (actor.id if owner == lookup.ME else owner_id)


async def _ids_of(session: Reader, wanted: TicketFilter) -> dict[str, int]:
    """The ids behind addresses and words; nought, which nothing has, for those that nobody knows."""
    asked: dict[str, Select[Any]] = {}
    for name, typed in (("owner", wanted.owner), ("creator", wanted.creator)):
        if typed and typed not in {lookup.ME, OWNER_NOBODY}:
            asked[name] = select(_id_of(typed))
    if wanted.tag:
        asked["tag"] = select(Tag.id).where(Tag.name == _tag_in(wanted.tag))
    ids = {name: await session.scalar(one.execution_options(**INCLUDE_DELETED)) or 0 for name, one in asked.items()}
    return {"owner": 0, "creator": 0, "tag": 0, **ids}


def _tag_in(typed: str) -> str:
    return typed.replace("\x00", "").strip().lower()


def _id_of(address: str) -> Any:
    return select(User.id).where(User.email == lookup.address_in(address)).scalar_subquery()
