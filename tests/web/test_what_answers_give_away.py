"""What an answer tells: its type, the way out, and nothing that belongs to the house or to a sign-in."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from admin_app.models import Comment
from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN, Visitor, links_on
from tests.web.routes import every_address
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]
TEXTS = ("text/", "application/json", "image/svg")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """No database takes part in what is asked here."""
    return sqlite_url


@pytest.fixture
async def pages(app: Starlette, desk: Desk, scene: Scene, visit: Visit) -> list[httpx.Response]:
    """Every address, looked at by somebody who may look."""
    ada = await visit("ada")
    return [await ada.get(address.path) for address in every_address(app, desk, scene)]


def is_page(answer: httpx.Response) -> bool:
    """Whether a person reads this answer in the desk's own frame."""
    return answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")


class TestEveryAnswer:
    async def test_it_says_what_it_is(self, pages: list[httpx.Response]) -> None:
        for answer in pages:
            kind = answer.headers.get("content-type", "")
            assert kind or not answer.content, answer.request.url
            if kind.startswith("text/"):
                assert "charset=utf-8" in kind, answer.request.url
            if kind.startswith("text/html"):
                assert answer.text.lstrip().lower().startswith("<!doctype html>"), answer.request.url
            if kind.startswith("application/json"):
                answer.json()
        assert sum(map(is_page, pages)) > 25

    async def test_every_page_offers_to_sign_out(self, pages: list[httpx.Response]) -> None:
        without = [
            str(answer.request.url) for answer in pages if is_page(answer) and "/admin/logout" not in answer.text
        ]
        assert [url for url in without if not url.endswith("/admin/login")] == []

    async def test_no_secret_is_in_an_address(self, pages: list[httpx.Response], visit: Visit) -> None:
        ada = await visit("ada")
        secrets = [*ada.client.cookies.values(), await ada.token()]
        assert all(len(secret) > 20 for secret in secrets)
        addresses = [address for answer in pages for address in links_on(answer)]
        addresses += [answer.headers["location"] for answer in pages if "location" in answer.headers]
        assert len(addresses) > 100
        assert [address for address in addresses if "token=" in address or any(s in address for s in secrets)] == []


class TestFiles:
    @pytest.mark.parametrize(
        "path",
        [
            "/.git/config",
            "/admin/.git/config",
            "/pyproject.toml",
            "/config/default.toml",
            "/admin/assets/../guard.py",
            "/admin/assets/%2e%2e/guard.py",
            "/admin/assets/..%2fguard.py",
            "/admin/assets/%2e%2e%2f%2e%2e%2fsettings.py",
            "/admin/statics/../../../pyproject.toml",
            "/admin/assets/",
            "/admin/statics/",
            "/admin/statics/css/tabler.min.css",
            "/docs",
            "/openapi.json",
        ],
    )
    async def test_no_file_of_the_house_is_served_and_no_folder_listed(self, window: Any, path: str) -> None:
        answer = await window().client.get(path)
        assert answer.status_code == 404
        assert "tabler" not in answer.text or "<html" in answer.text

    async def test_what_is_meant_to_be_served_is(self, window: Any) -> None:
        """The negative control."""
        assert (await window().client.get("/admin/assets/desk.css")).status_code == 200


class TestTrace:
    async def test_nothing_is_echoed(self, visit: Visit) -> None:
        ada = await visit("ada")
        for path in ("/", "/admin/", "/admin/ticket/list", "/admin/assets/desk.css"):
            answer = await ada.client.request("TRACE", path, headers={"X-Echo": "say-this-again"})
            assert answer.status_code in {404, 405}, path
            assert "say-this-again" not in answer.text + str(answer.headers)


class TestSentTwice:
    async def test_a_field_in_the_address_is_no_field_of_the_form(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        before = len(await desk.rows(Comment))
        token = await sam.token()
        path = f"/admin/ticket/comment/{scene.ticket.id}"
        answer = await sam.client.post(f"{path}?form_token={token}", data={"body": "x"}, headers={"Origin": ORIGIN})
        assert answer.status_code == 403
        answer = await sam.post(f"{path}?body=from+the+address")
        assert answer.status_code == 422
        assert len(await desk.rows(Comment)) == before

    async def test_one_value_counts_for_check_and_work_alike(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        content = f"form_token={await sam.token()}&body=one&body=two&form_token=wrong"
        headers = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
        path = f"/admin/ticket/comment/{scene.ticket.id}"
        before = len(await desk.rows(Comment))
        assert (await sam.client.post(path, content=content, headers=headers)).status_code == 403
        assert len(await desk.rows(Comment)) == before

    async def test_a_filter_sent_twice_is_no_error_of_ours(self, visit: Visit) -> None:
        answer = await (await visit("sam")).get("/admin/ticket/list?status=open&status=closed&page=1&page=2")
        assert answer.status_code in {200, 400, 404}
