"""Sid has forgotten the password: Ada makes a link, Sid sets a new one with it, once, and signs in."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.flows.conftest import Enter
from tests.flows.looking import Complaints, hard_to_read, too_wide
from tests.flows.people import Person
from tests.flows.stage import Stage
from tests.flows.test_every_page_in_both_themes_and_widths import LOOKS, Look, keep_picture, window_of

pytestmark = pytest.mark.browser

NEW = "a kettle, a cup, a spoon"


WIDE, NARROW = LOOKS[0], LOOKS[3]
"""Light on a desk, dark on a phone."""


def looks_well(page: Page, look: Look, name: str, complaints: Complaints) -> None:
    keep_picture(page, look, name)
    assert (too_wide(page), hard_to_read(page), complaints.taken()) == ([], [], [])


def make_link(ada: Person, user_id: int) -> str:
    """Ada makes one; it is on her page, marked, and nowhere in the address."""
    complaints = Complaints(ada.page)
    ada.go(f"/admin/user/details/{user_id}")
    ada.follow("Reset password")
    looks_well(ada.page, WIDE, "password-link-ask", complaints)
    ada.fill("Reason", "Sid called from the desk; I know the voice.")
    ada.press("Make a reset link")
    expect(ada.heading).to_have_text("Reset link for Sid Staff")
    looks_well(ada.page, WIDE, "password-link-made", complaints)
    link = ada.main.get_by_label("Link")
    expect(link).to_be_focused()
    marked = ada.page.evaluate("() => { const f = document.activeElement; return f.selectionEnd - f.selectionStart; }")
    address = link.input_value()
    assert marked == len(address) > 60
    assert address not in ada.page.url
    return address


class TestALostPassword:
    def test_is_set_anew_with_the_keyboard_alone(
        self, stage: Stage, enter: Enter, visitor: Callable[..., Page]
    ) -> None:
        ada = enter("ada", **window_of(WIDE))
        address = make_link(ada, stage.cast.sid.id)
        page = visitor(**window_of(NARROW))
        complaints = Complaints(page)
        page.goto(address)
        assert page.url.endswith("/admin/password-link"), "what makes it work is not in the address any more"
        expect(page.get_by_label("E-mail address")).to_have_value("sid@desk.example")
        looks_well(page, NARROW, "password-link", complaints)
        page.get_by_label("New password", exact=True).focus()
        page.keyboard.type("Sid Staff 2026")
        page.keyboard.press("Tab")
        page.keyboard.type("Sid Staff 2026")
        page.keyboard.press("Enter")
        expect(page.locator("[aria-invalid=true]")).to_be_focused()
        complaints.taken()  # the browser tells its console of every 422
        looks_well(page, NARROW, "password-link-refused", complaints)
        page.keyboard.type(NEW)
        page.keyboard.press("Tab")
        page.keyboard.type(NEW)
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("Your password is set. Sign in with it.")
        Person("sid", page).sign_in(NEW)
        page.goto(address)
        expect(page.locator("h1")).to_have_text("This link works no more")
        complaints.taken()
        looks_well(page, NARROW, "password-link-dead", complaints)
