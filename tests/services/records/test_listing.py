"""Pages of a list."""

import pytest
from sqlalchemy import select

from admin_app.errors import Malformed, NotFound
from admin_app.models import Tag, Ticket
from admin_app.services.records import listing
from tests.services.scenes import Desk


async def tags_page(session, **request):
    return await listing.paginate(
        session, select(Tag), order=(Tag.name.asc(), Tag.id.asc()), request=listing.PageRequest(**request)
    )


@pytest.fixture
async def sixty_tags(desk: Desk) -> None:
    await desk.store(*(Tag(name=f"tag {number:02}") for number in range(60)))


class TestPageRequest:
    @pytest.mark.parametrize("size", listing.PAGE_SIZES)
    def test_takes_every_size_on_offer(self, size: int) -> None:
        assert listing.PageRequest(size=size).size == size

    @pytest.mark.parametrize("size", [0, -25, 26, 101, 10**9])
    def test_refuses_any_other_size(self, size: int) -> None:
        with pytest.raises(Malformed, match=r"A page holds 25, 50, 100 rows\."):
            listing.PageRequest(size=size)

    @pytest.mark.parametrize("number", [1, listing.LARGEST_PAGE_NUMBER])
    def test_takes_the_first_and_the_largest_number(self, number: int) -> None:
        assert listing.PageRequest(number=number).number == number

    @pytest.mark.parametrize("number", [0, -1, listing.LARGEST_PAGE_NUMBER + 1, 10**30])
    def test_refuses_numbers_outside(self, number: int) -> None:
        with pytest.raises(Malformed, match="whole number from 1 up"):
            listing.PageRequest(number=number)


class TestPaginate:
    async def test_the_first_page_holds_the_first_rows_and_knows_of_more(self, desk, sixty_tags) -> None:
        page = await desk.read(tags_page, size=25)
        assert [tag.name for tag in page.rows] == [f"tag {number:02}" for number in range(25)]
        assert (page.number, page.size, page.count, page.has_next) == (1, 25, 60, True)
        assert (page.first, page.last) == (1, 25)

    async def test_the_last_page_holds_the_rest(self, desk, sixty_tags) -> None:
        page = await desk.read(tags_page, size=25, number=3)
        assert [tag.name for tag in page.rows] == [f"tag {number:02}" for number in range(50, 60)]
        assert (page.first, page.last, page.has_next) == (51, 60, False)

    async def test_a_page_that_ends_exactly_with_the_list_has_no_next(self, desk) -> None:
        await desk.store(*(Tag(name=f"tag {number:02}") for number in range(50)))
        assert not (await desk.read(tags_page, size=25, number=2)).has_next
        assert not (await desk.read(tags_page, size=50)).has_next

    async def test_a_page_past_the_end_is_not_found(self, desk, sixty_tags) -> None:
        with pytest.raises(NotFound, match=r"This list has no page 4\."):
            await desk.read(tags_page, size=25, number=4)

    async def test_the_largest_page_number_is_not_found_either(self, desk, sixty_tags) -> None:
        with pytest.raises(NotFound):
            await desk.read(tags_page, size=100, number=listing.LARGEST_PAGE_NUMBER)

    async def test_the_first_page_of_an_empty_list_is_empty(self, desk) -> None:
        page = await desk.read(tags_page)
        assert (list(page.rows), page.count, page.count_label, page.has_next) == ([], 0, "0", False)
        assert (page.first, page.last) == (0, 0)

    async def test_the_count_stops_at_the_cap_and_says_so(self, desk, sixty_tags, monkeypatch) -> None:
        monkeypatch.setattr(listing, "COUNT_CAP", 59)
        page = await desk.read(tags_page, size=25)
        assert (page.count, page.is_capped, page.count_label) == (59, True, "59+")

    async def test_a_list_of_exactly_the_cap_is_counted_to_the_end(self, desk, sixty_tags, monkeypatch) -> None:
        monkeypatch.setattr(listing, "COUNT_CAP", 60)
        page = await desk.read(tags_page, size=25)
        assert (page.count, page.is_capped, page.count_label) == (60, False, "60")

    async def test_it_is_the_database_that_stops_counting(self, desk, statement_counter) -> None:
        with statement_counter() as counted:
            await desk.read(tags_page)
        [_, count] = counted.statements
        assert count.startswith("SELECT count(*)")
        assert "LIMIT" in count

    async def test_beyond_the_cap_pages_go_on(self, desk, sixty_tags, monkeypatch) -> None:
        monkeypatch.setattr(listing, "COUNT_CAP", 10)
        assert len((await desk.read(tags_page, size=25, number=3)).rows) == 10

    async def test_sends_two_statements_whatever_the_size(self, desk, sixty_tags, statement_counter) -> None:
        for size in listing.PAGE_SIZES:
            with statement_counter() as counted:
                await desk.read(tags_page, size=size)
            assert counted.total == 2

    async def test_counts_only_live_rows(self, desk) -> None:
        await desk.ticket()
        await desk.deleted_ticket()

        async def page(session):
            return await listing.paginate(
                session, select(Ticket), order=(Ticket.id.asc(),), request=listing.PageRequest()
            )

        found = await desk.read(page)
        assert (len(found.rows), found.count) == (1, 1)


class TestPage:
    def test_large_counts_are_grouped_for_reading(self) -> None:
        page = listing.Page(rows=["x"], number=1, size=25, count=9876, is_capped=False, has_next=True)
        assert page.count_label == "9,876"
