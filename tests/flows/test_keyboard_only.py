"""Everything with the keyboard: sign in, find a ticket, comment, edit."""

import pytest
from playwright.sync_api import Page, expect

from tests.flows.stage import PASSWORD

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  return {
    name: (element.labels?.[0] ?? element).textContent.trim().replace(/\\s+/g, " "),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    visible: element.checkVisibility() && element.getBoundingClientRect().right > 0,
  };
}"""
MOST_STEPS = 60


def tab_to(page: Page, name: str) -> None:
    """Press Tab until `name` has the focus, which every stop on the way must show."""
    passed = []
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        passed.append(focused["name"])
        assert focused["visible"], f"the focus is out of sight at {focused['name']}"
        assert focused["outline"] >= 2, f"nothing shows the focus at {focused['name']}"
        if focused["name"] == name:
            return
    raise AssertionError(f"{name} cannot be reached with Tab: {passed}")


@pytest.fixture
def page(visitor) -> Page:
    """Sam's window, with nothing but a keyboard, after signing in with it."""
    page = visitor()
    page.goto("/admin/login")
    expect(page.get_by_label("E-mail address")).to_be_focused()  # a page is there before its field has the focus
    page.keyboard.type("sam@desk.example")
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Dashboard")
    return page


class TestKeyboard:
    def test_the_skip_link_comes_first_and_leads_past_the_menu(self, page) -> None:
        tab_to(page, "Skip to the content")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        tab_to(page, "New ticket")

    def test_a_ticket_is_found_and_commented_on(self, page, stage) -> None:
        ticket = stage.ticket("Gate squeaks")
        tab_to(page, "Tickets")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Tickets")
        page.keyboard.press("/")
        expect(page.get_by_label("Search tickets")).to_be_focused()
        page.keyboard.type(ticket.ticket_number)
        page.keyboard.press("Enter")
        expect(page.locator("tbody tr")).to_have_count(1)
        tab_to(page, ticket.ticket_number)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text(ticket.title)
        tab_to(page, "Add a comment")
        page.keyboard.type("Oiled it / twice.")
        tab_to(page, "Internal: only the desk sees it")
        page.keyboard.press("Space")
        tab_to(page, "Comment")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Your comment")
        expect(page.locator(".desk-internal")).to_contain_text("Oiled it / twice.")

    def test_a_ticket_is_edited_and_saved(self, page, stage) -> None:
        ticket = stage.ticket("Gate squeaks")
        page.goto(f"/admin/ticket/details/{ticket.id}")
        tab_to(page, "Edit")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Edit ticket")
        tab_to(page, "Title")
        page.keyboard.press("Control+A")
        page.keyboard.type("Gate is quiet")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Gate is quiet")

    def test_a_failed_form_puts_the_focus_on_the_first_field_that_is_wrong(self, page) -> None:
        page.goto("/admin/ticket/create")
        tab_to(page, "Customer")
        page.keyboard.type("nobody@desk.example")
        tab_to(page, "Title")
        page.keyboard.type("Lost key")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Customer")).to_be_focused()
        expect(page.get_by_label("Customer")).to_have_attribute("aria-invalid", "true")

    def test_no_page_traps_the_focus(self, page, stage) -> None:
        page.goto(f"/admin/ticket/details/{stage.ticket().id}")
        tab_to(page, "Watch")
        page.keyboard.press("Shift+Tab")
        assert page.evaluate(FOCUSED)["name"] == "Told of"
