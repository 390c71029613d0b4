"""Sam, signed in at three desks, ends one sign-in, then all others, and changes his password."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from admin_app.models import ExternalIdentity
from tests.flows.looking import Complaints, hard_to_read, too_wide
from tests.flows.people import Person
from tests.flows.stage import PASSWORD
from tests.flows.test_every_page_in_both_themes_and_widths import Look, keep_picture, switch_theme, window_of

pytestmark = pytest.mark.browser

NEW_PASSWORD = "a kettle, a cup and a spoon"
CORNER = "#menu .desk-person a"


def looks_well(person: Person, name: str, complaints: Complaints) -> None:
    """Wide and narrow, light and dark."""
    for width in (390, 1280):
        person.page.set_viewport_size({"width": width, "height": 844})
        for theme in ("light", "dark"):
            look = Look(width, theme)
            keep_picture(person.page, look, name)
            assert (too_wide(person.page), hard_to_read(person.page), complaints.taken()) == ([], [], []), look
            switch_theme(person.page)
    person.page.set_viewport_size({"width": 1280, "height": 844})


def is_out(person: Person) -> None:
    """The very next click leads to the sign-in page."""
    person.page.goto("/admin/ticket/list")
    expect(person.page.get_by_label("Password")).to_be_visible()


class TestTheStory:
    def test_of_somebody_at_three_desks(self, enter, stage) -> None:
        sam, second, third = (enter("sam", anew=True, **window_of(Look(1280, "light"))) for _ in range(3))
        complaints = Complaints(sam.page)
        link = ExternalIdentity(user_id=stage.cast.sam.id, issuer="https://login.example", subject="sam-4711")

        async def store(session) -> None:
            session.add(link)

        stage.run(store)
        sam.page.locator(CORNER, has_text="My sign-ins").click()
        expect(sam.heading).to_have_text("My sign-ins")
        expect(sam.main.locator("[data-sign-in]")).to_have_count(3)
        expect(sam.main.locator("[data-sign-in]", has_text="This one").get_by_role("button")).to_have_count(0)
        looks_well(sam, "my-sign-ins", complaints)

        sam.main.get_by_role("button", name="End this", exact=True).first.click()
        sam.sees("That sign-in is ended.")
        is_out(third)
        sam.press("End all others")
        sam.sees("All your other sign-ins are ended.")
        is_out(second)
        sam.press("Unlink")
        sam.sees("That link to single sign-on is gone")

        self.changes_the_password(sam, enter("sam", anew=True), complaints)
        self.leaves_every_tab(sam)

    def leaves_every_tab(self, sam: Person) -> None:
        """Whoever comes to this machine afterwards reads nothing in a tab that was left open, nor by going back."""
        tab = sam.page.context.new_page()
        tab.goto("/admin/ticket/list")
        sam.page.bring_to_front()
        sam.sign_out()
        expect(tab.get_by_label("Password")).to_be_visible()
        sam.page.go_back()
        expect(sam.page.get_by_label("Password")).to_be_visible()
        tab.close()

    def changes_the_password(self, sam: Person, other: Person, complaints: Complaints) -> None:
        """The present one is asked for; the other sign-in ends, and only the new one opens the desk."""
        sam.page.locator(CORNER, has_text="Password").click()
        expect(sam.heading).to_have_text("Change password")
        assert complaints.taken() == []
        sam.fill("Present password", "a wrong guess")
        sam.fill("New password", NEW_PASSWORD)
        sam.press("Change password")
        sam.sees("This is not your present password.")
        complaints.taken()  # the browser tells of the refusal
        sam.fill("Present password", PASSWORD)
        sam.fill("New password", NEW_PASSWORD)
        sam.press("Change password")
        sam.sees("Your password is changed; your other sign-ins are ended.")
        is_out(other)
        other.page.get_by_label("E-mail address").fill("sam@desk.example")
        other.page.get_by_label("Password").fill(PASSWORD)
        other.press("Sign in")
        expect(other.main.get_by_role("alert")).to_contain_text("do not open an account")
        other.sign_in(NEW_PASSWORD)

    def test_the_corner_of_a_narrow_window(self, enter) -> None:
        """Three links beside a name: each can be touched, and none hides another."""
        ada = enter("ada", **window_of(Look(390, "dark")))
        ada.page.get_by_role("button", name="Menu", exact=True).click()
        links = ada.page.locator(CORNER)
        expect(links.last).to_be_visible()
        ada.page.wait_for_timeout(400)  # the menu unfolds
        keep_picture(ada.page, Look(390, "dark"), "corner")
        boxes = [link.bounding_box() for link in links.all()]
        assert len(boxes) == 3
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes), boxes
        apart = [a["x"] + a["width"] <= b["x"] or a["y"] + a["height"] <= b["y"] for a, b in pairwise(boxes)]
        assert all(apart), boxes
        assert too_wide(ada.page) == []
