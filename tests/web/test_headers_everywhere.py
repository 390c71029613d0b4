"""S-07: every answer of every route, errors too, has the headers that keep a browser on our side."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN, Visitor
from tests.web.headers import EXACTLY, NOT_STORED, ONE_YEAR, POLICY, faults_in
from tests.web.routes import ASSETS, every_address
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]
METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE", "MADE-UP")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Headers are set far from any database: one of them is enough."""
    return sqlite_url


def faults_of(answer: httpx.Response) -> list[str]:
    """What is wrong with the headers of this answer."""
    headers = {name.lower(): answer.headers.get_list(name) for name in answer.headers}
    path, is_https = answer.request.url.path, answer.request.url.scheme == "https"
    is_asset = path.startswith(tuple(f"{folder}/" for folder in ASSETS)) and answer.status_code == 200
    return faults_in(headers, is_asset=is_asset, is_https=is_https)


class TestEveryAddress:
    async def test_every_method_signed_in_or_not(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit, window: Any
    ) -> None:
        addresses, faults, statuses = every_address(app, desk, scene), {}, set()
        for visitor in (window(), await visit("ada")):
            for address in addresses:
                for method in METHODS:
                    answer = await visitor.client.request(method, address.path)
                    statuses.add(answer.status_code)
                    if faults_of(answer):
                        faults[f"{method} {address.path} {answer.status_code}"] = faults_of(answer)
        assert faults == {}
        assert {200, 302, 403, 404, 405} <= statuses, "else this has not seen much"

    async def test_answers_to_good_forms(self, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        answer = await sam.post(f"/admin/ticket/comment/{scene.ticket.id}", {"body": "Hello."})
        assert (answer.status_code, faults_of(answer)) == (303, [])

    async def test_over_https_too(self, app: Starlette, window: Any) -> None:
        visitor = window()
        for path in ("/", "/admin/login", "/admin/nowhere", "/health/live", "/admin/assets/desk.js"):
            answer = await visitor.client.get(f"https://127.0.0.1{path}")
            assert faults_of(answer) == [], path


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "asked"),
        [
            (400, {"url": "/admin/login", "headers": {"Host": "evil.example"}}),
            (404, {"url": "/nowhere"}),
            (404, {"url": "/admin/assets/../../settings.py"}),
            (404, {"url": "/admin/assets/nothing.js"}),
            (405, {"url": "/admin/logout"}),
            (
                413,
                {"method": "POST", "url": "/admin/login", "content": b"x" * 2_000_000, "headers": {"Origin": ORIGIN}},
            ),
            (414, {"url": f"/{'x' * 3000}"}),
            (414, {"url": f"/admin/ticket/list?search={'x' * 20_000}"}),
            (431, {"url": "/admin/login", "headers": {"Cookie": "x" * 9000}}),
            (431, {"url": "/admin/login", "headers": {"X-Long": "x" * 40_000}}),
            (431, {"url": "/admin/login", "headers": {f"X-{number}": "x" for number in range(101)}}),
        ],
        ids=lambda value: str(value)[:40],
    )
    async def test_what_is_refused(self, window: Any, status: int, asked: dict[str, Any]) -> None:
        answer = await window().client.request(**{"method": "GET", **asked})
        assert (answer.status_code, faults_of(answer)) == (status, [])

    @pytest.fixture
    def failing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody foresaw this, and the error page fails as well."""

        async def fail(*args: Any, **options: Any) -> None:
            raise RuntimeError("nobody foresaw this")

        monkeypatch.setattr("admin_app.services.pages.dashboard.summary", fail)
        monkeypatch.setattr("admin_app.web.errors.error_page", fail)

    async def test_a_failure_of_the_error_page_itself(self, failing: None, visit: Visit) -> None:
        answer = await (await visit("sam")).get("/admin/")
        assert (answer.status_code, faults_of(answer)) == (500, [])

    async def test_a_desk_without_a_database(self, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
        from admin_app.db.database import Database
        from admin_app.errors import Unavailable

        async def refuse(*args: Any, **options: Any) -> None:
            raise Unavailable

        sam = await visit("sam")
        for way in ("read", "look_up", "run"):
            monkeypatch.setattr(Database, way, refuse)
        answer = await sam.get("/admin/ticket/list")
        assert (answer.status_code, faults_of(answer)) == (503, [])


class TestControl:
    """The check itself fails when anything is missing."""

    GOOD = {
        **{name: [value] for name, value in EXACTLY.items()},
        "cache-control": [NOT_STORED],
        "content-security-policy": ["; ".join(f"{part} {value}" for part, value in POLICY.items())],
        "permissions-policy": ["camera=(), geolocation=(), microphone=(), payment=(), usb=()"],
    }

    def test_good_headers_pass(self) -> None:
        assert faults_in(self.GOOD) == []

    @pytest.mark.parametrize("name", GOOD)
    def test_a_header_that_is_missing_or_weak_is_found(self, name: str) -> None:
        assert faults_in({key: value for key, value in self.GOOD.items() if key != name}) != []
        assert faults_in({**self.GOOD, name: ["public, script-src 'unsafe-inline'"]}) != []

    @pytest.mark.parametrize("part", POLICY)
    def test_a_policy_without_one_of_its_parts_is_found(self, part: str) -> None:
        weak = "; ".join(f"{name} {value}" for name, value in POLICY.items() if name != part)
        assert faults_in({**self.GOOD, "content-security-policy": [weak]}) == [f"{part} of the policy"]

    def test_a_download_that_is_not_boxed_in_is_found(self) -> None:
        assert "sandbox of the policy" in faults_in({**self.GOOD, "content-disposition": ["attachment; filename=x"]})

    def test_plain_https_and_talkative_servers_are_found(self) -> None:
        assert faults_in(self.GOOD, is_https=True) != []
        assert faults_in({**self.GOOD, "strict-transport-security": ["max-age=31536000"]}, is_https=True) != []
        assert faults_in({**self.GOOD, "strict-transport-security": [ONE_YEAR]}, is_https=True) == []
        assert faults_in({**self.GOOD, "server": ["uvicorn"]}) != []
