"""Reading a page of tickets along, among or past, as `ticket_paths` tells; nothing is read that nobody asked for."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sqlalchemy import Result, Row, Select, and_, bindparam, func, select, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from admin_app.db import planning
from admin_app.db import ticket_search as searching
from admin_app.db.keyset import Order, Position
from admin_app.db.sessions import INCLUDE_DELETED, Reader, dialect_of
from admin_app.models.tag import ticket_tags
from admin_app.models.ticket import Ticket
from admin_app.models.user import User
from admin_app.services.pages.ticket_paths import MOST, Conditions, Driver, Path, drivers, path
from admin_app.services.records import listing
from admin_app.services.records.listing import Count

FIRST_LOOK = 500
"""So many tickets are looked at before it is asked for `MOST` of them."""

TicketRow = Row[Any]
"""What a list shows of a ticket: its columns, and the names of its people as `customer` and `owner`, in this order."""

LIVE = Ticket.deleted_at.is_(None)
LIVE_INDEX = "ix_tickets_live_created_at"


_customer, _owner = aliased(User), aliased(User)


def columns_of_list(*more: Any) -> Select[Any]:
    """Tickets as rows: a list shows a few columns of fifty tickets and changes none, which needs no objects."""
    shown = (Ticket.id, Ticket.ticket_number, Ticket.title, Ticket.status, Ticket.priority)
    times = (Ticket.due_at, Ticket.created_at, Ticket.updated_at)
    names = (_customer.full_name.label("customer"), _owner.full_name.label("owner"))
    statement: Select[Any] = select(*shown, *times, *names, *more)  # type: ignore[assignment]
    of_people = statement.outerjoin(_customer, _customer.id == Ticket.creator_id)
    return of_people.outerjoin(_owner, _owner.id == Ticket.owner_id)


AS_LISTED = columns_of_list()
AS_FOUND = columns_of_list(Ticket.description, _customer.email.label("address"))
"""With what a search has looked through."""


async def page(
    session: Reader, conditions: Conditions, *, sort: str, descending: bool, request: listing.PageRequest
) -> listing.Page[TicketRow]:
    """One page of live tickets with the names of owner and customer."""
    along = path(sort, conditions, descending=descending)
    rest = sorted(set(conditions) - along.held)
    if not rest:
        return await _along(session, conditions, along, request)
    for driver in drivers(conditions):
        if await _fits_at_most(session, conditions, driver):
            return await _among(session, conditions, driver, along.order, request)
    return await _past(session, conditions, along, request)


async def _along(
    session: Reader, conditions: Conditions, along: Path, request: listing.PageRequest
) -> listing.Page[TicketRow]:
    clauses = _clauses(conditions, conditions)
    count = await _whole(session, clauses) if request.count_all else None
    if count is None and not conditions:
        about = await planning.rows_in_index(session, LIVE_INDEX)
        count = Count(about, is_about=True) if about > 2 * MOST else None
    if count is None:
        columns = along.order.pinned + along.order.columns
        found = _live(select(Ticket.id)).where(*clauses).order_by(*columns).limit(planning.written(MOST + 1))
        count = _capped(await _number(session, found))
    if conditions:
        statement = _live(AS_LISTED).where(*clauses)
        return await listing.paginate(session, statement, order=along.order, request=request, count=count)

    async def fetch(start: Position | None, *, backward: bool) -> tuple[list[TicketRow], bool]:
        given = start and tuple(value is not None for value in start)
        values = {f"at_{number}": value for number, value in enumerate(start or ())}

        def ask(window: Select[Any]) -> Awaitable[Result[Any]]:
            return session.execute(window, values)

        windows = _windows(along.order, given, request.size + 1, backward=backward)
        return await listing.first_rows(windows, ask, size=request.size)

    return (await listing.turn(fetch, order=along.order, request=request)).counted(count)


@cache
def _windows(order: Order, given: tuple[bool, ...] | None, most: int, *, backward: bool) -> list[Select[Any]]:
    """The first of all tickets from a place on, in the columns of which a value is `given`.

    Built once: most lists are not narrowed, and building takes as long as reading.
    """
    start: Position | None = None
    if given is not None:
        named = [bindparam(f"at_{number}", type_=column.type) for number, column in enumerate(order.columns)]
        start = tuple(name if is_given else None for name, is_given in zip(named, given, strict=True))
    every = order.windows(_live(AS_LISTED), start=start, backward=backward)
    return [window.limit(planning.written(most)) for window in every]


async def _among(
    session: Reader, conditions: Conditions, driver: Driver, order: Order, request: listing.PageRequest
) -> listing.Page[TicketRow]:
    fits = and_(true(), *_clauses(conditions, set(conditions) - set(driver.names)))
    columns = {column.key: column for column in order.columns}
    taken = _driven(select(*columns.values(), fits.label("fits")), conditions, driver).subquery("taken")
    inner = replace(order, columns=tuple(taken.c[name] for name in columns), pinned=())

    async def fetch(start: Position | None, *, backward: bool) -> tuple[list[TicketRow], bool]:
        ids: list[int] = []
        for window in inner.windows(select(taken.c.id).where(taken.c.fits), start=start, backward=backward):
            if len(ids) <= request.size:
                ids += (await session.scalars(_all(window.limit(planning.written(request.size + 1))))).all()
        return await _load(session, ids[: request.size]), len(ids) > request.size

    found = await listing.turn(fetch, order=order, request=request)
    return found.counted(Count(await _number(session, _all(select(taken.c.id).where(taken.c.fits)))))


async def _past(
    session: Reader, conditions: Conditions, along: Path, request: listing.PageRequest
) -> listing.Page[TicketRow]:
    walk = _Walk(session, conditions, along, request.size)
    found = await listing.turn(walk.fetch, order=along.order, request=request)
    if request.count_all:
        return found.counted(await _whole(session, _clauses(conditions, conditions)))
    counted = found.counted(Count(len(found.rows) + bool(found.following), is_capped=True))
    return replace(counted, looked_at=MOST) if walk.is_cut else counted


@dataclass
class _Walk:
    """Looks at one ticket after the other in the order of the list, and gives up after `MOST`."""

    session: Reader
    conditions: Conditions
    along: Path
    size: int
    is_cut: bool = field(default=False, init=False)

    async def fetch(self, start: Position | None, *, backward: bool) -> tuple[list[TicketRow], bool]:
        """The next tickets that fit, and whether there are more."""
        fits = and_(true(), *_clauses(self.conditions, set(self.conditions) - self.along.held))
        held = _clauses(self.conditions, self.along.held & set(self.conditions))
        looked_at = _live(select(*self.along.order.columns, fits.label("fits"))).where(*held)
        ids: list[int] = []
        self.is_cut = False
        for window in self.along.order.windows(looked_at, start=start, backward=backward):
            if len(ids) <= self.size and not self.is_cut:
                ids += await self._look(window, backward=backward, wanted=self.size + 1 - len(ids))
        return await _load(self.session, ids[: self.size]), len(ids) > self.size

    async def _look(self, window: Select[Any], *, backward: bool, wanted: int) -> list[int]:
        first: Sequence[Row[Any]] = (await self.session.execute(window.limit(planning.written(FIRST_LOOK)))).all()
        ids = [row.id for row in first if row.fits][:wanted]
        if len(ids) == wanted or len(first) < FIRST_LOOK:
            return ids
        order, inner = self.along.order, window.limit(planning.written(MOST)).subquery("looked_at")
        columns = [inner.c[column.key] for column in order.columns]
        falling = order.descending != backward
        in_order = [column.desc() if falling else column.asc() for column in columns]
        fitting = select(inner.c.id).where(inner.c.fits).order_by(*in_order).limit(wanted)
        ids = list((await self.session.scalars(_all(fitting))).all())
        if len(ids) < wanted:
            beyond = window.with_only_columns(Ticket.id).offset(MOST).limit(1)
            self.is_cut = await self.session.scalar(beyond) is not None
        return ids


def _driven(statement: Select[Any], conditions: Conditions, driver: Driver) -> Select[Any]:
    """The statement for what the driver lets through, at most one more than `MOST`."""
    found = _live(statement).limit(planning.written(MOST + 1))
    if not driver.columns:
        return found.where(planning.among_found(Ticket.id, _tagged(conditions)))
    return found.where(*_clauses(conditions, driver.names)).order_by(*driver.columns)


def _tagged(conditions: Conditions) -> Select[Any]:
    of_tag = select(ticket_tags.c.ticket_id).where(*conditions["tag"])
    return of_tag.order_by(ticket_tags.c.tag_id, ticket_tags.c.ticket_id).limit(planning.written(MOST + 1))


async def _fits_at_most(session: Reader, conditions: Conditions, driver: Driver) -> bool:
    found = _driven(select(Ticket.id), conditions, driver) if driver.columns else _tagged(conditions)
    return await _number(session, found) <= MOST


def _clauses(conditions: Conditions, names: Any) -> list[ColumnElement[bool]]:
    """The clauses of these conditions; that of a tag as a question to ask of each ticket."""
    clauses: list[ColumnElement[bool]] = []
    for name in sorted(names):
        if name == "tag":
            asked = select(ticket_tags.c.ticket_id).where(ticket_tags.c.ticket_id == Ticket.id, *conditions[name])
            clauses.append(asked.correlate(Ticket).scalar_subquery().is_not(None))
        else:
            clauses += conditions[name]
    return clauses


async def _whole(session: Reader, clauses: Sequence[ColumnElement[bool]]) -> Count:
    return Count(await session.scalar(_live(select(func.count(Ticket.id))).where(*clauses)) or 0)


async def _number(session: Reader, found: Select[Any]) -> int:
    rows = found.with_only_columns(planning.written(1).label("one"))  # SQLite takes longer to tell which they are
    return await session.scalar(_all(select(func.count()).select_from(rows.subquery()))) or 0


def _capped(number: int) -> Count:
    return Count(MOST, is_capped=True) if number > MOST else Count(number)


async def _load(session: Reader, ids: Sequence[int]) -> list[TicketRow]:
    """These tickets with their people, in this order."""
    if not ids:
        return []
    among = _live(AS_LISTED).where(searching.among(Ticket.id, ids, dialect_of(session)))
    rows = {ticket.id: ticket for ticket in (await session.execute(among)).all()}
    return [rows[row_id] for row_id in ids if row_id in rows]


def _live(statement: Select[Any]) -> Select[Any]:
    return _all(statement.where(LIVE))


def _all(statement: Select[Any]) -> Select[Any]:
    """The statement as it is: `LIVE` is in it already, once."""
    return statement.execution_options(**INCLUDE_DELETED)
