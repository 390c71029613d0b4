"""After signing in, people land on a page of ours, whatever an address on another site asked for."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from admin_app.web.sign_in import HOME_PATH, own_path
from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN
from tests.web.conftest import PASSWORD

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "@evil.example",
    ".evil.example",
    ":80@evil.example/",
    "%2f%2fevil.example",
    "/%2f/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\r\nLocation: https://evil.example",
    "/admin/\r\nSet-Cookie: desk_session=x",
    "/admin/\\..\\..\\\\evil.example",
    "/admin\\/evil.example",
    "/admin/\u2028//evil.example",
    "//127.0.0.1@evil.example/admin/",
    "///admin/",
    "/ADMIN/",
    "/",
    "",
]
PARTS = st.sampled_from(
    ["/", "\\", "//", "admin", "/admin/", "..", "%2f", "%5c", "@", ":", "?", "#", "\t", "\n", "evil.example"]
)


def where_a_browser_goes(path: str) -> str:
    """The origin, by the rules of browsers: they drop control characters and take backslashes for slashes."""
    heard = "".join(character for character in path if character not in "\t\r\n").strip().replace("\\", "/")
    parts = urlsplit(urljoin(f"{ORIGIN}/admin/login", heard))
    return f"{parts.scheme}://{parts.netloc}"


class TestOwnPath:
    @given(st.lists(PARTS, max_size=8).map("".join) | st.text(max_size=30))
    @example("/admin/..//evil.example")
    @example("/admin/?next=//evil.example")
    def test_it_never_leads_elsewhere(self, path: str) -> None:
        for wanted in (path, f"{HOME_PATH}{path}"):
            found = own_path(wanted)
            assert found.startswith(HOME_PATH)
            assert found.isprintable()
            assert where_a_browser_goes(found) == ORIGIN

    @pytest.mark.parametrize("path", ELSEWHERE)
    def test_what_is_no_page_of_ours_becomes_the_dashboard(self, path: str) -> None:
        assert own_path(path) == HOME_PATH

    @pytest.mark.parametrize("path", ["/admin/ticket/details/7", "/admin/ticket/list?search=a%2Fb&page=2", "/admin/"])
    def test_our_own_pages_stay(self, path: str) -> None:
        assert own_path(path) == path

    def test_the_measure_would_notice(self) -> None:
        """The control: most of the list leads elsewhere when nobody looks."""
        assert sum(where_a_browser_goes(path) != ORIGIN for path in ELSEWHERE) >= 12


class TestThroughTheForm:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """No database has a say in this."""
        return sqlite_url

    async def test_signing_in_leads_to_a_page_of_ours(self, desk: Desk, window: Callable[..., Any]) -> None:
        for path in ELSEWHERE[:8]:
            visitor = window()
            form = await visitor.form_at(f"/admin/login?next={quote(path, safe='')}")
            assert form.fields["next"] == HOME_PATH
            answer = await visitor.submit(form, username="sam@desk.example", password=PASSWORD, next=path)
            assert (answer.status_code, answer.headers["location"]) == (303, HOME_PATH)

    async def test_asking_for_an_address_of_elsewhere_does_not_either(self, window: Callable[..., Any]) -> None:
        for path in ("//evil.example", "/admin//evil.example/..", "/admin/%5c%5cevil.example", "/%09/evil.example"):
            answer = await window().client.get(f"{ORIGIN}{path}")
            assert where_a_browser_goes(answer.headers.get("location", "/")) == ORIGIN
