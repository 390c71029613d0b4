"""Addresses and forms that nobody should send: a sentence and a 4xx, never a failure."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from admin_app.errors import InvalidInput, Malformed, NotFound
from admin_app.models import Status
from admin_app.web import parsing
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Visitor, text_of
from tests.web.routes import every_address
from tests.web.scene import Scene
from tests.web.test_errors import shows_no_insides

Visit = Callable[..., Awaitable[Visitor]]

BAD_IDS = ["abc", "-1", "0", "1.5", "99999999999999999999", "2147483648", "%00", "1%00", "%20", "1%20", "١", "²", "0x1"]
BAD_IDS += [
    "1;DROP TABLE tickets",
    "1'",
    "1/2",
    "None",
    "1e3",
    "+1",
    "9" * 3000,
    "..%2f",
    "%ff",
    "%ed%a0%80",
    "T-000001",
]
BAD_QUERIES = {
    "/admin/ticket/list": [
        *("page=0", "page=-1", "page=abc", "page=1.5", "page=99999999999999999999", "page=1000001", "page=%00"),
        *("page=1", "at=END", "count=2", "after=x", "before=x", "after=" + "A" * 5000, "after=%00", "after=%ff"),
        *("after=W251bGwsMV0", "after=WyJ4Iiw3XQ&before=WyJ4Iiw3XQ", "at=end&before=WyJ4Iiw3XQ"),
        *("pageSize=0", "pageSize=7", "pageSize=1000000", "pageSize=abc", "pageSize=-25", "pageSize=25.0"),
        *(
            "status=burning",
            "status=OPEN",
            "status=%00",
            "status=open'--",
            "priority=9",
            "priority=high",
            "priority=%00",
        ),
        *("channel=pigeon", "state=inactive", "overdue=no", "overdue=1", "sort=up", "sort=ASC"),
        *("sortBy=password_hash", "sortBy=id", "sortBy=owner.name", "sortBy=title;", "sortBy=%00"),
        *("from=yesterday", "from=2026-02-30", "from=2026-13-01", "from=20260101", "from=%00", "to=2026-1-1T00:00"),
        *("to=9999-12-31", "from=0000-01-01", "from=-2026-01-01", "from=" + "9" * 1000),
        *("unknown=1", "password_hash=x", "id=1", "owner_id__gt=0", "search__like=%25", "%00=1"),
    ],
    "/admin/trash/list": ["page=x", "pageSize=1", "status=open", "unknown=1"],
    "/admin/user/list": ["role=king", "active=maybe", "page=x", "password_hash=x", "sortBy=password_hash"],
    "/admin/audit-log/list": ["action=NAP", "from=x", "to=x", "page=x", "unknown=1", "sortBy=id"],
    "/admin/notification/list": ["show=nothing", "page=x", "user_id=1"],
    "/admin/ticket/ajax/lookup": [
        *("", "name=owner", "term=s", "name=owner&term=", "name=owner&term=%00", "name=password_hash&term=s"),
        "name=creator&term=" + "x" * 101,
    ],
    "/admin/errors": ["page=x", "unknown=1"],
}
HARMLESS_QUERIES = {
    "/admin/ticket/list": [
        *(
            "search=%00",
            "search=" + "x" * 5000,
            "search=%25",
            "search='--",
            "search=%ff",
            "search=\\",
            "search=%ed%a0%80",
        ),
        *(
            "owner=%00",
            "owner=nobody@desk.example",
            "owner=" + "x" * 5000,
            "creator=%00",
            "tag=%00",
            "tag=%25",
            "tag=_",
        ),
        *("from=0001-01-01", "to=9998-12-31", "at=", "status=", "at=end&at=end", "count=all", "error=<script>"),
    ],
    "/admin/audit-log/list": [
        "actor=%00",
        "record=%00",
        "field=%22",
        "batch=%00",
        "table=%00",
        "actor=%25",
        "field=%25",
    ],
    "/admin/user/list": ["search=%00", "search=%25", "search=" + "x" * 5000],
    "/admin/trash/list": ["search=%00", "search=%25"],
    "/admin/errors": ["reference="],
}


def rows_of(table: dict[str, list[str]]) -> list[str]:
    """The addresses of a table."""
    return [f"{path}?{query}" for path, queries in table.items() for query in queries]


async def said_with_a_sentence(visitor: Visitor, path: str, statuses: set[int]) -> str:
    """Empty, or what is wrong with the answer."""
    answer = await visitor.client.get(path)
    shows_no_insides(answer)
    told = text_of(answer) if "html" in answer.headers.get("content-type", "") else answer.text
    if answer.status_code in statuses and len(told.split()) > 3:
        return ""
    return f"{path[:80]}: {answer.status_code}"


class TestAddresses:
    async def test_an_id_that_is_none_is_a_page_that_is_not_there(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        ada, wrong = await visit("ada"), []
        templates = {address.template for address in every_address(app, desk, scene) if "{pk" in address.template}
        for template in templates:
            for bad in BAD_IDS:
                path = template.replace("{pk:path}", bad).replace("{pk}", bad)
                wrong.append(await said_with_a_sentence(ada, path, {404, 405, 414}))
        assert [problem for problem in wrong if problem] == []

    async def test_a_bad_id_in_a_form_is_not_there_either(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        ada = await visit("ada")
        await ada.token()
        wrong = []
        async with desk.nothing_written():
            for address in every_address(app, desk, scene):
                if "{pk" in address.template and "POST" in address.methods:
                    for bad in ("abc", "0", "-1", "99999999999999999999", "%00"):
                        path = address.template.replace("{pk:path}", bad).replace("{pk}", bad)
                        answer = await ada.post(path, {"version": "1"})
                        wrong += [f"{path}: {answer.status_code}"] if answer.status_code not in (404, 422) else []
        assert wrong == []

    @in_one("number", ["T-999999", "x", "%00", "T-000001%00x", "%25", "T-00000_", "9" * 300, "'"])
    async def test_a_number_that_no_ticket_has(self, scene: Scene, visit: Visit, number: str) -> None:
        answer = await (await visit("sam")).get(f"/admin/ticket/number/{number}")
        assert (answer.status_code, "There is no such ticket." in text_of(answer)) == (404, True)

    async def test_a_filter_that_cannot_be_read_gets_a_sentence(self, scene: Scene, visit: Visit) -> None:
        ada = await visit("ada")
        wrong = [await said_with_a_sentence(ada, path, {400, 404}) for path in rows_of(BAD_QUERIES)]
        assert [problem for problem in wrong if problem] == []

    async def test_odd_words_to_look_for_are_just_words(self, scene: Scene, visit: Visit) -> None:
        ada = await visit("ada")
        wrong = [await said_with_a_sentence(ada, path, {200}) for path in rows_of(HARMLESS_QUERIES)]
        assert [problem for problem in wrong if problem] == []


class TestRecordId:
    @settings(deadline=None)
    @given(st.text(max_size=30))
    def test_it_is_a_number_or_not_found(self, text: str) -> None:
        try:
            number = parsing.record_id(text)
        except NotFound:
            return
        assert 0 <= number < 10**10


class TestWholeNumber:
    @settings(deadline=None)
    @given(st.one_of(st.text(max_size=30), st.integers().map(str), st.from_regex(r"\A0{0,12}[0-9]{1,5000}\Z")))
    def test_it_is_a_whole_number_from_one_up_or_malformed(self, text: str) -> None:
        try:
            number = parsing.whole_number(text, "page number")
        except Malformed:
            return
        assert 1 <= number <= parsing.LARGEST_NUMBER

    def test_the_sentence_names_what_it_is(self) -> None:
        with pytest.raises(Malformed, match="The page number must be a whole number from 1 up"):
            parsing.whole_number("x", "page number")

    def test_nothing_is_the_default(self) -> None:
        assert parsing.whole_number("", "page number", default=7) == 7


class TestDate:
    @settings(deadline=None)
    @given(st.one_of(st.text(max_size=20), st.from_regex(r"\A[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}\Z")), st.integers(0, 1))
    def test_it_is_a_day_or_malformed(self, text: str, later: int) -> None:
        for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
            try:
                found = parsing.date(text, "first day", zone, days_later=later)
            except Malformed:
                continue
            assert found is None if not text else found is not None and found.tzinfo is UTC

    def test_a_day_begins_where_the_person_is(self) -> None:
        assert parsing.date("2026-11-21", "day", "Asia/Tokyo") == datetime(2026, 11, 20, 15, tzinfo=UTC)
        assert parsing.date("2026-11-21", "day", "UTC", days_later=1) == datetime(2026, 11, 22, tzinfo=UTC)


class TestLocalTime:
    @settings(deadline=None)
    @given(st.one_of(st.text(max_size=30), st.datetimes().map(str), st.datetimes(timezones=st.timezones()).map(str)))
    def test_it_is_a_moment_or_names_the_field(self, text: str) -> None:
        for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
            try:
                found = parsing.local_time(text, "due_at", zone)
            except InvalidInput:
                continue
            assert found is None if not text.strip() else found is not None and found.tzinfo is UTC

    def test_the_field_is_named(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            parsing.local_time("tomorrow", "due_at", "UTC")
        assert caught.value.fields.keys() == {"due_at"}


class TestChoices:
    def test_a_choice_is_a_member_none_or_malformed(self) -> None:
        assert parsing.choice("open", Status, "status") is Status.OPEN
        assert parsing.choice("", Status, "status") is None
        with pytest.raises(Malformed, match="This desk knows no status called burning"):
            parsing.choice("burning", Status, "status")

    def test_one_of_is_a_member_or_names_the_field(self) -> None:
        assert parsing.one_of("open", Status, "status") is Status.OPEN
        with pytest.raises(InvalidInput) as caught:
            parsing.one_of("", Status, "status")
        assert caught.value.fields == {"status": "Choose one of the list."}

    @pytest.mark.parametrize("given_names", [{}, {"page": "1"}])
    def test_known_parameters_pass(self, given_names: Any) -> None:
        parsing.known_parameters(given_names, frozenset({"page"}))

    def test_an_unknown_parameter_is_named_and_cut(self) -> None:
        with pytest.raises(Malformed, match=r"no filter called x{40}\."):
            parsing.known_parameters({"x" * 99: ""}, frozenset())
