"""The rows of an export: page after page in the order of the list, all from one moment."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Integer, Select, String, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db.keyset import Order, Position
from admin_app.db.rendering import Encoded, Joined, constant
from admin_app.db.sessions import only_live
from admin_app.models.ticket import Ticket
from admin_app.permissions import Permission
from admin_app.services.batches.exports.columns import Sheet, page_of
from admin_app.services.batches.exports.lines import FileKind
from admin_app.services.pages import ticket_list
from admin_app.services.pages.ticket_list import TicketFilter

FIRST_PAGE_ROWS = 500
"""Soon there, so that whoever waits sees that it works."""
PAGE_ROWS = 7_000
"""Planning a page and looking up its people costs as much as a thousand rows; longer ones cost memory: two are held."""


@dataclass(frozen=True)
class Listed:
    """What a list shows, and in which order."""

    wanted: TicketFilter = field(default_factory=TicketFilter)
    sort: str = "ticket_number"
    descending: bool = False


@dataclass(frozen=True)
class Page:
    """Some rows, as the piece of the file that they are."""

    rows: int
    content: bytes


async def pages(session: AsyncSession, actor: Actor, listed: Listed, kind: FileKind) -> AsyncGenerator[Page, None]:
    """Every row, a page at a time; while one is used the database makes the next, so leave the session to it.

    Each page begins after the last row of the one before, so the session has to see one moment throughout: a row that
    moves in the order meanwhile would come twice, or not at all.
    """
    actor.require(Permission.TICKET_EXPORT)
    async with aclosing(_one_by_one(session, _Statements(actor, listed, kind))) as found:
        making = asyncio.create_task(anext(found, None))
        try:
            while (page := await making) is not None:
                making = asyncio.create_task(anext(found, None))
                yield page
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)


async def _one_by_one(session: AsyncSession, statements: "_Statements") -> AsyncGenerator[Page, None]:
    connection = await session.connection()
    start: Position | None = None
    while True:
        for statement in statements.after(start):
            found = (await connection.execute(statement, statements.named(start))).one()
            if found.rows:
                break
        else:
            return
        yield Page(found.rows, found.content)
        last = int(found.ids.rpartition(",")[2])
        start = tuple((await connection.execute(statements.place, {"last": last})).one())


class _Statements:
    """The statements of one export, each built once: building one costs more than running it."""

    def __init__(self, actor: Actor, listed: Listed, kind: FileKind) -> None:
        self._order = ticket_list.order_by(listed.sort, descending=listed.descending)
        self._tickets = ticket_list.narrowed(select(Ticket), actor, listed.wanted)
        self._kind = kind
        self._built: dict[tuple[bool, bool], list[Any]] = {}
        self.place = only_live(select(*self._order.columns).where(Ticket.id == bindparam("last", type_=Integer())))

    def after(self, start: Position | None) -> list[Any]:
        """Those that hold the page after a row; that the row has no value to sort by makes others of them."""
        shape = (start is None, start is not None and start[0] is None)
        if shape not in self._built:
            named = zip(self.named(start), self._filled(start), strict=True)
            places = iter([bindparam(name, type_=column.type) for name, column in named])
            begin = None if start is None else tuple(None if value is None else next(places) for value in start)
            rows = FIRST_PAGE_ROWS if start is None else PAGE_ROWS
            windows = self._order.windows(self._tickets, start=begin, backward=False)
            self._built[shape] = [only_live(_page(window, self._order, self._kind, rows)) for window in windows]
        return self._built[shape]

    def named(self, start: Position | None) -> dict[str, Any]:
        """The values of a row by the names that the statements give them."""
        return {f"start_{number}": value for number, value in enumerate(start or ()) if value is not None}

    def _filled(self, start: Position | None) -> list[Any]:
        return [column for column, value in zip(self._order.columns, start or (), strict=False) if value is not None]


def _page(window: Select[Any], order: Order, kind: FileKind, rows: int) -> Any:
    """A page as one text: the tickets first, then what hangs on them, in order, then all of it joined."""
    sheet = Sheet(page_of(window, rows))
    columns = (getattr(sheet.ticket, column.key) for column in order.columns)
    directions = (column.desc() if order.descending else column.asc() for column in columns)
    lines = sheet.select(kind.line(sheet.columns)).order_by(*directions).subquery("lines")
    end = constant(kind.line_end)
    return select(
        func.count().label("rows"),
        Encoded(Joined(lines.c.line, end) + end).label("content"),
        Joined(cast(lines.c.id, String()), constant(",")).label("ids"),
    )
