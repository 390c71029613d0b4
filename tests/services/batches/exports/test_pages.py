"""Every row once, in the order of the list, from one moment."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from admin_app.actor import Actor
from admin_app.errors import PermissionDenied
from admin_app.models import ExportFormat, Priority, Status, Ticket
from admin_app.services.batches.exports import pages
from admin_app.services.batches.exports.lines import KINDS
from admin_app.services.batches.exports.pages import Listed
from admin_app.services.pages import ticket_list, ticket_paths
from admin_app.services.pages.ticket_list import TicketFilter
from tests.services.batches.exports.exporting import lines_of, numbers
from tests.services.scenes import Desk
from tests.support.waiting import until

KIND = KINDS[ExportFormat.CSV]
START = datetime(2030, 1, 1, tzinfo=UTC)
BY_CHANGE = Listed(TicketFilter(), "updated_at", descending=True)


@pytest.fixture
async def nine(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[Ticket]:
    """Nine tickets, one of them deleted, over pages of three; the last changed is the first."""
    monkeypatch.setattr(pages, "FIRST_PAGE_ROWS", 2)
    monkeypatch.setattr(pages, "PAGE_ROWS", 3)
    found = [await desk.ticket(title=f"Lamp {number % 4}") for number in range(8)]
    for number, ticket in enumerate(found):
        due_at = START + timedelta(days=number) if number % 2 else None
        changed = START + timedelta(hours=number)
        await desk.set(Ticket, ticket.id, updated_at=changed, due_at=due_at, priority=Priority(number % 4 + 1))
    await desk.deleted_ticket()
    return found


async def rows_while(desk: Desk, sessions, disturb) -> list[str]:
    """Titles as an export meets them while something happens after its first page."""
    content = KIND.header
    async with sessions() as session:
        number = 0
        async for page in pages.pages(session, desk.cast.sue, BY_CHANGE, KIND):
            content += page.content
            if number == 0:
                await disturb()
            number += 1
    return [line["Number"] for line in lines_of(content)]


class TestPages:
    async def test_it_is_the_list_in_each_of_its_orders(self, desk: Desk, nine: list[Ticket]) -> None:
        orders = [(sort, bool(number % 2)) for number, sort in enumerate(ticket_paths.SORTS)]
        async with desk.database.snapshot() as session:
            for sort, descending in [*orders, ("due_at", False), ("due_at", True)]:
                order = ticket_list.order_by(sort, descending=descending)
                listed: list[str] = []
                for window in order.windows(select(Ticket), start=None, backward=False):
                    listed += [ticket.ticket_number for ticket in await session.scalars(window)]
                assert len(listed) == 8
                wanted = Listed(TicketFilter(), sort, descending)
                found = [page async for page in pages.pages(session, desk.cast.sue, wanted, KIND)]
                assert [page.rows for page in found] == [2, 3, 3] or sort == "due_at"
                lines = lines_of(KIND.header + b"".join(page.content for page in found))
                assert [line["Number"] for line in lines] == listed, (sort, descending)

    async def test_it_takes_filter_and_search_of_the_list(self, desk: Desk, nine: list[Ticket]) -> None:
        mine = await desk.ticket(owner="sue@desk.example", title="Kettle")
        assert await numbers(desk, owner="me") == [mine.ticket_number]
        assert await numbers(desk, search="kett") == [mine.ticket_number]
        assert await numbers(desk, priority=Priority.HIGH) == [nine[2].ticket_number, nine[6].ticket_number]
        assert await numbers(desk, status=Status.CLOSED) == []

    async def test_what_happens_meanwhile_changes_nothing(self, desk: Desk, nine: list[Ticket]) -> None:
        """The last row of the order moves to its front: to a page that has gone out, before it has gone out itself."""
        expected = [ticket.ticket_number for ticket in reversed(nine)]

        async def disturb() -> None:
            await desk.set(Ticket, nine[0].id, updated_at=START + timedelta(days=9))
            await desk.set(Ticket, nine[7].id, updated_at=START - timedelta(days=9))

        assert await rows_while(desk, desk.database.snapshot, disturb) == expected

    async def test_without_one_moment_a_row_is_missed_and_another_comes_twice(
        self, desk: Desk, nine: list[Ticket]
    ) -> None:
        """The control: pages from different moments, as reads one after the other see them."""
        first, last = nine[0].ticket_number, nine[7].ticket_number
        found: list[str] = []

        async def disturb() -> None:
            await desk.set(Ticket, nine[0].id, updated_at=START + timedelta(days=9))
            await desk.set(Ticket, nine[7].id, updated_at=START - timedelta(days=9))

        order = ticket_list.order_by(BY_CHANGE.sort, descending=True)
        start = None
        for _ in range(len(nine)):
            [window] = order.windows(select(Ticket), start=start, backward=False)
            page = (await desk.database.read(lambda session, window=window: session.scalars(window.limit(3)))).all()
            if not page:
                break
            found += [ticket.ticket_number for ticket in page]
            start = tuple(getattr(page[-1], column.key) for column in order.columns)
            if len(found) == 3:
                await disturb()
        assert (found.count(first), found.count(last)) == (0, 2)

    async def test_the_next_page_is_made_while_one_is_used(
        self, desk: Desk, nine: list[Ticket], statement_counter
    ) -> None:
        async with (
            desk.database.stream() as session,
            aclosing(pages.pages(session, desk.cast.sue, BY_CHANGE, KIND)) as found,
        ):
            with statement_counter() as counted:
                await anext(found)
                await until(lambda: sum("AS content" in sent for sent in counted.statements) == 2, "asked for")
            assert (await anext(found)).rows == 3

    async def test_statements_grow_with_pages_and_not_with_rows(
        self, desk: Desk, nine: list[Ticket], statement_counter
    ) -> None:
        with statement_counter() as counted:
            await numbers(desk)
        assert counted.total <= 2 * 4 + 9  # four pages and an empty one, and what asking, beginning and ending take

    async def test_whoever_may_not_export_gets_none(self, desk: Desk) -> None:
        sam: Actor = desk.cast.sam
        async with desk.database.snapshot() as session:
            with pytest.raises(PermissionDenied):
                await anext(pages.pages(session, sam, Listed(), KIND))
