"""Sam signs in through the company's provider: button, the provider's own page, and back to the page he wanted."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.flows.looking import Complaints, hard_to_read, too_wide
from tests.flows.people import Person
from tests.flows.test_every_page_in_both_themes_and_widths import LOOKS, Look, keep_picture, window_of
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIDProvider, running

pytestmark = pytest.mark.browser

BUTTON = "Sign in with your company account"


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIDProvider]:
    """Another site: it is called localhost, the desk 127.0.0.1."""
    with running(OpenIDProvider()) as provider:
        yield provider


@pytest.fixture(scope="module")
def server_settings(provider: OpenIDProvider) -> dict[str, object]:
    return {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_button_label": BUTTON,
    }


@pytest.fixture(params=[LOOKS[0], LOOKS[3]], ids=str)
def look(request: pytest.FixtureRequest) -> Look:
    """A wide light window and a narrow dark one."""
    return request.param


def looks_well(person: Person, look: Look, name: str, complaints: Complaints) -> None:
    keep_picture(person.page, look, name)
    assert (too_wide(person.page), hard_to_read(person.page), complaints.taken()) == ([], [], [])


class TestTheStory:
    def test_there_and_back(self, visitor, provider, stage, look) -> None:
        provider.reset()
        provider.knows("sam")
        sam = Person("sam", visitor(**window_of(look)))
        complaints = Complaints(sam.page)
        sam.go("/admin/user/list")
        looks_well(sam, look, "sign-in-with-provider", complaints)
        sam.press(BUTTON)
        sam.page.wait_for_url(f"{provider.issuer}/authorize?**")
        sam.page.get_by_role("button", name="sam").click()
        expect(sam.heading).to_have_text("People")
        assert sam.page.url == stage.server.path("/admin/user/list"), "nothing of the way is left in the address"
        expect(sam.page.locator("#menu")).to_contain_text("Sign out")
        cookies = {cookie["name"]: cookie for cookie in sam.page.context.cookies(stage.server.url)}
        assert "desk_provider" not in cookies
        assert (cookies["desk_session"]["httpOnly"], cookies["desk_session"]["sameSite"]) == (True, "Lax")
        assert complaints.taken() == []

    def test_of_somebody_without_an_account(self, visitor, provider, stage, look) -> None:
        provider.reset()
        provider.knows("stranger")
        stranger = Person("stranger", visitor(**window_of(look)))
        stranger.go("/admin/login")
        stranger.press(BUTTON)
        stranger.page.get_by_role("button", name="stranger").click()
        expect(stranger.main.get_by_role("alert")).to_contain_text("no account of this desk is yours")
        keep_picture(stranger.page, look, "sign-in-refused-by-provider")
        assert (too_wide(stranger.page), hard_to_read(stranger.page)) == ([], [])

    def test_of_a_day_on_which_the_provider_is_down(self, visitor, provider, stage) -> None:
        provider.reset()
        provider.knows("sam")
        provider.fault = "token: error"
        sam = Person("sam", visitor())
        sam.go("/admin/login")
        sam.press(BUTTON)
        sam.page.get_by_role("button", name="sam").click()
        expect(sam.main.get_by_role("alert")).to_contain_text("does not answer right now")
        sam.sign_in()
