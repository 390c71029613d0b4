"""Tickets: the list through its address, one ticket's page, opening one, suggestions; and how many statements."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from admin_app import clock
from admin_app.actor import ActorKind
from admin_app.db import ticket_search as searching
from admin_app.models import AuditAction, AuditLog, Comment, Priority, Status, Ticket, TicketWatcher, User
from admin_app.permissions import Role
from admin_app.services.operations import following, tickets
from admin_app.services.records.file_store import FileStore
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Visitor, form_on, links_on, names_of_links, text_of
from tests.web.scene import Scene, attach

Visit = Callable[..., Awaitable[Visitor]]

LIST, FILTERED, BY_DUE_TIME, TICKET_PAGE, EDIT_FORM = 4, 3, 5, 9, 2
"""SQL statements of a page, the sign-in check and the unread badge among them.

A list by due time that reaches the tickets without one asks for those in a statement of its own.
"""

ALL_FILTERS = (
    "search=printer&status=open&state=active&priority=2&channel=web&owner=sam@desk.example&creator=kim@desk.example"
    "&tag=vip&from=2020-01-01&to=2090-01-01&overdue=yes&sortBy=title&sort=asc"
)


def titles(answer: Any) -> list[str]:
    """The titles of a list, from top to bottom."""
    return [name for name in names_of_links(answer, "/admin/ticket/details/") if not name.startswith("T-")]


@pytest.fixture
async def many(desk: Desk) -> list[Ticket]:
    """A dozen different tickets."""
    now = clock.now()
    found = [
        await desk.ticket(
            title=f"Ticket {number:02}",
            description="wild %_card" if number == 3 else "plain",
            priority=Priority(1 + number % 4),
            owner=["sam@desk.example", "sid@desk.example", ""][number % 3],
            creator=["kim@desk.example", "mallory@desk.example"][number % 2],
            due_at=now + timedelta(hours=number - 5.5),
        )
        for number in range(12)
    ]
    await desk.run(following.tag, desk.cast.sam, found[5].id, names="vip")
    await desk.run(tickets.close, desk.cast.sam, found[0].id, resolution="Done.", version=1)
    return found


class TestList:
    @in_one(
        ("query", "expected"),
        [
            ("sortBy=title&sort=asc&pageSize=25", [f"Ticket {number:02}" for number in range(12)]),
            ("sortBy=ticket_number&sort=desc", [f"Ticket {number:02}" for number in range(11, -1, -1)]),
            ("search=Ticket 07", ["Ticket 07"]),
            ("search=tIcKeT 07", ["Ticket 07"]),
            ("search=%25_card", ["Ticket 03"]),
            ("search=%25", []),
            ("search=T-000004", ["Ticket 03"]),
            ("search=t-000004", ["Ticket 03"]),
            ("search=nothing like it", []),
            ("status=closed", ["Ticket 00"]),
            ("priority=4&sortBy=title&sort=asc", ["Ticket 03", "Ticket 07", "Ticket 11"]),
            ("owner=me&sortBy=title&sort=asc", ["Ticket 00", "Ticket 03", "Ticket 06", "Ticket 09"]),
            ("owner=me&state=active&sortBy=title&sort=asc", ["Ticket 03", "Ticket 06", "Ticket 09"]),
            ("owner=nobody&sortBy=title&sort=asc", ["Ticket 02", "Ticket 05", "Ticket 08", "Ticket 11"]),
            ("owner=Sid@Desk.example&priority=2&sortBy=title", ["Ticket 01"]),
            ("owner=stranger@desk.example", []),
            ("creator=mallory@desk.example&priority=2&sortBy=title&sort=asc", ["Ticket 01", "Ticket 05", "Ticket 09"]),
            ("search=mallory customer&priority=2&owner=nobody", ["Ticket 05"]),
            ("tag=VIP", ["Ticket 05"]),
            ("tag=%25", []),
            ("overdue=yes&sortBy=due_at&sort=desc", ["Ticket 05", "Ticket 04", "Ticket 03", "Ticket 02", "Ticket 01"]),
            ("from=2090-01-01", []),
            ("to=2020-01-01", []),
            ("channel=phone", []),
        ],
    )
    async def test_it_shows_what_the_address_asks_for(
        self, many: list[Ticket], visit: Visit, query: str, expected: list[str]
    ) -> None:
        answer = await (await visit("sam")).get(f"/admin/ticket/list?{query}")
        assert (answer.status_code, titles(answer)) == (200, expected)

    async def test_pages_do_not_overlap_and_keep_the_filter(self, desk: Desk, visit: Visit) -> None:
        for _ in range(28):
            await desk.ticket(title="Same title", owner="sam@desk.example")
        sam = await visit("sam")
        first = await sam.get("/admin/ticket/list?owner=me&sortBy=title&pageSize=25")
        [following_page] = {link for link in links_on(first) if link.startswith("?") and "after=" in link}
        second = await sam.get(f"/admin/ticket/list{following_page}")
        ids = [
            {link for link in links_on(page) if "/details/" in link and "ticket" in link} for page in (first, second)
        ]
        assert (len(ids[0]), len(ids[1]), len(ids[0] & ids[1])) == (25, 3, 0)
        assert "3 of 28" in text_of(second)
        back = await sam.get("/admin/ticket/list" + next(link for link in links_on(second) if "before=" in link))
        assert titles(back) == titles(first)

    async def test_what_is_deleted_is_nowhere(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        for query in ("", "?search=Spam", f"?search={scene.deleted.ticket_number}", "?owner=me"):
            page = await sam.get(f"/admin/ticket/list{query}")
            assert scene.deleted.ticket_number not in names_of_links(page, "/admin/ticket/details/")
            assert "Spam" not in titles(page)

    async def test_ownerless_tickets_stay_when_sorted(self, many: list[Ticket], visit: Visit) -> None:
        for column in ("title", "status", "priority", "due_at", "created_at", "updated_at", "ticket_number"):
            for direction in ("asc", "desc"):
                answer = await (await visit("sam")).get(f"/admin/ticket/list?sortBy={column}&sort={direction}")
                assert len(titles(answer)) == 12, column

    async def test_text_of_others_is_text(self, desk: Desk, visit: Visit) -> None:
        await desk.ticket(title="<script>alert(1)</script>")
        answer = await (await visit("sam")).get('/admin/ticket/list?search="><script>alert(2)</script>')
        assert "<script>alert" not in answer.text
        answer = await (await visit("sam")).get("/admin/ticket/list")
        assert "<script>alert" not in answer.text
        assert "<script>alert(1)</script>" in text_of(answer)


class TestSearch:
    async def test_marks_what_was_found_and_nothing_becomes_markup(self, desk: Desk, visit: Visit) -> None:
        await desk.ticket(title="<i>Fire</i> & smoke", description='"><script>fire</script>')
        page = (await (await visit("sam")).get("/admin/ticket/list?search=fire")).text
        assert "&lt;i&gt;<mark>Fire</mark>&lt;/i&gt; &amp; smoke" in page
        assert "&lt;script&gt;<mark>fire</mark>&lt;/script&gt;" in page
        assert "<script>fire" not in page
        assert "aria-sort" not in page, "the best match comes first, whatever column it has"
        assert "aria-sort" in (await (await visit("sam")).get("/admin/ticket/list?search=fire&sortBy=title")).text

    async def test_says_that_only_the_newest_matches_were_looked_at(
        self, desk: Desk, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sam = await visit("sam")
        for _ in range(2):
            await desk.ticket(title="fire")
        assert "newest matches" not in (await sam.get("/admin/ticket/list?search=fire")).text
        monkeypatch.setattr(searching, "NEWEST", 1)
        page = (await sam.get("/admin/ticket/list?search=fire")).text
        assert "newest matches are looked at" in " ".join(page.split())
        assert ("1 of 1+" in page, "?search=fire&amp;count=all" in page) == (True, True)
        assert "1 of 2<" in (await sam.get("/admin/ticket/list?search=fire&count=all")).text


class TestStatements:
    async def crowd(self, desk: Desk, store: FileStore, ticket: Ticket) -> None:
        """Twenty-five of everything on a ticket, and a hundred tickets beside it."""
        people = [
            User(email=f"p{number}@desk.example", full_name=f"Person {number}", role=Role.STAFF) for number in range(25)
        ]
        await desk.store(*people)
        comments = [
            Comment(ticket_id=ticket.id, author_id=person.id, body="hello", is_internal=False) for person in people
        ]
        watchers = [TicketWatcher(ticket_id=ticket.id, user_id=person.id) for person in people]
        await desk.store(*comments, *watchers)
        for number in range(3):
            await attach(desk, store, ticket, f"{number}.txt", f"{number}".encode())
        await desk.run(following.tag, desk.cast.sam, ticket.id, names="a, b, c, vip")
        await desk.store(
            *(
                Ticket(
                    ticket_number=f"X-{number:06}",
                    title=f"Printer {number}",
                    creator_id=desk.cast.kim.id,
                    owner_id=people[number % 25].id,
                )
                for number in range(110)
            )
        )

    async def count(self, counter: Any, visitor: Visitor, path: str) -> int:
        """How many statements a page sends."""
        with counter() as counted:
            answer = await visitor.get(path)
        assert answer.status_code == 200, path
        print(f"{counted.total:3} statements: {path[:60]}")
        total: int = counted.total
        return total

    async def test_a_list_takes_as_many_whatever_is_on_it(
        self, desk: Desk, scene: Scene, store: FileStore, visit: Visit, statement_counter: Any
    ) -> None:
        sam = await visit("sam")
        for crowded in (False, True):
            if crowded:
                await self.crowd(desk, store, scene.ticket)
            for query, expected in (("pageSize=25", LIST), ("pageSize=100", LIST), (ALL_FILTERS, FILTERED)):
                assert await self.count(statement_counter, sam, f"/admin/ticket/list?{query}") == expected
            assert await self.count(statement_counter, sam, "/admin/ticket/list?sortBy=due_at") <= BY_DUE_TIME

    async def test_a_ticket_takes_as_many_whatever_hangs_on_it(
        self, desk: Desk, scene: Scene, store: FileStore, visit: Visit, statement_counter: Any
    ) -> None:
        sam, path = await visit("sam"), f"/admin/ticket/details/{scene.ticket.id}"
        few = await self.count(statement_counter, sam, path)
        await self.crowd(desk, store, scene.ticket)
        parent = {"changes": {"parent_id": [None, scene.other.id]}, "actor_name": "Import", "actor_role": "admin"}
        subject = {"table_name": "tickets", "record_id": scene.ticket.id, "action": AuditAction.CREATE}
        await desk.store(AuditLog(**subject, **parent, actor_kind=ActorKind.IMPORT, record_label="T-000001"))
        await desk.set(Ticket, scene.ticket.id, external_key="old-desk:17")
        said = text_of(await sam.get(path))
        for words in ("Import imported it", f"Follow-up to {scene.other.ticket_number}", "elsewhere old-desk:17"):
            assert words in said
        crowded = await self.count(statement_counter, sam, path)
        everything = await self.count(statement_counter, sam, f"{path}?show=all")
        assert (few, crowded, everything) == (TICKET_PAGE, TICKET_PAGE + 1, TICKET_PAGE), "one more to count the rest"

    async def test_an_edit_form_takes_as_many_whatever_hangs_on_its_ticket(
        self, desk: Desk, scene: Scene, store: FileStore, visit: Visit, statement_counter: Any
    ) -> None:
        sam, path = await visit("sam"), f"/admin/ticket/edit/{scene.ticket.id}"
        await self.crowd(desk, store, scene.ticket)
        assert await self.count(statement_counter, sam, path) == EDIT_FORM

    async def test_the_unread_badge_costs_nothing_extra(
        self, scene: Scene, visit: Visit, statement_counter: Any
    ) -> None:
        sid = await visit("sid")
        assert await self.count(statement_counter, sid, "/admin/ticket/list") == LIST
        assert 'aria-label="1 unread' in (page := (await sid.get("/admin/ticket/list")).text) or "unread" in page


class TestPage:
    async def test_it_shows_what_hangs_on_the_ticket(self, scene: Scene, visit: Visit) -> None:
        page = text_of(await (await visit("sam")).get(f"/admin/ticket/details/{scene.ticket.id}"))
        for expected in ("Smoke everywhere.", "On my way.", "log.txt", "Sid Staff", "fire", "Kim Customer", "Hardware"):
            assert expected in page

    async def test_it_shows_the_newest_twenty_and_a_way_to_all(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        comments = [
            Comment(ticket_id=scene.other.id, author_id=desk.cast.sam.id, body=f"[{number:02}]", is_internal=False)
            for number in range(25)
        ]
        await desk.store(*comments)
        sam, path = await visit("sam"), f"/admin/ticket/details/{scene.other.id}"
        newest, everything = await sam.get(path), await sam.get(f"{path}?show=all")
        assert [f"[{number:02}]" in text_of(newest) for number in (4, 5, 24)] == [False, True, True]
        assert "?show=all" in links_on(newest)
        assert "[00]" in text_of(everything)

    async def test_a_ticket_can_be_found_by_its_number(self, scene: Scene, visit: Visit) -> None:
        for number in (scene.ticket.ticket_number, scene.ticket.ticket_number.lower()):
            answer = await (await visit("sam")).get(f"/admin/ticket/number/{number}")
            assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/ticket/details/{scene.ticket.id}")

    async def test_a_deleted_parent_is_not_linked(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        for parent, is_shown in ((scene.closed, True), (scene.deleted, False)):
            await desk.set(Ticket, scene.other.id, parent_id=parent.id)
            page = await sam.get(f"/admin/ticket/details/{scene.other.id}")
            assert (f"/admin/ticket/details/{parent.id}" in links_on(page)) is is_shown


class TestOpen:
    async def test_a_ticket_is_opened_as_typed(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        answer = await sam.fill_in(
            "/admin/ticket/create",
            creator="Kim Customer <kim@desk.example>",
            title="  Lamp flickers ",
            description="On\r\nand off.",
            priority="3",
            channel="email",
            category="Light",
            owner="sid@desk.example",
            due_at="2031-01-02T03:04",
            parent=scene.ticket.ticket_number.lower(),
        )
        assert answer.status_code == 303
        stored = await desk.stored(Ticket, int(answer.headers["location"].rsplit("/", 1)[1]))
        assert (stored.title, stored.description, stored.status) == ("Lamp flickers", "On\nand off.", Status.NEW)
        assert (stored.creator_id, stored.owner_id, stored.parent_id) == (
            desk.cast.kim.id,
            desk.cast.sid.id,
            scene.ticket.id,
        )
        assert stored.due_at == datetime(2031, 1, 2, 3, 4, tzinfo=UTC)
        assert "Lamp flickers is open." in text_of(await sam.get(answer.headers["location"])).replace("  ", " ")

    @in_one(
        ("field", "value", "sentence"),
        [
            ("creator", "", "Enter an e-mail address."),
            ("creator", "nobody@desk.example", "Nobody here has the address nobody@desk.example."),
            ("creator", "olaf@desk.example", "is deactivated"),
            ("title", "", "This is required."),
            ("title", "x" * 201, "At most 200 characters"),
            ("owner", "kim@desk.example", "cannot own tickets"),
            ("owner", "olaf@desk.example", "is deactivated"),
            ("parent", "T-999999", "There is no ticket T-999999."),
            ("parent", "a\x00b", "There is no ticket"),
            ("due_at", "soon", "Enter a date and time"),
            ("due_at", "2020-01-01T00:00", "This time is past already."),
            ("priority", "9", "Choose one of the list."),
            ("channel", "pigeon", "Choose one of the list."),
        ],
    )
    async def test_a_mistake_is_named_at_its_field_and_nothing_typed_is_lost(
        self, desk: Desk, visit: Visit, field: str, value: str, sentence: str
    ) -> None:
        await desk.set(User, desk.cast.users["olaf"], is_active=False)
        sam = await visit("sam")
        form = await sam.form_at("/admin/ticket/create")
        typed = {"creator": "kim@desk.example", "title": "kept", "description": "kept text", field: value}
        async with desk.nothing_written():
            answer = await sam.submit(form, **typed)
        assert (answer.status_code, sentence in text_of(answer)) == (422, True), text_of(answer)[:300]
        assert f'id="f-{field}-error"' in answer.text
        fields = form_on(answer).fields
        assert {name: fields[name] for name in typed if name not in ("priority", "channel")} == {
            name: text for name, text in typed.items() if name not in ("priority", "channel")
        }


class TestSuggest:
    async def ask(self, visitor: Visitor, name: str, term: str) -> Any:
        """What a script of the page is answered."""
        answer = await visitor.get(
            "/admin/ticket/ajax/lookup", params={"name": name, "term": term}, headers={"Accept": "application/json"}
        )
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    async def test_the_answer_has_the_shape_that_scripts_expect(self, desk: Desk, visit: Visit) -> None:
        sam = await visit("sam")
        assert await self.ask(sam, "creator", "KIM") == {
            "results": [{"id": "kim@desk.example", "text": "Kim Customer"}]
        }
        assert await self.ask(sam, "owner", "staff") == {
            "results": [
                {"id": "sam@desk.example", "text": "Sam Staff"},
                {"id": "sid@desk.example", "text": "Sid Staff"},
            ]
        }
        assert await self.ask(sam, "owner", "kim") == {"results": []}
        assert await self.ask(sam, "creator", "sam") == {"results": []}

    @in_one("term", ["%", "_", "%%", "s_m", "\\", "'"])
    async def test_wildcards_are_plain_text(self, desk: Desk, visit: Visit, term: str) -> None:
        assert await self.ask(await visit("sam"), "owner", term) == {"results": []}

    async def test_nobody_deactivated_is_suggested(self, desk: Desk, visit: Visit) -> None:
        await desk.set(User, desk.cast.users["sid"], is_active=False)
        assert await self.ask(await visit("sam"), "owner", "sid") == {"results": []}

    async def test_a_mistake_is_told_in_json(self, desk: Desk, visit: Visit) -> None:
        assert await self.ask(await visit("sam"), "password_hash", "x") == {
            "error": "Say which field and what to look for."
        }

    async def test_ops_look_nobody_up(self, desk: Desk, visit: Visit) -> None:
        answer = await self.ask(await visit("olaf"), "owner", "sam")
        assert "not allowed" in answer["error"]
        assert [entry.action.value for entry in await desk.rows(AuditLog)] == ["REFUSED"]
