"""Pages of a list."""

import pytest
from sqlalchemy import delete, select

from admin_app.db.keyset import Order
from admin_app.errors import Malformed
from admin_app.models import Tag, Ticket
from admin_app.services.records import listing
from tests.services.scenes import Desk


async def tags_page(session, **request):
    return await listing.paginate(
        session, select(Tag), order=Order((Tag.name, Tag.id)), request=listing.PageRequest(**request)
    )


async def forget(session, *gone):
    await session.execute(delete(Tag).where(Tag.name.in_(gone)))


def tags(count: int) -> list[Tag]:
    return [Tag(name=f"tag {number:02}") for number in range(count)]


def names(page: listing.Page[Tag]) -> list[str]:
    return [tag.name for tag in page.rows]


def expected(first: int, end: int) -> list[str]:
    return [f"tag {number:02}" for number in range(first, end)]


@pytest.fixture
async def sixty_tags(desk: Desk) -> None:
    await desk.store(*tags(60))


class TestPageRequest:
    @pytest.mark.parametrize("size", listing.PAGE_SIZES)
    def test_takes_every_size_on_offer(self, size: int) -> None:
        assert listing.PageRequest(size=size).size == size

    @pytest.mark.parametrize("size", [0, -25, 26, 101, 10**9])
    def test_refuses_any_other_size(self, size: int) -> None:
        with pytest.raises(Malformed, match=r"A page holds 25, 50, 100 rows\."):
            listing.PageRequest(size=size)

    def test_refuses_two_places_at_once(self) -> None:
        for places in (
            {"after": "x", "before": "x"},
            {"after": "x", "is_last": True},
            {"before": "x", "is_last": True},
        ):
            with pytest.raises(Malformed, match="only one of these"):
                listing.PageRequest(**places)


class TestPaginate:
    async def test_the_first_page_holds_the_first_rows_and_the_way_on(self, desk, sixty_tags) -> None:
        page = await desk.read(tags_page, size=25)
        assert names(page) == expected(0, 25)
        assert (page.size, page.count, page.previous, bool(page.following)) == (25, 60, "", True)

    async def test_following_the_way_on_and_back_again_shows_every_row_once(self, desk, sixty_tags) -> None:
        first = await desk.read(tags_page, size=25)
        second = await desk.read(tags_page, size=25, after=first.following)
        third = await desk.read(tags_page, size=25, after=second.following)
        assert names(first) + names(second) + names(third) == expected(0, 60)
        assert (bool(third.previous), third.following) == (True, "")
        back = await desk.read(tags_page, size=25, before=third.previous)
        assert (names(back), bool(back.previous), bool(back.following)) == (names(second), True, True)

    async def test_the_last_page_is_full_and_leads_back(self, desk, sixty_tags) -> None:
        page = await desk.read(tags_page, size=25, is_last=True)
        assert (names(page), bool(page.previous), page.following) == (expected(35, 60), True, "")
        before = await desk.read(tags_page, size=25, before=page.previous)
        assert names(before) == expected(10, 35)

    async def test_fewer_rows_than_a_page_before_a_row_show_the_first_page_whole(self, desk, sixty_tags) -> None:
        last = await desk.read(tags_page, size=25, is_last=True)
        middle = await desk.read(tags_page, size=25, before=last.previous)
        page = await desk.read(tags_page, size=25, before=middle.previous)
        assert (names(page), page.previous, bool(page.following)) == (expected(0, 25), "", True)

    async def test_exactly_a_page_before_a_row_is_the_first_page(self, desk, sixty_tags) -> None:
        second = await desk.read(tags_page, size=25, after=(await desk.read(tags_page, size=25)).following)
        page = await desk.read(tags_page, size=25, before=second.previous)
        assert (names(page), page.previous, bool(page.following)) == (expected(0, 25), "", True)

    async def test_a_last_page_of_a_short_list_is_all_of_it(self, desk) -> None:
        await desk.store(*tags(3))
        page = await desk.read(tags_page, is_last=True)
        assert (names(page), page.previous, page.following) == (expected(0, 3), "", "")

    async def test_a_page_that_ends_exactly_with_the_list_has_no_way_on(self, desk) -> None:
        await desk.store(*tags(50))
        first = await desk.read(tags_page, size=25)
        assert (await desk.read(tags_page, size=25, after=first.following)).following == ""
        assert (await desk.read(tags_page, size=50)).following == ""

    async def test_rows_that_come_and_go_before_a_page_do_not_move_it(self, desk, sixty_tags) -> None:
        first = await desk.read(tags_page, size=25)
        await desk.store(Tag(name="a new one"), Tag(name="tag 24b"))
        await desk.run(forget, "tag 03", "tag 24")
        second = await desk.read(tags_page, size=25, after=first.following)
        assert names(second) == ["tag 24b", *expected(25, 49)]

    async def test_a_page_whose_rows_are_all_gone_becomes_the_last_one(self, desk, sixty_tags) -> None:
        fifty = await desk.read(tags_page, size=50)
        await desk.run(forget, *expected(50, 60))
        page = await desk.read(tags_page, size=50, after=fifty.following)
        assert (names(page), page.following) == (expected(0, 50), "")

    @pytest.mark.parametrize("cursor", ["x", "%", "WzFd", "bm90IGpzb24", "W251bGwsMV0", "é", "A" * 3000])
    @pytest.mark.parametrize("side", ["after", "before"])
    async def test_a_cursor_that_is_none_gets_a_sentence(self, desk, side: str, cursor: str) -> None:
        with pytest.raises(Malformed, match="Go on from the first page"):
            await desk.read(tags_page, **{side: cursor})

    async def test_an_empty_list_has_one_empty_page(self, desk) -> None:
        for place in ({}, {"is_last": True}):
            page = await desk.read(tags_page, **place)
            assert (list(page.rows), page.count, page.count_label) == ([], 0, "0")
            assert (page.previous, page.following) == ("", "")

    async def test_the_count_stops_at_the_cap_and_says_so(self, desk, sixty_tags, monkeypatch) -> None:
        monkeypatch.setattr(listing, "COUNT_CAP", 59)
        page = await desk.read(tags_page, size=25)
        assert (page.count, page.is_capped, page.count_label) == (59, True, "59+")

    async def test_all_rows_are_counted_on_demand(self, desk, sixty_tags, monkeypatch) -> None:
        monkeypatch.setattr(listing, "COUNT_CAP", 59)
        page = await desk.read(tags_page, size=25, count_all=True)
        assert (page.count, page.is_capped, page.count_label) == (60, False, "60")

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

    async def test_sends_two_statements_whatever_the_size_and_the_depth(
        self, desk, sixty_tags, statement_counter
    ) -> None:
        deep = (await desk.read(tags_page, size=25)).following
        for size in listing.PAGE_SIZES:
            for place in ({}, {"after": deep}):
                with statement_counter() as counted:
                    await desk.read(tags_page, size=size, **place)
                assert counted.total == 2

    async def test_counts_only_live_rows(self, desk) -> None:
        await desk.ticket()
        await desk.deleted_ticket()

        async def page(session):
            return await listing.paginate(
                session, select(Ticket), order=Order((Ticket.id,)), request=listing.PageRequest()
            )

        found = await desk.read(page)
        assert (len(found.rows), found.count) == (1, 1)


class TestPage:
    def test_large_counts_are_grouped_for_reading(self) -> None:
        assert listing.Page(rows=["x"], size=25, count=9876, is_capped=False).count_label == "9,876"


class TestPaginateRanked:
    PLACES = tuple(sorted(((score, row_id) for row_id in range(1, 61) for score in [row_id % 3]), reverse=True))

    async def page(self, **place) -> listing.Page[str]:
        async def read(ids: list[int]) -> dict[int, str]:
            return {row_id: str(row_id) for row_id in ids if row_id != 7}

        return await listing.paginate_ranked(self.PLACES, listing.PageRequest(size=25, **place), read)

    async def test_pages_follow_each_other_and_lead_back(self) -> None:
        ids = [str(row_id) for _, row_id in self.PLACES if row_id != 7]
        first = await self.page()
        second = await self.page(after=first.following)
        third = await self.page(after=second.following)
        assert [*first.rows, *second.rows, *third.rows] == ids, "row 7 is gone, the others are there once"
        assert (first.previous, third.following, first.count, first.is_capped) == ("", "", 60, False)
        assert (await self.page(before=third.previous)).rows == second.rows
        assert (await self.page(before=second.previous)).rows == first.rows
        assert (await self.page(is_last=True)).rows == ids[-24:]

    async def test_a_place_that_is_gone_still_has_neighbours(self) -> None:
        assert (await self.page(after="2.58")).rows[0] == "56"
        assert (await self.page(after="0.0")).rows == (await self.page(is_last=True)).rows
        assert (await self.page(before="9.9")).rows == (await self.page()).rows

    async def test_nothing_found_is_an_empty_page(self) -> None:
        async def read(ids: list[int]) -> dict[int, str]:
            raise AssertionError("there is nothing to read")

        page = await listing.paginate_ranked((), listing.PageRequest(), read)
        assert (page.rows, page.count, page.previous, page.following) == ([], 0, "", "")

    @pytest.mark.parametrize("cursor", ["x", "1", "1.", ".1", "-1.2", "²·³", "1.²"])
    async def test_a_place_that_cannot_be_read_is_refused(self, cursor: str) -> None:
        with pytest.raises(Malformed):
            await self.page(after=cursor)
