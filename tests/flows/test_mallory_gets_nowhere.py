"""Whoever is not signed in, or not entitled, gets nowhere: not by the form, not by a cookie, not by the address."""

import re

import pytest
from playwright.sync_api import expect

from tests.flows.stage import PASSWORD

pytestmark = pytest.mark.browser

SIGN_IN = re.compile(r"/admin/login")
MENU = (
    "/admin/",
    "/admin/ticket/list",
    "/admin/trash/list",
    "/admin/user/list",
    "/admin/audit-log/list",
    "/admin/notification/list",
    "/admin/pool",
)


class TestSignedOut:
    def test_every_page_asks_to_sign_in(self, visitor) -> None:
        page = visitor()
        for path in (*MENU, "/admin/ticket/create", "/admin/user/details/1"):
            page.goto(path)
            expect(page).to_have_url(SIGN_IN)
            expect(page.get_by_label("Password")).to_be_visible()
            expect(page.locator("#menu")).to_have_count(0)

    def test_signing_in_leads_to_the_page_that_was_asked_for(self, visitor) -> None:
        page = visitor()
        page.goto("/admin/user/list?role=staff")
        page.get_by_label("E-mail address").fill("sam@desk.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile(r"/admin/user/list\?role=staff$"))

    def test_after_signing_out_the_cookie_of_before_opens_nothing(self, enter, visitor) -> None:
        sam = enter("sam", anew=True)
        cookies = sam.page.context.cookies()
        sam.sign_out()
        thief = visitor()
        thief.context.add_cookies(cookies)
        thief.goto("/admin/ticket/list")
        expect(thief).to_have_url(SIGN_IN)


class TestMallory:
    @pytest.mark.parametrize(
        ("email", "password"),
        [
            ("mallory@desk.example", PASSWORD),
            ("sam@desk.example", "a wrong password"),
            ("nobody@desk.example", PASSWORD),
        ],
        ids=["a customer", "a wrong password", "nobody"],
    )
    def test_is_refused_in_the_same_words_as_anybody(self, visitor, email, password) -> None:
        page = visitor()
        page.goto("/admin/login")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("This address and password do not open an account.")
        expect(page.get_by_label("E-mail address")).to_have_value(email)
        expect(page.get_by_label("Password")).to_have_value("")
        page.goto("/admin/ticket/list")
        expect(page).to_have_url(SIGN_IN)

    def test_gets_nowhere_with_a_cookie_of_her_own_making(self, visitor, stage) -> None:
        page = visitor()
        for value in ("1", "sam@desk.example", "x" * 43, "eyJ1c2VyX2lkIjogMX0="):
            page.context.add_cookies([{"name": "desk_session", "value": value, "url": stage.server.url}])
            page.goto("/admin/ticket/list")
            expect(page).to_have_url(SIGN_IN)


class TestStaff:
    def test_cannot_open_by_address_what_is_not_in_their_menu(self, enter) -> None:
        sam = enter("sam")
        for path in ("/admin/trash/list", "/admin/audit-log/list", "/admin/pool"):
            expect(sam.page.locator(f"#menu a[href='{path}']")).to_have_count(0)
            assert sam.go(path) in {403, 404}
            expect(sam.main.locator("table, dl")).to_have_count(0)

    def test_every_door_in_the_menu_is_open(self, enter) -> None:
        """The negative control: those who are entitled do get in."""
        ada = enter("ada")
        for path in MENU:
            assert ada.go(path) == 200
