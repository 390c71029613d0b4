"""A ticket goes to the trash and comes back whole."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def deleted(enter, stage, a_file):
    """Sam has a ticket with a comment and a file, and deletes it."""
    ticket = stage.ticket("Smell of smoke", owner="sam@desk.example")
    sam = enter("sam")
    sam.open(ticket)
    sam.fill("Add a comment", "I can smell it too.")
    sam.press("Comment")
    sam.main.get_by_label("File", exact=True).set_input_files(a_file)
    sam.press("Attach")
    sam.sees(f"The file is on {ticket.ticket_number}.")
    sam.follow("Delete")
    sam.fill("Reason", "reported twice")
    sam.press("Delete")
    sam.sees(f"{ticket.ticket_number} is in the trash.")
    return sam, ticket


class TestDelete:
    def test_without_a_reason_it_stays(self, enter, stage) -> None:
        ticket = stage.ticket()
        sam = enter("sam")
        sam.go(f"/admin/ticket/delete/{ticket.id}")
        sam.fill("Reason", "   ")
        sam.press("Delete")
        expect(sam.main.get_by_label("Reason")).to_be_focused()
        expect(sam.main.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
        sam.open(ticket)

    def test_it_is_gone_from_list_search_and_dashboard(self, deleted) -> None:
        sam, ticket = deleted
        for path in ("/admin/ticket/list", f"/admin/ticket/list?search={ticket.ticket_number}", "/admin/"):
            sam.go(path)
            sam.does_not_see(ticket.title)

    def test_its_page_says_that_it_is_deleted(self, deleted, enter) -> None:
        sam, ticket = deleted
        assert sam.go(f"/admin/ticket/details/{ticket.id}") == 410
        sam.does_not_see(ticket.title, "Look at it in the trash")
        sue = enter("sue")
        assert sue.go(f"/admin/ticket/details/{ticket.id}") == 410
        sue.follow("Look at it in the trash")
        expect(sue.heading).to_have_text(ticket.title)


class TestRestore:
    def test_it_comes_back_with_its_comment_and_its_file(self, deleted, enter, a_file) -> None:
        sam, ticket = deleted
        sue = enter("sue")
        sue.go(f"/admin/trash/list?search={ticket.ticket_number}")
        sue.sees(ticket.title, "reported twice")
        sue.follow(ticket.ticket_number)
        sue.sees("1 comment, 1 file", "I can smell it too.")
        sue.follow("Restore")
        sue.press("Restore")
        sue.sees(f"{ticket.ticket_number} is back.")
        sam.open(ticket)
        sam.sees("I can smell it too.", "Sue Supervisor restored it")
        with sam.page.expect_download() as download:
            sam.follow(a_file.name)
        assert download.value.path().read_text() == a_file.read_text()
        sam.go(f"/admin/ticket/list?search={ticket.ticket_number}")
        sam.sees(ticket.title)
