"""Ada connects an app, signs in with its code and with a recovery code, and is asked again before she purges."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from admin_app import clock
from admin_app.models import SecondFactor, UserSession
from admin_app.services.operations import tickets
from tests.flows.looking import Complaints, hard_to_read, too_wide
from tests.flows.people import Person
from tests.flows.stage import PASSWORD, Stage
from tests.flows.test_every_page_in_both_themes_and_widths import LOOKS, Look, keep_picture, window_of
from tests.support.second_factors import code

pytestmark = pytest.mark.browser


@pytest.fixture(params=[LOOKS[0], LOOKS[3]], ids=str)
def look(request: pytest.FixtureRequest) -> Look:
    """A wide light window and a narrow dark one."""
    return request.param


def unused(stage: Stage) -> None:
    """As if half a minute had gone by: the app shows a code that nobody has used."""
    stage.run(lambda session: session.execute(update(SecondFactor).values(last_used_step=0)))


def an_hour_later(stage: Stage) -> None:
    """The last confirmation lies far back."""
    before = clock.now() - timedelta(hours=1)
    stage.run(lambda session: session.execute(update(UserSession).values(stepped_up_at=before)))


def looks_well(person: Person, look: Look, name: str, complaints: Complaints) -> None:
    keep_picture(person.page, look, name)
    assert (too_wide(person.page), hard_to_read(person.page), complaints.taken()) == ([], [], [])


def type_password(person: Person) -> None:
    person.page.goto("/admin/login")
    person.page.get_by_label("E-mail address").fill(f"{person.first_name}@desk.example")
    person.page.get_by_label("Password").fill(PASSWORD)
    person.press("Sign in")
    expect(person.heading).to_have_text("One more step")


def set_up(person: Person, look: Look, complaints: Complaints) -> tuple[str, list[str]]:
    """Connect the app; its secret, and the recovery codes."""
    person.go("/admin/")
    expect(person.page.locator("#menu a[href='/admin/second-factor']")).to_have_text("Second factor")
    person.go("/admin/second-factor")
    looks_well(person, look, "second-factor-none", complaints)
    person.press("Set up")
    picture = person.main.get_by_role("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100"), "the policy lets the picture in"
    looks_well(person, look, "second-factor-set-up", complaints)
    secret = (person.main.locator("[data-key]").text_content() or "").replace(" ", "")
    person.fill("Code", code(secret))
    person.press("Turn on")
    expect(person.heading).to_have_text("Recovery codes")
    looks_well(person, look, "second-factor-recovery-codes", complaints)
    codes = person.main.locator("ol code").all_text_contents()
    person.follow("I have kept them")
    person.sees("10 left")
    looks_well(person, look, "second-factor-on", complaints)
    return secret, codes


def sign_in_with_code(person: Person, typed: str) -> None:
    type_password(person)
    person.fill("Code", typed)
    person.press("Sign in")
    expect(person.page.locator("#menu")).to_contain_text("Sign out")


def turn_off(person: Person, typed: str) -> None:
    person.go("/admin/second-factor")
    form = person.main.locator("form", has_text="Turn it off")
    form.get_by_label("Code").fill(typed)
    form.get_by_role("button", name="Turn off").click()
    person.sees("Your second factor is off; your other sign-ins are ended.")


def remove_after_confirming(person: Person, stage: Stage, look: Look, typed: str) -> None:
    ticket = stage.ticket("Sent by mistake")
    stage.run(lambda session: tickets.delete(session, stage.cast.sam, ticket.id, reason="a double", version=1))
    an_hour_later(stage)
    person.go(f"/admin/trash/purge/{ticket.id}")
    person.fill(f"Type {ticket.ticket_number} to confirm", ticket.ticket_number)
    person.press("Remove for good")
    expect(person.heading).to_have_text("Is it still you?")
    person.sees(ticket.ticket_number)
    keep_picture(person.page, look, "step-up")
    assert (too_wide(person.page), hard_to_read(person.page)) == ([], [])
    person.fill("Code from your app, or a recovery code", typed)
    person.press("Confirm and go on")
    person.sees(f"{ticket.ticket_number} is gone for good.")


class TestTheStory:
    def test_of_a_second_factor(self, enter, stage, look) -> None:
        ada = enter("ada", anew=True, **window_of(look))
        complaints = Complaints(ada.page)
        secret, codes = set_up(ada, look, complaints)
        ada.page.locator("#menu form[action='/admin/logout'] button").evaluate("button => button.click()")
        expect(ada.page.get_by_label("Password")).to_be_visible()

        unused(stage)
        type_password(ada)
        looks_well(ada, look, "sign-in-code", complaints)
        assert ada.page.goto("/admin/ticket/list").url.endswith("/admin/login?next=/admin/ticket/list")
        sign_in_with_code(ada, code(secret))
        sign_in_with_code(ada, codes[0].upper())
        remove_after_confirming(ada, stage, look, codes[1])
        turn_off(ada, codes[2])

    def test_without_one_the_password_is_asked(self, enter, stage) -> None:
        ada = enter("ada", anew=True)
        an_hour_later(stage)
        ada.go(f"/admin/user/role/{stage.cast.users['olaf']}")
        ada.choose("New role", "Staff")
        ada.press("Change")
        expect(ada.heading).to_have_text("Is it still you?")
        ada.fill("Your password", "a wrong guess")
        ada.press("Confirm and go on")
        ada.sees("This is not right.")
        ada.fill("Your password", PASSWORD)
        ada.press("Confirm and go on")
        ada.sees("The role of Olaf Ops is changed.")
