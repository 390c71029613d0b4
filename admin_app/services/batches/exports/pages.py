"""The rows of an export: page after page in the order of the list, all from one moment."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, String, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db.keyset import Order
from admin_app.db.rendering import Encoded, Joined, constant
from admin_app.models.ticket import Ticket
from admin_app.permissions import Permission
from admin_app.services.batches.exports.columns import Sheet, page_of
from admin_app.services.batches.exports.lines import FileKind
from admin_app.services.pages import ticket_list
from admin_app.services.pages.ticket_list import TicketFilter

FIRST_PAGE_ROWS = 500
"""Soon there, so that whoever waits sees that it works."""
PAGE_ROWS = 2_500


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
    """Every row, a page at a time.

    Each page begins after the last row of the one before, so the session has to see one moment throughout: a row that
    moves in the order meanwhile would come twice, or not at all.
    """
    actor.require(Permission.TICKET_EXPORT)
    order = ticket_list.order_by(listed.sort, descending=listed.descending)
    tickets = ticket_list.narrowed(select(Ticket), actor, listed.wanted)
    start: tuple[Any, ...] | None = None
    while True:
        rows = PAGE_ROWS if start else FIRST_PAGE_ROWS
        for window in order.windows(tickets, start=start, backward=False):
            found = (await session.execute(_page(window, order, kind, rows))).one()
            if found.rows:
                break
        else:
            return
        yield Page(found.rows, found.content)
        last = int(found.ids.rpartition(",")[2])
        start = tuple((await session.execute(select(*order.columns).where(Ticket.id == last))).one())


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
