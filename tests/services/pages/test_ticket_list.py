"""Which tickets a list shows."""

from datetime import UTC, datetime, timedelta

import pytest

from admin_app.errors import Malformed
from admin_app.models import Channel, Priority, Status, Ticket
from admin_app.services.operations import following, tickets
from admin_app.services.pages import ticket_list, ticket_paths, ticket_reading
from admin_app.services.pages.ticket_list import TicketFilter
from admin_app.services.records import listing

NOON = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOST_PAGES = 100


async def shown(desk, wanted: TicketFilter | None = None, **options) -> list[str]:
    """Titles on the first page, by number unless told otherwise."""
    chosen = {"sort": "ticket_number", "descending": False, "request": listing.PageRequest(), **options}
    page = await desk.read(ticket_list.page, desk.cast.sam, wanted or TicketFilter(), **chosen)
    assert page.count == len(page.rows), "the count disagrees with the rows"
    return [ticket.title for ticket in page.rows]


def shown_marks(pieces) -> str:
    """Text with its marks in brackets."""
    return "".join(f"[{text}]" if hit else text for text, hit in pieces)


async def walked(desk, sort: str, descending: bool, *, backward: bool = False) -> list[int]:
    """Ids on all pages, one after the other; from the last page to the first when `backward`."""
    seen: list[int] = []
    place: dict[str, object] = {"is_last": True} if backward else {}
    for _ in range(MOST_PAGES):
        request = listing.PageRequest(size=25, **place)
        options = {"sort": sort, "descending": descending, "request": request}
        page = await desk.read(ticket_list.page, desk.cast.sam, TicketFilter(), **options)
        ids = [ticket.id for ticket in page.rows]
        seen = [*(number for number in ids if number not in seen), *seen] if backward else seen + ids
        way_on = page.previous if backward else page.following
        if not way_on:
            return seen
        place = {"before": way_on} if backward else {"after": way_on}
    raise AssertionError(f"after {MOST_PAGES} pages there is still another one")


async def store(desk, *rows: dict) -> list[Ticket]:
    """Tickets of Kim's with these columns, straight into the table."""
    made = [
        Ticket(**{"ticket_number": f"T-{number:06}", "title": f"t{number}", "creator_id": desk.cast.kim.id, **columns})
        for number, columns in enumerate(rows, start=1)
    ]
    await desk.store(*made)
    return made


class TestFilters:
    async def test_without_a_filter_everything_live_is_shown_with_its_people(self, desk) -> None:
        await desk.ticket(title="one", owner="sid@desk.example")
        await desk.deleted_ticket(title="two")
        options = {"sort": "created_at", "descending": True, "request": listing.PageRequest()}
        page = await desk.read(ticket_list.page, desk.cast.sam, TicketFilter(), **options)
        [ticket] = page.rows
        assert (ticket.title, ticket.owner, ticket.customer) == ("one", "Sid Staff", "Kim Customer")

    @pytest.mark.parametrize("status", Status)
    async def test_by_status(self, desk, status: Status) -> None:
        await store(desk, *({"title": each.value, "status": each} for each in Status))
        assert await shown(desk, TicketFilter(status=status)) == [status.value]

    async def test_only_what_is_still_to_do(self, desk) -> None:
        await store(desk, *({"title": each.value, "status": each} for each in Status))
        assert await shown(desk, TicketFilter(only_active=True)) == ["new", "open", "pending", "on_hold"]

    @pytest.mark.parametrize("priority", Priority)
    async def test_by_priority(self, desk, priority: Priority) -> None:
        await store(desk, *({"title": each.name, "priority": each} for each in Priority))
        assert await shown(desk, TicketFilter(priority=priority)) == [priority.name]

    @pytest.mark.parametrize("channel", Channel)
    async def test_by_channel(self, desk, channel: Channel) -> None:
        await store(desk, *({"title": each.value, "channel": each} for each in Channel))
        assert await shown(desk, TicketFilter(channel=channel)) == [channel.value]

    @pytest.mark.parametrize(
        ("owner", "expected"),
        [
            ("me", ["sam's"]),
            ("nobody", ["nobody's"]),
            ("Sid <SID@desk.example>", ["sid's"]),
            ("who@desk.example", []),
            ("sid\x00@desk.example", ["sid's"]),
        ],
    )
    async def test_by_owner(self, desk, owner: str, expected: list[str]) -> None:
        await desk.ticket(title="sam's", owner="sam@desk.example")
        await desk.ticket(title="sid's", owner="sid@desk.example")
        await desk.ticket(title="nobody's")
        assert await shown(desk, TicketFilter(owner=owner)) == expected

    async def test_by_customer(self, desk) -> None:
        await desk.ticket(title="kim's")
        await desk.ticket(title="mallory's", creator="mallory@desk.example")
        assert await shown(desk, TicketFilter(creator="MALLORY@desk.example")) == ["mallory's"]
        assert await shown(desk, TicketFilter(creator="who@desk.example")) == []

    @pytest.mark.parametrize(("tag", "expected"), [("toner", ["tagged"]), (" Toner ", ["tagged"]), ("tone", [])])
    async def test_by_tag(self, desk, tag: str, expected: list[str]) -> None:
        tagged = await desk.ticket(title="tagged")
        await desk.ticket(title="untagged")
        await desk.run(following.tag, desk.cast.sam, tagged.id, names="toner, smoke")
        assert await shown(desk, TicketFilter(tag=tag)) == expected

    async def test_by_time_of_creation_from_and_before(self, desk) -> None:
        await store(desk, *({"title": str(hours), "created_at": NOON + hours * HOUR} for hours in range(4)))
        assert await shown(desk, TicketFilter(created_from=NOON + HOUR)) == ["1", "2", "3"]
        assert await shown(desk, TicketFilter(created_before=NOON + 2 * HOUR)) == ["0", "1"]
        both = TicketFilter(created_from=NOON + HOUR, created_before=NOON + 2 * HOUR)
        assert await shown(desk, both) == ["1"]

    async def test_overdue_is_what_is_late_and_still_to_do(self, desk, stopped_clock) -> None:
        late, soon = stopped_clock.time - HOUR, stopped_clock.time + HOUR
        await store(
            desk,
            {"title": "late", "due_at": late},
            {"title": "late but closed", "due_at": late, "status": Status.CLOSED},
            {"title": "soon", "due_at": soon},
            {"title": "some day"},
        )
        assert await shown(desk, TicketFilter(overdue=True)) == ["late"]

    async def test_conditions_narrow_each_other(self, desk) -> None:
        await desk.ticket(title="both", owner="sam@desk.example", priority=Priority.HIGH)
        await desk.ticket(title="one", owner="sam@desk.example")
        await desk.ticket(title="other", priority=Priority.HIGH)
        assert await shown(desk, TicketFilter(owner="me", priority=Priority.HIGH)) == ["both"]


class TestSearch:
    @pytest.mark.parametrize(
        "search",
        [
            "fire",
            "FIRE",
            " Printer on ",
            "t-000001",
            "T-000001",
            "smok",
            "kim cust",
            "KIM@desk",
            "1",
            "fire printer",
            '"on fire"',
        ],
    )
    async def test_finds_number_title_description_and_customer(self, desk, search: str) -> None:
        await desk.ticket(title="Printer on fire", description="Much smoke.")
        await desk.ticket(title="Lamp", creator="mallory@desk.example")
        assert await shown(desk, TicketFilter(search=search)) == ["Printer on fire"]

    @pytest.mark.parametrize("search", ["t-00002", "rinter", '"fire on"', "' OR 1=1 --", "x" * 10_000])
    async def test_all_words_must_be_there_from_their_beginning_and_phrases_as_typed(self, desk, search: str) -> None:
        await desk.ticket()
        assert await shown(desk, TicketFilter(search=search)) == []

    @pytest.mark.parametrize(
        ("search", "expected"),
        [(sign, []) for sign in ("%", "_", "\\", "/", "*", '"', "10*", "NOT", "title:plain")]
        + [
            ("100%", ["100% a_b", "plain 100 acb"]),
            ("a_b", ["100% a_b"]),
            ("plain OR", []),
            ("-100 plain", ["plain 100 acb"]),
        ],
    )
    async def test_wildcards_and_operators_are_text(self, desk, search: str, expected: list[str]) -> None:
        await desk.ticket(title="plain 100 acb")
        await desk.ticket(title="100% a_b")
        assert sorted(await shown(desk, TicketFilter(search=search))) == expected

    @pytest.mark.parametrize("search", ["", "   ", " \n "])
    async def test_blanks_find_everything(self, desk, search: str) -> None:
        await desk.ticket()
        assert await shown(desk, TicketFilter(search=search)) == ["Printer on fire"]

    async def test_a_character_that_cannot_be_stored_does_no_harm(self, desk) -> None:
        await desk.ticket()
        assert await shown(desk, TicketFilter(search="fi\x00re", tag="\x00", creator="")) == []
        assert await shown(desk, TicketFilter(search="fi\x00re")) == ["Printer on fire"]


class TestContexts:
    async def test_each_match_shows_where_its_words_are(self, desk, statement_counter) -> None:
        said = await desk.ticket(title="Lamp <b>", description="It broke.")
        await desk.comment(said, "First.")
        await desk.comment(said, "The <b>Größe</b> is wrong.")
        own = await desk.ticket(title="Grosse Lampe", description="Die Größe der Lampe.")
        both = await desk.ticket(title="Chair", description="nothing")
        await desk.comment(both, "groß, Lampe")

        async def found(search: str):
            options = {"sort": ticket_list.RELEVANCE, "descending": True, "request": listing.PageRequest()}
            with statement_counter() as counted:
                page = await desk.read(ticket_list.page, desk.cast.sam, TicketFilter(search=search), **options)
            contexts = {
                number: (*map(shown_marks, (context.title, context.customer, context.excerpt)), context.source)
                for number, context in page.contexts.items()
            }
            return contexts, counted.total

        assert await found("größe lamp") == (
            {
                own.id: ("[Grosse] [Lamp]e", "Kim Customer", "Die [Größe] der [Lamp]e.", "Description"),
                said.id: ("[Lamp] <b>", "Kim Customer", "The <b>[Größe]</b> is wrong.", "Comment"),
            },
            3,
        )
        assert (await found("kim@desk.example chair"))[0] == {both.id: ("[Chair]", "[Kim] Customer", "", "")}
        address = await found("kim@desk.example")
        assert address[0][both.id] == ("Chair", "[Kim] Customer <[kim]@[desk].[example]>", "", "")
        assert address[1] == 2, "no comments are read where the ticket's own text holds every word"


class TestSort:
    @pytest.mark.parametrize("sort", ticket_paths.SORTS)
    @pytest.mark.parametrize("descending", [False, True])
    async def test_sorts_by_every_column_both_ways(self, desk, sort: str, descending: bool) -> None:
        values = {
            "created_at": [NOON, NOON + HOUR],
            "updated_at": [NOON, NOON + HOUR],
            "title": ["a", "b"],
            "status": [Status.CLOSED, Status.NEW],
            "priority": [Priority.LOW, Priority.CRITICAL],
            "due_at": [NOON, NOON + HOUR],
        }
        low, high = values.get(sort, ["T-000001", "T-000002"])
        first, second = (high, low) if sort != "ticket_number" else (low, high)
        made = await store(desk, {sort: first}, {sort: second})
        options = {"sort": sort, "descending": descending, "request": listing.PageRequest()}
        page = await desk.read(ticket_list.page, desk.cast.sam, TicketFilter(), **options)
        by_value = sorted(made, key=lambda ticket: getattr(ticket, sort), reverse=descending)
        assert [ticket.id for ticket in page.rows] == [ticket.id for ticket in by_value]

    @pytest.mark.parametrize("sort", [name for name in ticket_paths.SORTS if name != "ticket_number"])
    @pytest.mark.parametrize("descending", [False, True])
    async def test_equal_values_keep_the_order_of_numbers_over_all_pages(
        self, desk, sort: str, descending: bool
    ) -> None:
        same = {"created_at": NOON, "updated_at": NOON, "title": "same", "due_at": NOON}
        made = await store(desk, *([same] * 60))
        seen = await walked(desk, sort, descending)
        assert seen == sorted((ticket.id for ticket in made), reverse=descending)

    @pytest.mark.parametrize("sort", ticket_paths.SORTS)
    @pytest.mark.parametrize("descending", [False, True])
    async def test_walking_forward_or_backward_shows_every_ticket_once_in_order(
        self, desk, sort: str, descending: bool
    ) -> None:
        made = await store(
            desk,
            *(
                {
                    "created_at": NOON + HOUR * (number % 7),
                    "updated_at": NOON + HOUR * (number % 5),
                    "title": f"Ä{number % 11}" if number % 2 else f"z {number % 3}",
                    "status": list(Status)[number % 6],
                    "priority": list(Priority)[number % 4],
                    "due_at": None if number % 3 else NOON - HOUR * (number % 8),
                }
                for number in range(80)
            ),
        )
        forward = await walked(desk, sort, descending)
        assert sorted(forward) == sorted(ticket.id for ticket in made)
        assert await walked(desk, sort, descending, backward=True) == forward

    @pytest.mark.parametrize(("descending", "expected"), [(False, ["1", "2", "-", "+"]), (True, ["2", "1", "+", "-"])])
    async def test_tickets_without_a_due_time_come_last_both_ways(
        self, desk, descending: bool, expected: list[str]
    ) -> None:
        await store(
            desk,
            {"title": "-"},
            {"title": "2", "due_at": NOON + HOUR},
            {"title": "1", "due_at": NOON},
            {"title": "+"},
        )
        assert await shown(desk, sort="due_at", descending=descending) == expected

    @pytest.mark.parametrize("sort", ["", "owner", "password_hash", "id; DROP TABLE tickets", "x" * 1000])
    async def test_any_other_column_is_malformed(self, desk, sort: str) -> None:
        with pytest.raises(Malformed) as caught:
            await shown(desk, sort=sort)
        assert str(caught.value) == f"Tickets cannot be sorted by {sort[:40]}."


class TestPage:
    async def test_sends_as_many_statements_for_many_rows_as_for_one(self, desk, statement_counter) -> None:
        sent = []
        for rows in (1, 100):
            await store(desk, *({"owner_id": desk.cast.sid.id, "ticket_number": f"{rows}-{n}"} for n in range(rows)))
            for sort, search in (("title", ""), ("title", "kim"), (ticket_list.RELEVANCE, "kim")):
                options = {"sort": sort, "descending": False, "request": listing.PageRequest(size=100)}
                with statement_counter() as counted:
                    wanted = TicketFilter(search=search, owner="sid@desk.example", creator="kim@desk.example")
                    page = await desk.read(ticket_list.page, desk.cast.sam, wanted, **options)
                assert len(page.rows) >= rows
                sent.append(counted.total)
        assert sent == [6, 2, 2] * 2

    async def test_the_count_stops_at_the_cap(self, desk, monkeypatch) -> None:
        await store(desk, {}, {}, {})
        monkeypatch.setattr(ticket_reading, "MOST", 2)
        options = {"sort": "title", "descending": False, "request": listing.PageRequest()}
        page = await desk.read(ticket_list.page, desk.cast.sam, TicketFilter(), **options)
        assert (len(page.rows), page.count, page.count_label) == (3, 2, "2+")


class TestTrashPage:
    async def test_shows_what_was_deleted_the_last_first_and_counts_it(self, desk, stopped_clock) -> None:
        await desk.ticket(title="live")
        for title in ("first", "second"):
            stopped_clock.forward(minutes=1)
            await desk.deleted_ticket(title=title, owner="sid@desk.example")
        page = await desk.read(ticket_list.trash_page, desk.cast.sue, search="", request=listing.PageRequest())
        assert [ticket.title for ticket in page.rows] == ["second", "first"]
        assert (page.count, page.rows[0].owner.full_name) == (2, "Sid Staff")

    async def test_deleted_at_the_same_moment_the_newest_number_comes_first(self, desk, stopped_clock) -> None:
        for title in ("first", "second"):
            await desk.deleted_ticket(title=title)
        page = await desk.read(ticket_list.trash_page, desk.cast.sue, search=" ", request=listing.PageRequest())
        assert [ticket.title for ticket in page.rows] == ["second", "first"]

    async def test_can_be_searched(self, desk) -> None:
        for title in ("100 %", "lamp"):
            await desk.deleted_ticket(title=title)
        await desk.ticket(title="100 chairs")
        for search, titles in (("100%", ["100 %"]), ("%", []), ("chairs", []), ("Kim", ["lamp", "100 %"])):
            page = await desk.read(ticket_list.trash_page, desk.cast.sue, search=search, request=listing.PageRequest())
            assert ([ticket.title for ticket in page.rows], page.count) == (titles, len(titles))

    async def test_what_was_restored_is_not_there(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        await desk.run(tickets.restore, desk.cast.sue, ticket.id)
        page = await desk.read(ticket_list.trash_page, desk.cast.sue, search="", request=listing.PageRequest())
        assert (list(page.rows), page.count) == ([], 0)
