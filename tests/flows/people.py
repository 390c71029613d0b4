"""One of the cast at a browser window: what they click, type and read."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from admin_app.models import Ticket
from tests.flows.stage import PASSWORD

PATIENCE, LOOKS_EVERY = 30_000, 50
"""In milliseconds: a busy machine may need long for a page, and nobody waits for one that is there."""


@dataclass(frozen=True)
class Person:
    """Somebody with a window of their own."""

    first_name: str
    page: Page

    @property
    def main(self) -> Locator:
        """The page without its menu."""
        return self.page.locator("main")

    @property
    def heading(self) -> Locator:
        """What the page says it is."""
        return self.page.locator("h1")

    def sign_in(self, password: str = PASSWORD) -> None:
        """Sign in through the form."""
        self.page.goto("/admin/login")
        self.page.get_by_label("E-mail address").fill(f"{self.first_name}@desk.example")
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")
        expect(self.page.locator("#menu")).to_contain_text("Sign out")

    def sign_out(self) -> None:
        """Sign out with the button in the menu."""
        self.page.locator("#menu").get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_label("Password")).to_be_visible()

    def go(self, path: str) -> int:
        """Open an address; its status."""
        answer = self.page.goto(path)
        assert answer is not None
        return answer.status

    def open(self, ticket: Ticket) -> None:
        """Open a ticket's page."""
        assert self.go(f"/admin/ticket/details/{ticket.id}") == 200

    def edit(self, ticket: Ticket) -> None:
        """Open a ticket's edit form."""
        assert self.go(f"/admin/ticket/edit/{ticket.id}") == 200

    def follow(self, name: str) -> None:
        """Click a link of the page."""
        self.main.get_by_role("link", name=name, exact=True).first.click()

    def fill(self, label: str, text: str) -> None:
        """Type into a field."""
        self.main.get_by_label(label, exact=True).fill(text)

    def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        self.main.get_by_label(label, exact=True).select_option(label=option)

    def press(self, name: str) -> None:
        """Press a button of the page."""
        self.main.get_by_role("button", name=name, exact=True).click()

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something that is not on the page."""
        for _ in range(PATIENCE // LOOKS_EVERY):
            if condition():
                return
            self.page.wait_for_timeout(LOOKS_EVERY)
        raise AssertionError("it never came true")

    def sees(self, *texts: str) -> None:
        """All of these are on the page."""
        for text in texts:
            expect(self.main).to_contain_text(text)

    def does_not_see(self, *texts: str) -> None:
        """None of these is on the page."""
        for text in texts:
            expect(self.main).not_to_contain_text(text)
