"""Which people a list shows."""

import pytest

from admin_app.models import User
from admin_app.permissions import Role
from admin_app.services.pages import people_list
from admin_app.services.pages.people_list import PeopleFilter
from admin_app.services.records import listing


async def shown(desk, wanted: PeopleFilter) -> list[str]:
    page = await desk.read(people_list.page, desk.cast.sam, wanted, request=listing.PageRequest())
    assert page.count == len(page.rows)
    return [person.full_name.split()[0] for person in page.rows]


class TestPage:
    async def test_shows_everybody_by_name(self, desk) -> None:
        assert await shown(desk, PeopleFilter()) == ["Ada", "Kim", "Mallory", "Olaf", "Sam", "Sid", "Sue"]

    async def test_people_of_one_name_come_in_the_order_of_their_numbers(self, desk) -> None:
        for user_id in desk.cast.users.values():
            await desk.set(User, user_id, full_name="Same Name")
        page = await desk.read(people_list.page, desk.cast.sam, PeopleFilter(), request=listing.PageRequest())
        assert [person.id for person in page.rows] == sorted(desk.cast.users.values())

    @pytest.mark.parametrize("search", ["sam", " SAM ", "sam sta", "sam@desk", "SAM@DESK"])
    async def test_finds_by_words_of_name_or_address(self, desk, search: str) -> None:
        assert await shown(desk, PeopleFilter(search=search)) == ["Sam"]

    @pytest.mark.parametrize("search", ["%", "_", "s_m", "\\", "nobody"])
    async def test_wildcards_are_plain_text(self, desk, search: str) -> None:
        assert await shown(desk, PeopleFilter(search=search)) == []

    async def test_a_character_that_cannot_be_stored_does_no_harm(self, desk) -> None:
        assert await shown(desk, PeopleFilter(search="sa\x00m")) == ["Sam"]

    async def test_by_role(self, desk) -> None:
        assert await shown(desk, PeopleFilter(role=Role.STAFF)) == ["Sam", "Sid"]

    @pytest.mark.parametrize(("is_active", "expected"), [(False, ["Kim"]), (True, ["Mallory"])])
    async def test_by_being_active(self, desk, is_active: bool, expected: list[str]) -> None:
        await desk.set(User, desk.cast.kim.id, is_active=False)
        assert await shown(desk, PeopleFilter(role=Role.CUSTOMER, is_active=is_active)) == expected
