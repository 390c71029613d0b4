"""Reading along, among and past: each shows the same tickets as a plain query would, and stops where it says."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from admin_app.actor import command_line_actor
from admin_app.models import Channel, Priority, Ticket
from admin_app.services.batches.samples import seed
from admin_app.services.pages import ticket_list, ticket_paths, ticket_reading
from admin_app.services.records import listing
from tests.services.scenes import Desk
from tests.support import plans

TODAY = datetime(2030, 1, 15, tzinfo=UTC)
OWNER, CUSTOMER = "seed-staff-000@desk.example", "seed-0000000@customer.example"


async def shown(desk: Desk, wanted: Any, sort: str, **place: Any) -> listing.Page[Ticket]:
    """A page of 25."""
    options = {"sort": sort, "descending": True, "request": listing.PageRequest(size=25, **place)}
    return await desk.read(ticket_list.page, command_line_actor(), wanted, **options)


async def plainly(desk: Desk, wanted: Any, sort: str) -> list[int]:
    """All ids that fit, in order, by the plain query."""
    order = ticket_list.order_by(sort, descending=True)
    statement = ticket_list.narrowed(select(Ticket.id), command_line_actor(), wanted)
    ids: list[int] = []
    for window in order.windows(statement, start=None, backward=False):
        ids += await desk.database.read(lambda session, window=window: session.scalars(window))  # type: ignore[misc]
    return ids


class TestPage:
    async def test_every_way_shows_what_a_plain_query_shows(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, stopped_clock: Any
    ) -> None:
        stopped_clock.time = TODAY
        await seed.seed(desk.database.run, command_line_actor(), tickets=900, today=TODAY)
        monkeypatch.setattr(ticket_reading, "MOST", 60)
        monkeypatch.setattr(ticket_reading, "FIRST_LOOK", 30)
        wrong, cut = [], 0
        single = plans.filters(TODAY, CUSTOMER, OWNER, "warranty")
        for name, wanted in plans.combined(single, 2, {"active", "of nobody"}):
            for sort in ("created_at", "due_at", "priority"):
                expected = await plainly(desk, wanted, sort)
                page = await shown(desk, wanted, sort)
                ids = [ticket.id for ticket in page.rows]
                cut += bool(page.looked_at)
                whole = ids == expected[:25] and bool(page.following) == (len(expected) > 25)
                partly = page.looked_at == 60 and ids == expected[: len(ids)]
                counted = page.count <= max(len(expected), 1) or page.is_about
                if page.following and not page.looked_at:
                    after = await shown(desk, wanted, sort, after=page.following)
                    next_ids = [ticket.id for ticket in after.rows]
                    whole = whole and (next_ids == expected[25:50] or after.looked_at == 60)
                if not (whole or partly) or not counted:
                    wrong.append((name, sort))
        assert wrong == []
        assert cut, "some lists stop early, and say so"

    async def test_the_count_is_whole_on_demand_and_about_right_without_a_filter(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, stopped_clock: Any
    ) -> None:
        stopped_clock.time = TODAY
        everything = await shown(desk, ticket_list.TicketFilter(), "title")
        assert (everything.count_label, everything.is_about) == ("0", False)
        await seed.seed(desk.database.run, command_line_actor(), tickets=600, today=TODAY)
        monkeypatch.setattr(ticket_reading, "MOST", 50)
        monkeypatch.setattr(ticket_reading, "FIRST_LOOK", 20)
        everything = await shown(desk, ticket_list.TicketFilter(), "title")
        assert everything.is_about
        assert everything.count_label in {"about 580", "about 590", "about 600"}
        counted = await shown(desk, ticket_list.TicketFilter(), "title", count_all=True)
        assert not counted.is_about
        assert counted.count == len(await plainly(desk, ticket_list.TicketFilter(), "title"))
        wanted = ticket_list.TicketFilter(priority=Priority.MEDIUM, channel=Channel.EMAIL)
        some = await shown(desk, wanted, "title")
        assert some.is_capped
        whole = await shown(desk, wanted, "title", count_all=True)
        assert (whole.count, whole.is_capped) == (len(await plainly(desk, wanted, "title")), False)
        assert ticket_paths.MOST == listing.COUNT_CAP
