"""Deactivating somebody with open tickets through the page: asked, shown, done; and nothing that was typed is lost."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from admin_app.models import AuditAction, AuditLog, Ticket, User
from admin_app.services.operations import accounts, tickets
from tests.services.scenes import Desk
from tests.web.browsing import Form, Visitor, forms_on, links_on, text_of

Visit = Callable[..., Awaitable[Visitor]]

SPREAD = {"choice": "spread", "reason": "Sam moves\nto Oslo."}
GIVE = {"choice": "give", "new_owner": "Sid Staff <sid@desk.example>", "reason": "kept reason"}


@pytest.fixture
async def sams(desk: Desk) -> list[Ticket]:
    """Three open tickets of Sam's."""
    return [await desk.ticket(title=f"Lamp {number}", owner="sam@desk.example") for number in range(3)]


def path(desk: Desk) -> str:
    return f"/admin/user/off-board/{desk.cast.users['sam']}"


def confirmation(answer: httpx.Response) -> Form:
    """The form with what was shown."""
    [form] = [form for form in forms_on(answer) if "frozen" in form.fields]
    return form


def questions(answer: httpx.Response) -> Form:
    """The form that asks."""
    [form] = [form for form in forms_on(answer) if "frozen" not in form.fields]
    return form


async def shown(visitor: Visitor, desk: Desk, **typed: str) -> httpx.Response:
    """What the page shows for a choice."""
    answer = await visitor.fill_in(path(desk), **typed)
    assert answer.status_code == 200, text_of(answer)
    return answer


class TestTheWayThere:
    async def test_the_button_of_somebody_with_open_tickets_leads_to_the_page(self, desk, sams, visit: Visit) -> None:
        sue, sam = await visit("sue"), desk.cast.users["sam"]
        assert f"/admin/user/deactivate/{sam}" in links_on(await sue.get(f"/admin/user/details/{sam}"))
        answer = await sue.get(f"/admin/user/deactivate/{sam}")
        assert (answer.status_code, answer.headers["location"]) == (303, path(desk))

    async def test_a_form_from_before_the_first_ticket_is_answered_with_the_page_and_its_text(
        self, desk, visit: Visit
    ) -> None:
        sue, sam = await visit("sue"), desk.cast.users["sam"]
        old = await sue.form_at(f"/admin/user/deactivate/{sam}")
        await desk.ticket(owner="sam@desk.example")
        async with desk.nothing_written():
            answer = await sue.submit(old, reason="kept reason")
        assert answer.status_code == 409
        assert "They own open tickets. Say first what becomes of those." in text_of(answer)
        assert questions(answer).action == path(desk)
        assert questions(answer).fields["reason"] == "kept reason"

    async def test_somebody_without_any_leaves_as_before(self, desk, visit: Visit) -> None:
        sue, sid = await visit("sue"), desk.cast.users["sid"]
        assert (await sue.fill_in(f"/admin/user/deactivate/{sid}", reason="left")).status_code == 303
        assert not (await desk.stored(User, sid)).is_active


class TestAsking:
    async def test_shows_how_many_and_which(self, desk, sams, visit: Visit) -> None:
        page = await (await visit("sue")).get(path(desk))
        text = text_of(page)
        assert "They own 3 open tickets." in text
        assert all(ticket.ticket_number in text for ticket in sams)
        assert questions(page).options["choice"] == ["give", "spread", "leave"]

    async def test_of_many_it_shows_fifty_and_where_the_others_are(self, desk, visit: Visit) -> None:
        for number in range(51):
            await desk.store(
                Ticket(
                    ticket_number=f"X-{number:06d}",
                    title="Lamp",
                    creator_id=desk.cast.kim.id,
                    owner_id=desk.cast.sam.id,
                )
            )
        page = await (await visit("sue")).get(path(desk))
        assert "The first 50 of 51." in text_of(page)
        assert "X-000050" not in text_of(page)
        assert (await (await visit("sue")).get(links_on(page)[-1])).status_code == 200

    async def test_who_cannot_be_deactivated_is_said_at_once(self, desk, visit: Visit) -> None:
        sue = await visit("sue")
        await desk.set(User, desk.cast.users["sid"], is_active=False)
        for name, status, heading in (
            ("sue", 403, "Not allowed"),
            ("ada", 403, "Not allowed"),
            ("sid", 409, "Not as it is now"),
        ):
            answer = await sue.get(f"/admin/user/off-board/{desk.cast.users[name]}")
            assert (answer.status_code, heading in text_of(answer)) == (status, True), name


class TestShowing:
    async def test_changes_nothing_and_says_who_would_get_what(self, desk, sams, visit: Visit) -> None:
        sue = await visit("sue")
        await sue.token()
        async with desk.nothing_written():
            answer = await shown(sue, desk, **SPREAD)
        text = text_of(answer)
        for line in ("Sid Staff gets 1, has 0 open now", "Sue Supervisor gets 1", "Ada Admin gets 1", "Goes to"):
            assert line in text
        assert confirmation(answer).fields["reason"].replace("\r\n", "\n") == SPREAD["reason"]
        assert questions(answer).fields["choice"] == "spread"

    async def test_leaving_them_says_so(self, desk, sams, visit: Visit) -> None:
        answer = await shown(await visit("sue"), desk, choice="leave", reason="left")
        assert "Nobody: 3 without an owner" in text_of(answer)

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({**GIVE, "new_owner": ""}, "Enter an e-mail address."),
            ({**GIVE, "new_owner": "nobody@desk.example"}, "Nobody here has the address nobody@desk.example."),
            ({**GIVE, "new_owner": "sam@desk.example"}, "Sam Staff is the one who leaves."),
            ({**GIVE, "reason": " "}, "This is required."),
            ({**GIVE, "choice": "burn"}, "Choose one of the list."),
        ],
    )
    async def test_a_mistake_keeps_what_was_typed(
        self, desk, sams, visit: Visit, typed: dict[str, str], sentence: str
    ) -> None:
        sue = await visit("sue")
        form = await sue.form_at(path(desk))
        async with desk.nothing_written():
            answer = await sue.submit(form, **typed)
        assert (answer.status_code, sentence in text_of(answer)) == (422, True)
        fields = questions(answer).fields
        assert (fields["new_owner"], fields["reason"]) == (typed["new_owner"], typed["reason"])


class TestDoing:
    async def test_what_was_shown_is_done(self, desk, sams, visit: Visit) -> None:
        sue = await visit("sue")
        form = confirmation(await shown(sue, desk, **SPREAD))
        answer = await sue.submit(form)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/admin/user/details/{desk.cast.users['sam']}",
        )
        assert "Sam Staff is deactivated." in text_of(await sue.get(answer.headers["location"]))
        assert not (await desk.stored(User, desk.cast.sam.id)).is_active
        owners = {ticket.owner_id for ticket in await desk.rows(Ticket)}
        assert owners == {desk.cast.users[name] for name in ("sid", "sue", "ada")}

    async def test_a_double_click_does_it_once(self, desk, sams, visit: Visit) -> None:
        sue = await visit("sue")
        form = confirmation(await shown(sue, desk, **GIVE))
        assert [(await sue.submit(form)).status_code for _ in range(2)] == [303, 303]
        entries = [entry.action for entry in await desk.rows(AuditLog)]
        assert entries.count(AuditAction.DEACTIVATE) == 1
        assert entries.count(AuditAction.TRANSFER_OWNERSHIP) == 3

    async def test_they_are_out_with_their_next_click(self, desk, sams, visit: Visit) -> None:
        sam, sue = await visit("sam"), await visit("sue")
        assert (await sam.get("/admin/")).status_code == 200
        await sue.submit(confirmation(await shown(sue, desk, **GIVE)))
        assert (await sam.get("/admin/")).status_code == 302

    async def test_when_a_ticket_went_elsewhere_meanwhile_it_is_shown_afresh_and_then_works(
        self, desk, sams, visit: Visit
    ) -> None:
        sue = await visit("sue")
        form = confirmation(await shown(sue, desk, **GIVE))
        options = {"new_owner": "ada@desk.example", "reason": "r", "note": "", "version": 1}
        await desk.run(tickets.transfer, desk.cast.sue, sams[0].id, **options)
        async with desk.nothing_written():
            answer = await sue.submit(form)
        assert answer.status_code == 409
        assert "have changed since this was shown" in text_of(answer)
        assert "Sid Staff gets 2, has 0 open now" in text_of(answer)
        again = confirmation(answer)
        assert (again.fields["new_owner"], again.fields["reason"]) == (GIVE["new_owner"], "kept reason")
        assert (await sue.submit(again)).status_code == 303
        assert (await desk.stored(Ticket, sams[0].id)).owner_id == desk.cast.ada.id

    async def test_when_the_new_owner_left_meanwhile_it_asks_again(self, desk, sams, visit: Visit) -> None:
        sue = await visit("sue")
        form = confirmation(await shown(sue, desk, **GIVE))
        await desk.run(accounts.deactivate, desk.cast.ada, desk.cast.sid.id, reason="left too")
        answer = await sue.submit(form)
        assert (answer.status_code, "Sid Staff is deactivated." in text_of(answer)) == (422, True)
        assert questions(answer).fields["reason"] == "kept reason"

    async def test_when_somebody_else_was_faster_it_says_so(self, desk, sams, visit: Visit) -> None:
        sue, ada = await visit("sue"), await visit("ada")
        form = confirmation(await shown(sue, desk, **GIVE))
        await ada.submit(confirmation(await shown(ada, desk, **SPREAD)))
        answer = await sue.submit(form)
        assert (answer.status_code, "Sam Staff is deactivated already." in text_of(answer)) == (409, True)
        assert "kept reason" in answer.text

    @pytest.mark.parametrize("name", ["sam", "olaf"])
    async def test_a_forged_form_is_refused(self, desk, sams, visit: Visit, name: str) -> None:
        visitor = await visit(name)
        form = {**GIVE, "frozen": "x"}
        answer = await visitor.post(f"/admin/user/off-board/{desk.cast.users['sid']}", form)
        assert answer.status_code == 403
        assert (await desk.stored(User, desk.cast.sid.id)).is_active
