"""A supervisor hands a ticket over, and the new owner hears of it."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def handed_over(enter, stage):
    """Sue finds Sid by typing, and gives him Sam's ticket."""
    ticket = stage.ticket("Rain comes in", owner="sam@desk.example")
    sid = enter("sid")
    sue = enter("sue")
    sue.open(ticket)
    sue.follow("Transfer")
    sue.sees("It belongs to Sam Staff now.")
    owner = sue.main.get_by_label("New owner", exact=True)
    owner.press_sequentially("Sid")
    offered = sue.main.locator("datalist option")
    expect(offered).to_have_count(1)
    expect(offered).to_have_attribute("label", "Sid Staff · sid@desk.example")
    owner.fill(offered.get_attribute("value") or "")
    sue.fill("Reason", "Sam is on leave")
    sue.press("Transfer")
    sue.sees("has a new owner", "Sue Supervisor handed it over", "“Sam is on leave”")
    return sid, ticket


class TestHandOver:
    def test_customers_are_not_offered_as_owners(self, enter, stage) -> None:
        sue = enter("sue")
        sue.go(f"/admin/ticket/transfer/{stage.ticket().id}")
        with sue.page.expect_response("**/ajax/lookup**") as answer:
            sue.main.get_by_label("New owner", exact=True).press_sequentially("Kim")
        assert answer.value.json() == {"results": []}

    def test_the_new_owner_sees_badge_and_notification_and_marks_it_read(self, handed_over) -> None:
        sid, ticket = handed_over
        sid.go("/admin/")
        badge = sid.page.locator("#menu [data-unread]")
        before = int(badge.inner_text())
        badge.click()
        told = sid.main.get_by_role("listitem").filter(has_text=ticket.ticket_number)
        expect(told).to_contain_text("unread")
        told.get_by_role("button", name="Mark as read").click()
        expect(told).not_to_contain_text("unread")
        if before == 1:
            expect(badge).to_have_count(0)
        else:
            expect(badge).to_have_text(str(before - 1))

    def test_it_leads_to_the_ticket_which_is_theirs_now(self, handed_over) -> None:
        sid, ticket = handed_over
        sid.go("/admin/notification/list")
        sid.main.get_by_role("button", name=ticket.ticket_number).click()
        expect(sid.heading).to_have_text(ticket.title)
        expect(sid.main.locator(".desk-facts div", has_text="Owner")).to_contain_text("Sid Staff")

    def test_somebody_who_cannot_own_is_refused_at_the_field_and_the_text_stays(self, enter, stage) -> None:
        sue = enter("sue")
        sue.go(f"/admin/ticket/transfer/{stage.ticket().id}")
        sue.fill("New owner", "kim@desk.example")
        sue.fill("Reason", "she knows the roof")
        sue.press("Transfer")
        owner = sue.main.get_by_label("New owner", exact=True)
        expect(owner).to_have_attribute("aria-invalid", "true")
        expect(owner).to_be_focused()
        expect(sue.main.get_by_label("Reason", exact=True)).to_have_value("she knows the roof")
