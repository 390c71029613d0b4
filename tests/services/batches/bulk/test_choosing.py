"""Which tickets a batch is about."""

import pytest

from admin_app.errors import InvalidInput, PermissionDenied
from admin_app.models import Ticket
from admin_app.services.batches.bulk import choosing
from admin_app.services.batches.bulk.choosing import Selection
from admin_app.services.operations import tickets
from admin_app.services.pages.ticket_list import TicketFilter
from tests.services.batches.bulk.scenes import BIN, many_tickets


@pytest.fixture
async def ids(desk) -> list[int]:
    return await many_tickets(desk, 4)


async def chosen(desk, **selection) -> list[int]:
    return await desk.read(choosing.chosen, desk.cast.sue, Selection(**selection))


class TestChosen:
    async def test_ticked_ones_in_order_and_each_once_whatever_they_are(self, desk) -> None:
        assert await chosen(desk, ids=[9, 2, 9, 2**40, -1]) == [-1, 2, 9, 2**40]

    async def test_everything_that_the_list_shows(self, desk, ids) -> None:
        await desk.set(Ticket, ids[1], owner_id=None, title="Smoke")
        await desk.run(tickets.delete, desk.cast.sue, ids[2], reason="spam", version=1)
        assert await chosen(desk, matching=TicketFilter()) == [ids[0], ids[1], ids[3]]
        assert await chosen(desk, matching=TicketFilter(owner="nobody")) == [ids[1]]
        assert await chosen(desk, matching=TicketFilter(search="smoke")) == [ids[1]]

    async def test_everything_in_the_trash_that_is_found(self, desk, ids) -> None:
        for number, title in ((ids[0], "Smoke"), (ids[2], "Fire")):
            await desk.set(Ticket, number, title=title)
            await desk.run(tickets.delete, desk.cast.sue, number, reason="spam", version=1)
        assert await chosen(desk, in_trash="") == [ids[0], ids[2]]
        assert await chosen(desk, in_trash="smoke") == [ids[0]]

    async def test_everything_that_was_deleted_together(self, desk, ids) -> None:
        await desk.run(tickets.delete, desk.cast.sue, ids[0], reason="spam", version=1)
        await desk.set(Ticket, ids[1], **BIN)
        await desk.set(Ticket, ids[3], **BIN)
        assert await chosen(desk, delete_batch_id="b" * 32) == [ids[1], ids[3]]

    @pytest.mark.parametrize("selection", [{}, {"ids": []}, {"matching": TicketFilter(search="no such")}])
    async def test_nothing_is_refused(self, desk, ids, selection) -> None:
        error = await desk.refusal(InvalidInput, choosing.chosen, desk.cast.sue, Selection(**selection))
        assert str(error) == "Choose at least one ticket."

    @pytest.mark.parametrize("by", ["ids", "filter"])
    async def test_more_than_a_batch_holds_is_refused_with_a_sentence(self, desk, ids, monkeypatch, by: str) -> None:
        monkeypatch.setattr(choosing, "MOST_ROWS", 3)
        selection = Selection(ids=ids) if by == "ids" else Selection(matching=TicketFilter())
        error = await desk.refusal(InvalidInput, choosing.chosen, desk.cast.sue, selection)
        assert str(error) == "One batch changes at most 3 tickets. Narrow the list, or do it in parts."
        monkeypatch.setattr(choosing, "MOST_ROWS", 4)
        assert await desk.read(choosing.chosen, desk.cast.sue, selection) == ids

    @pytest.mark.parametrize("selection", [{"in_trash": ""}, {"delete_batch_id": "b"}, {"matching": TicketFilter()}])
    async def test_lists_that_one_may_not_see_are_no_source(self, desk, selection) -> None:
        await desk.refusal(PermissionDenied, choosing.chosen, desk.cast.olaf, Selection(**selection))


class TestCanExist:
    def test_only_what_fits_into_an_id(self) -> None:
        assert [number for number in (-1, 0, 1, 2**31 - 1, 2**31) if choosing.can_exist(number)] == [1, 2**31 - 1]
