"""Editing a ticket: forged versions, two people at once, a third in between, and saves that change nothing."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from admin_app.models import AuditAction, AuditLog, Channel, Priority, Status, Ticket, User
from admin_app.services.blocks import editing
from admin_app.services.operations import tickets
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Form, Visitor, form_on, text_of

Visit = Callable[..., Awaitable[Visitor]]


def edit_path(ticket: Ticket) -> str:
    """The address of its edit form."""
    return f"/admin/ticket/edit/{ticket.id}"


@pytest.fixture
async def ticket(desk: Desk) -> Ticket:
    """An open ticket of Sam's."""
    return await desk.ticket(owner="sam@desk.example", description="Smoke.\nAnd flames.", category="Hardware")


class TestSaving:
    async def test_what_was_typed_is_stored(self, desk: Desk, ticket: Ticket, visit: Visit) -> None:
        answer = await (await visit("sam")).fill_in(
            edit_path(ticket),
            title="Printer on <i>fire</i>",
            description="Flames.",
            status="pending",
            priority="4",
            channel="phone",
            category="Fire",
            due_at="2031-05-06T07:08",
            resolution="",
        )
        assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/ticket/details/{ticket.id}")
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.title, stored.description, stored.category) == ("Printer on <i>fire</i>", "Flames.", "Fire")
        assert (stored.status, stored.priority, stored.channel) == (Status.PENDING, Priority(4), Channel.PHONE)
        assert stored.due_at == datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
        assert stored.version == ticket.version + 1
        sam = await visit("sam")
        page = await sam.get(f"/admin/ticket/details/{ticket.id}")
        assert "<i>fire" not in page.text

    async def test_the_next_page_says_so_once(self, ticket: Ticket, visit: Visit) -> None:
        sam = await visit("sam")
        answer = await sam.fill_in(edit_path(ticket), title="Another title")
        assert f"{ticket.ticket_number} is saved." in text_of(await sam.get(answer.headers["location"]))
        assert f"{ticket.ticket_number} is saved." not in text_of(await sam.get(answer.headers["location"]))

    async def test_saving_without_a_change_writes_nothing(self, desk: Desk, ticket: Ticket, visit: Visit) -> None:
        await desk.set(Ticket, ticket.id, due_at=datetime(2031, 5, 6, 7, 8, 59, 123456, tzinfo=UTC))
        form = await (sam := await visit("sam")).form_at(edit_path(ticket))
        before = await desk.everything()
        answer = await sam.submit(form, description=form.fields["description"].replace("\n", "\r\n"))
        assert answer.status_code == 303
        after = await desk.everything()
        assert [name for name in before if before[name] != after[name]] == ["idempotency_keys"]
        assert "Nothing was changed." in text_of(await sam.get(answer.headers["location"]))

    async def test_an_hour_that_comes_twice_is_not_moved(self, desk: Desk, ticket: Ticket, visit: Visit) -> None:
        """In Berlin 02:30 happens twice that night; the form shows the same for both."""
        second = datetime(2030, 10, 27, 1, 30, tzinfo=UTC)
        await desk.set(Ticket, ticket.id, due_at=second)
        await desk.set(User, desk.cast.users["sam"], timezone="Europe/Berlin")
        sam = await visit("sam")
        form = await sam.form_at(edit_path(ticket))
        assert form.fields["due_at"] == "2030-10-27T02:30"
        await sam.submit(form, title="Another title")
        assert (await desk.stored(Ticket, ticket.id)).due_at == second

    async def test_times_are_read_in_the_persons_own_zone(self, desk: Desk, ticket: Ticket, visit: Visit) -> None:
        await desk.set(User, desk.cast.users["sam"], timezone="Asia/Tokyo")
        await (await visit("sam")).fill_in(edit_path(ticket), due_at="2031-05-06T07:08")
        assert (await desk.stored(Ticket, ticket.id)).due_at == datetime(2031, 5, 5, 22, 8, tzinfo=UTC)

    async def test_the_same_form_sent_twice_is_saved_once(self, desk: Desk, ticket: Ticket, visit: Visit) -> None:
        sam = await visit("sam")
        form = await sam.form_at(edit_path(ticket))
        answers = [await sam.submit(form, title="Twice") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert (await desk.stored(Ticket, ticket.id)).version == ticket.version + 1
        assert [entry.action for entry in await desk.rows(AuditLog)].count(AuditAction.EDIT) == 1

    @in_one(
        ("typed", "sentence"),
        [
            ({"title": "  "}, "This is required."),
            ({"title": "x" * 201}, "At most 200 characters"),
            ({"title": "a\x00b"}, "cannot be stored"),
            ({"description": "x" * 100_001}, "At most 100,000 characters"),
            ({"due_at": "tomorrow"}, "Enter a date and time such as"),
            ({"due_at": "0001-01-01T00:00"}, "Enter a date and time such as"),
            ({"due_at": "9999-12-31T23:59"}, "Enter a date and time such as"),
            ({"priority": "99"}, "Choose one of the list."),
            ({"channel": "pigeon"}, "Choose one of the list."),
            ({"status": "on fire"}, "Choose one of the list."),
            ({"status": "resolved"}, "Say how this was solved."),
        ],
    )
    async def test_a_mistake_is_explained_and_nothing_typed_is_lost(
        self, desk: Desk, ticket: Ticket, visit: Visit, typed: dict[str, str], sentence: str
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(edit_path(ticket))
        async with desk.nothing_written():
            answer = await sam.submit(form, **{"category": "kept as typed", **typed})
        assert answer.status_code == 422, text_of(answer)[:500]
        assert sentence in text_of(answer)
        again = form_on(answer)
        expected = {"category": "kept as typed", **typed}
        assert {name: again.fields[name] for name in expected} == expected

    async def test_an_arrow_that_the_state_table_has_not_is_a_conflict(
        self, desk: Desk, ticket: Ticket, visit: Visit
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(edit_path(ticket))
        await desk.run(tickets.close, desk.cast.sam, ticket.id, resolution="Done.", version=1)
        answer = await sam.submit(form, status="pending", version="2", title="kept")
        assert answer.status_code == 409
        assert "A ticket cannot go from Closed to Pending." in text_of(answer)
        assert form_on(answer).fields["title"] == "kept"
        assert form_on(answer).fields["status"] == "pending"

    async def test_a_field_that_no_form_has_is_never_written(self, desk: Desk, ticket: Ticket, visit: Visit) -> None:
        """S-03: every column of the table is sent."""
        before = await desk.stored(Ticket, ticket.id)
        columns = {column.name: "7" for column in Ticket.__table__.columns}
        columns = {name: value for name, value in columns.items() if name not in tickets.EDITABLE_FIELDS}
        answer = await (await visit("sam")).fill_in(edit_path(ticket), **{**columns, "version": "1"})
        assert answer.status_code == 303
        after = await desk.stored(Ticket, ticket.id)
        changed = {name for name in columns if getattr(before, name) != getattr(after, name)}
        assert changed <= {"updated_at"}


FORGED = ["", "abc", "0", "-1", "1.5", "999", "2147483648", "9" * 30, "0000000001" + "9" * 5000, " 1", "²", "\x00"]


async def forge_all(sam: Visitor, ticket: Ticket) -> Counter[int]:
    """Save with every forged version in turn; how often which status was the answer."""
    statuses: Counter[int] = Counter()
    for version in FORGED:
        form = await sam.form_at(edit_path(ticket))
        statuses[(await sam.submit(form, title=f"Forged {version[:5]!r}", version=version)).status_code] += 1
    return statuses


class TestForgedVersion:
    async def test_none_of_them_is_saved(
        self, desk: Desk, ticket: Ticket, visit: Visit, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sam = await visit("sam")
        async with desk.nothing_written():
            statuses = await forge_all(sam, ticket)
        refused = statuses[400] + statuses[409]
        with capsys.disabled():
            print(f"\nR-02 {desk.database.engines.dialect}: acked {statuses[303]}, refused {refused}, unknown 0")
        assert refused == statuses.total() == len(FORGED)

    async def test_a_save_that_does_not_look_at_the_version_is_found_out(
        self, desk: Desk, ticket: Ticket, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control."""

        async def check_version(*arguments: Any, **options: Any) -> None:
            """All is well."""

        monkeypatch.setattr(editing, "check_version", check_version)
        with pytest.raises(AssertionError, match="these tables changed"):
            async with desk.nothing_written():
                await forge_all(await visit("sam"), ticket)

    @in_one("version", [None, *FORGED])
    async def test_a_forged_version_writes_nothing_and_keeps_the_text(
        self, desk: Desk, ticket: Ticket, visit: Visit, version: str | None
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(edit_path(ticket))
        form.fields.pop("version")
        async with desk.nothing_written():
            forged = {} if version is None else {"version": version}
            answer = await sam.submit(form, title="An hour of typing", **forged)
        assert answer.status_code == (409 if version == "999" else 400)
        assert "An hour of typing" in answer.text
        assert (await desk.stored(Ticket, ticket.id)).version == ticket.version

    async def test_a_version_from_the_future_gets_the_conflict_page_and_that_can_be_saved(
        self, desk: Desk, ticket: Ticket, visit: Visit
    ) -> None:
        sam = await visit("sam")
        answer = await sam.fill_in(edit_path(ticket), version="999", title="An hour of typing")
        saved = await sam.submit(form_on(answer))
        assert saved.status_code == 303
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.title, stored.version) == ("An hour of typing", ticket.version + 1)


async def edit(desk: Desk, first_name: str, ticket: Ticket, **changes: Any) -> Ticket:
    """Somebody else saves in between."""
    version = (await desk.stored(Ticket, ticket.id)).version
    actor = getattr(desk.cast, first_name)
    edited: Ticket = await desk.run(tickets.edit, actor, ticket.id, changes, version=version)
    return edited


class TestConflict:
    @pytest.fixture
    async def sam(self, visit: Visit) -> Visitor:
        """Sam at his window."""
        return await visit("sam")

    @pytest.fixture
    async def form(self, sam: Visitor, ticket: Ticket) -> Form:
        """Sam's edit form, opened before anybody else saves."""
        return await sam.form_at(edit_path(ticket))

    async def refused(self, desk: Desk, sam: Visitor, form: Form, **typed: str) -> httpx.Response:
        """A stale save: 409, and not a row is changed."""
        async with desk.nothing_written():
            answer = await sam.submit(form, **typed)
        assert answer.status_code == 409
        assert "Somebody saved first" in text_of(answer)
        return answer

    async def test_the_page_shows_start_theirs_yours_who_and_when(
        self, desk: Desk, ticket: Ticket, sam: Visitor, form: Form
    ) -> None:
        await edit(desk, "sue", ticket, title="Sue's title")
        answer = await self.refused(desk, sam, form, title="Sam's title")
        text = text_of(answer)
        for expected in ("At start Printer on fire", "Theirs Sue's title", "Yours Sam's title", "Sue Supervisor"):
            assert expected in text
        [entry] = [row for row in await desk.rows(AuditLog) if row.action is AuditAction.EDIT]
        assert f'datetime="{entry.occurred_at.isoformat()}"' in answer.text
        assert form_on(answer).fields["version"] == "2"
        assert "You both changed the same field" in text

    async def test_fields_that_one_side_touched_are_merged_and_saved(
        self, desk: Desk, ticket: Ticket, sam: Visitor, form: Form
    ) -> None:
        await edit(desk, "sue", ticket, priority=Priority.CRITICAL, description="Sue was here.")
        answer = await self.refused(desk, sam, form, title="Sam's title")
        merged = form_on(answer)
        assert "choice-title" not in merged.options
        assert (await sam.submit(merged)).status_code == 303
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.title, stored.description, stored.priority, stored.version) == (
            "Sam's title",
            "Sue was here.",
            Priority.CRITICAL,
            3,
        )

    @pytest.mark.parametrize(("choice", "expected"), [("mine", "Sam's title"), ("theirs", "Sue's title")])
    async def test_a_clash_is_saved_as_chosen(
        self, desk: Desk, ticket: Ticket, sam: Visitor, form: Form, choice: str, expected: str
    ) -> None:
        await edit(desk, "sue", ticket, title="Sue's title")
        answer = await self.refused(desk, sam, form, title="Sam's title", category="Sam's category")
        conflict = form_on(answer)
        assert conflict.options["choice-title"] == ["theirs", "mine"]
        assert "choice-title" not in conflict.fields, "nobody has chosen yet"
        assert answer.text.count('name="choice-title"') == 2
        assert (await sam.submit(conflict, **{"choice-title": choice})).status_code == 303
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.title, stored.category) == (expected, "Sam's category")

    async def test_both_typed_the_same_and_nobody_is_asked(
        self, desk: Desk, ticket: Ticket, sam: Visitor, form: Form
    ) -> None:
        await edit(desk, "sue", ticket, title="The very same")
        answer = await self.refused(desk, sam, form, title="The very same")
        assert "You agree" in text_of(answer)
        assert "choice-title" not in form_on(answer).options

    async def test_a_third_in_between_gets_another_conflict_page_and_nothing_is_lost(
        self, desk: Desk, ticket: Ticket, sam: Visitor, form: Form
    ) -> None:
        await edit(desk, "sue", ticket, title="Sue's title")
        first = await self.refused(desk, sam, form, title="Sam's title", category="Sam's category")
        await edit(desk, "sid", ticket, title="Sid's title", description="Sid's text")
        second = await self.refused(desk, sam, form_on(first), **{"choice-title": "mine"})
        text = text_of(second)
        assert "At start Sue's title" in text
        assert "Theirs Sid's title" in text
        assert "Yours Sam's title" in text
        assert "Sid Staff" in text
        assert (await sam.submit(form_on(second), **{"choice-title": "mine"})).status_code == 303
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.title, stored.category, stored.description, stored.version) == (
            "Sam's title",
            "Sam's category",
            "Sid's text",
            4,
        )

    async def test_keeping_theirs_keeps_what_a_third_made_of_it(
        self, desk: Desk, ticket: Ticket, sam: Visitor, form: Form
    ) -> None:
        await edit(desk, "sue", ticket, title="Sue's title")
        first = await self.refused(desk, sam, form, title="Sam's title", category="Sam's category")
        await edit(desk, "sid", ticket, title="Sid's title")
        second = await self.refused(desk, sam, form_on(first), **{"choice-title": "theirs"})
        assert (await sam.submit(form_on(second))).status_code == 303
        stored = await desk.stored(Ticket, ticket.id)
        assert (stored.title, stored.category) == ("Sid's title", "Sam's category")

    async def test_a_due_time_that_nobody_touched_is_no_clash(self, desk: Desk, ticket: Ticket, sam: Visitor) -> None:
        await desk.set(Ticket, ticket.id, due_at=datetime(2031, 5, 6, 7, 8, 59, tzinfo=UTC))
        form = await sam.form_at(edit_path(ticket))
        later = datetime(2031, 6, 7, 8, 9, 30, tzinfo=UTC)
        await edit(desk, "sue", ticket, due_at=later)
        answer = await self.refused(desk, sam, form, title="Sam's title")
        assert "choice-due_at" not in form_on(answer).options
        await sam.submit(form_on(answer))
        assert (await desk.stored(Ticket, ticket.id)).due_at == later

    async def test_a_status_that_is_no_longer_on_offer_is_shown_as_chosen(
        self, desk: Desk, ticket: Ticket, sam: Visitor, form: Form
    ) -> None:
        await desk.run(tickets.close, desk.cast.sue, ticket.id, resolution="Done.", version=1)
        answer = await self.refused(desk, sam, form, status="on_hold")
        conflict = form_on(answer)
        assert conflict.fields["status"] == "on_hold"
        assert "Yours On hold" in text_of(answer)
        refused = await sam.submit(conflict, **{"choice-status": "mine"})
        assert refused.status_code == 409
        assert "A ticket cannot go from Closed to On hold." in text_of(refused)
        assert (await sam.submit(conflict, **{"choice-status": "theirs"})).status_code == 303
        assert (await desk.stored(Ticket, ticket.id)).status is Status.CLOSED

    async def test_a_ticket_deleted_meanwhile_keeps_the_text_on_the_page(
        self, desk: Desk, ticket: Ticket, sam: Visitor, form: Form
    ) -> None:
        await desk.run(tickets.delete, desk.cast.sue, ticket.id, reason="a double", version=1)
        answer = await sam.submit(form, title="An hour of typing")
        assert answer.status_code == 410
        assert "An hour of typing" in text_of(answer)

    async def test_what_a_machine_did_makes_no_form_stale(
        self, desk: Desk, ticket: Ticket, sam: Visitor, form: Form
    ) -> None:
        await desk.comment(ticket, actor=desk.cast.sue)
        assert (await sam.submit(form, title="Sam's title")).status_code == 303
