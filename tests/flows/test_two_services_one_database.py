"""Two server processes on one database are one desk."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.flows.serving import Server, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def other(database_url: str, stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A second process on the same database."""
    with serving(database_url, tmp_path_factory.mktemp("other")) as other:
        yield other


class TestTwoServices:
    def test_they_are_two(self, stage, other) -> None:
        """Else the rest of this file would prove nothing."""
        assert stage.server.process.pid != other.process.pid
        assert stage.server.url != other.url

    def test_a_change_in_one_is_there_in_the_other(self, enter, stage, other) -> None:
        ticket = stage.ticket("Water in the cellar")
        sam, sid = enter("sam"), enter("sid", other)
        sam.open(ticket)
        sam.fill("Add a comment", "The pump is on its way.")
        sam.press("Comment")
        sam.sees("Your comment")
        sid.open(ticket)
        sid.sees("The pump is on its way.", "Sam Staff")
        sid.go(f"/admin/ticket/list?search={ticket.ticket_number}")
        sid.sees(ticket.title)

    def test_who_saves_second_gets_the_conflict_page_whichever_they_used(self, enter, stage, other) -> None:
        ticket = stage.ticket("Door sticks")
        sam, sid = enter("sam"), enter("sid", other)
        sam.edit(ticket)
        sid.edit(ticket)
        sid.fill("Title", "Front door sticks")
        sid.press("Save")
        sid.sees(f"{ticket.ticket_number} is saved.")
        sam.fill("Title", "Door sticks in winter")
        sam.press("Save")
        expect(sam.heading).to_have_text("Somebody saved first")
        sam.sees("Sid Staff saved at", "Front door sticks")
        sam.fill("Title", "Front door sticks in winter")
        sam.press("Save merged")
        sam.sees(f"{ticket.ticket_number} is saved.")
        sid.open(ticket)
        expect(sid.heading).to_have_text("Front door sticks in winter")

    def test_one_sign_in_is_good_for_both_and_signing_out_of_one_ends_it_in_both(self, enter, stage, other) -> None:
        sam = enter("sam", anew=True)
        assert sam.go(other.path("/admin/ticket/list")) == 200
        expect(sam.heading).to_have_text("Tickets")
        sam.go(stage.server.path("/admin/"))
        sam.sign_out()
        for server in (stage.server, other):
            sam.go(server.path("/admin/ticket/list"))
            expect(sam.page.get_by_label("Password")).to_be_visible()

    def test_a_form_of_one_may_be_sent_to_the_other(self, enter, stage, other) -> None:
        """As behind a load balancer: the token in the form is good for every process."""
        ticket = stage.ticket()
        sam = enter("sam", other)
        sam.open(ticket)
        token = sam.main.locator("input[name=form_token]").first.input_value()
        answer = sam.page.request.post(
            stage.server.path(f"/admin/ticket/comment/{ticket.id}"),
            form={"form_token": token, "idempotency_key": "once", "body": "Through the other door."},
            headers={"Origin": stage.server.url},
        )
        assert answer.status == 200
        sam.open(ticket)
        sam.sees("Through the other door.")
