"""The door: what comes from elsewhere, what is too large and what is no form stays outside."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import ORIGIN, Visitor, text_of
from tests.web.posts import SIGN_IN, Post, every_post
from tests.web.routes import post_addresses
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]

FORM = "application/x-www-form-urlencoded"

BROKEN_ORIGINS = {
    "no origin": {},
    "another site": {"Origin": "https://evil.example"},
    "no site at all": {"Origin": "null"},
    "another port": {"Origin": "http://127.0.0.1:81"},
    "a longer name": {"Origin": "http://127.0.0.1.evil.example"},
    "our name in front": {"Origin": "http://127.0.0.1@evil.example"},
    "another scheme": {"Origin": "file://127.0.0.1"},
    "half an address": {"Origin": "http://[::1"},
    "sent by another site": {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    "sent by a neighbour": {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    "typed into the address bar": {"Origin": ORIGIN, "Sec-Fetch-Site": "none"},
}


async def refused_everywhere(
    visitor: Visitor, desk: Desk, posts: list[Post], headers: dict[str, str], hidden: dict[str, str]
) -> None:
    """Every form is answered with 403 and none of them changes a row."""
    async with desk.nothing_written():
        for post in posts:
            data = {**await post.data(desk), **hidden}
            answer = await visitor.client.post(post.path, data=data, files=post.files, headers=headers)
            assert answer.status_code == 403, f"{post.path}: {answer.status_code}"


class TestUnsafeRoutes:
    async def test_every_route_that_changes_something_is_tried_here(
        self, app: Starlette, desk: Desk, scene: Scene
    ) -> None:
        known = {post.template for post in every_post(desk, scene)} | {SIGN_IN}
        assert {address.template for address in post_addresses(app, desk, scene)} == known

    async def test_a_form_from_our_own_pages_passes(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        """The control: what is refused below is refused for its token or its origin, and for nothing else."""
        ada = await visit("ada")
        statuses = [(post, (await post.send(ada, desk)).status_code) for post in every_post(desk, scene)]
        assert {post.template: status for post, status in statuses if status != post.answers} == {}

    @in_one("headers", BROKEN_ORIGINS.values())
    async def test_a_form_from_elsewhere_is_refused(
        self, desk: Desk, scene: Scene, visit: Visit, headers: dict[str, str]
    ) -> None:
        ada = await visit("ada")
        sign_in = Post(SIGN_IN, SIGN_IN, {"username": "ada@desk.example", "password": "a guess of somebody"})
        hidden = {"form_token": await ada.token()}
        await refused_everywhere(ada, desk, [*every_post(desk, scene), sign_in], headers, hidden)

    @pytest.mark.parametrize("token", [None, "", "x", "ünïcode", "a" * 5000], ids=["none", "empty", "x", "odd", "long"])
    async def test_a_form_without_a_good_token_is_refused(
        self, desk: Desk, scene: Scene, visit: Visit, token: str | None
    ) -> None:
        hidden = {} if token is None else {"form_token": token}
        await refused_everywhere(await visit("ada"), desk, every_post(desk, scene), {"Origin": ORIGIN}, hidden)

    async def test_a_form_with_the_token_of_somebody_else_is_refused(
        self, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        hidden = {"form_token": await (await visit("sam")).token()}
        await refused_everywhere(await visit("ada"), desk, every_post(desk, scene), {"Origin": ORIGIN}, hidden)

    async def test_a_refusal_is_in_the_log_without_the_token(
        self, desk: Desk, scene: Scene, visit: Visit, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The token may be a good one that is sent from elsewhere."""
        ada, path = await visit("ada"), f"/admin/ticket/comment/{scene.ticket.id}"
        good, stale = await ada.token(), "a token of an earlier sign-in"
        async with desk.nothing_written():
            for token, headers in ((good, {"Origin": "https://evil.example"}), (stale, {"Origin": ORIGIN})):
                await ada.client.post(path, data={"body": "x", "form_token": token}, headers=headers)
        told = [vars(record) for record in caplog.records if getattr(record, "event", "") == "web.guard"]
        assert [(one["method"], one["route"]) for one in told] == [("POST", "/admin/ticket/comment/{pk}")] * 2
        assert ["did not come from" in one["reason"] for one in told] == [True, False]
        assert len({one["request_id"] for one in told}) == 2
        assert [text for text in (good, stale) if text in repr(told)] == []

    async def test_a_form_with_the_token_of_an_earlier_sign_in_is_refused(
        self, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        hidden = {"form_token": await (await visit("ada")).token()}
        await refused_everywhere(await visit("ada"), desk, every_post(desk, scene), {"Origin": ORIGIN}, hidden)

    async def test_nobody_signed_in_can_send_a_form(self, desk: Desk, scene: Scene, window: Any, visit: Visit) -> None:
        hidden = {"form_token": await (await visit("ada")).token()}
        await refused_everywhere(window(), desk, every_post(desk, scene), {"Origin": ORIGIN}, hidden)

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "CONNECT", "MADE-UP"])
    async def test_other_methods_are_no_way_around(self, desk: Desk, scene: Scene, visit: Visit, method: str) -> None:
        ada = await visit("ada")
        async with desk.nothing_written():
            for post in every_post(desk, scene):
                answer = await ada.client.request(method, post.path)
                assert answer.status_code == 405, f"{method} {post.path}"

    async def test_what_was_typed_is_still_there(self, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        typed = {"body": "a long answer that nobody types twice", "form_token": "of an earlier sign-in"}
        answer = await sam.client.post(
            f"/admin/ticket/comment/{scene.ticket.id}", data=typed, headers={"Origin": ORIGIN}
        )
        assert answer.status_code == 403
        assert "a long answer that nobody types twice" in text_of(answer)
        assert "This form is no longer valid" in text_of(answer)


class TestHttps:
    async def test_a_form_from_the_plain_twin_is_refused(self, visit: Visit) -> None:
        sam = await visit("sam")
        sam.client.base_url = "https://127.0.0.1"
        answer = await sam.client.post("/admin/login", data={}, headers={"Origin": ORIGIN})
        assert answer.status_code == 403

    async def test_the_plain_cookie_does_not_count_and_the_page_insists_on_https(self, visit: Visit) -> None:
        sam = await visit("sam")
        assert (await sam.get("/admin/ticket/list")).status_code == 200
        sam.client.base_url = "https://127.0.0.1"
        answer = await sam.get("/admin/ticket/list")
        assert answer.headers["location"].startswith("/admin/login")
        assert "max-age=" in answer.headers["strict-transport-security"]


FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="log.txt"\r\n\r\n'


async def in_pieces(total: int, start: bytes = b"body=", end: bytes = b"") -> AsyncIterator[bytes]:
    """A body that never says how long it is."""
    yield start
    for _ in range(total // 1024):
        yield b"x" * 1024
    yield end


class TestBody:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """Small limits, so that the tests can be small."""
        return {"max_form_bytes": 20_000, "max_attachment_bytes": 50_000}

    @pytest.fixture
    async def sent(self, scene: Scene, visit: Visit) -> Callable[..., Awaitable[httpx.Response]]:
        """Sends a body to the comment form as it is."""
        sam = await visit("sam")

        async def send(content: Any, content_type: str = FORM, **headers: Any) -> httpx.Response:
            sent = {"Origin": ORIGIN, "Content-Type": content_type, **headers}
            path = f"/admin/ticket/comment/{scene.ticket.id}"
            return await sam.client.post(path, content=content, headers=sent)

        return send

    @pytest.fixture(autouse=True)
    async def unchanged(self, desk: Desk, scene: Scene, sent: Any) -> AsyncIterator[None]:
        """None of these bodies changes anything."""
        async with desk.nothing_written():
            yield

    async def test_a_body_that_says_it_is_too_large_is_refused_unread(self, sent: Any) -> None:
        async def unread() -> AsyncIterator[bytes]:
            raise AssertionError("nobody should have read this")
            yield b""

        for declared in ("20001", "9" * 30, "9" * 6000):
            answer = await sent(unread(), **{"Content-Length": declared})
            assert answer.status_code == 413
            assert "This form is too large." in text_of(answer)

    async def test_a_body_that_does_not_say_so_is_stopped_at_the_limit(self, sent: Any) -> None:
        assert (await sent(in_pieces(40_000))).status_code == 413

    async def test_a_file_may_be_larger_than_a_form_but_not_without_end(self, sent: Any) -> None:
        multipart = "multipart/form-data; boundary=b"
        assert (await sent(in_pieces(40_000, FILE, b"\r\n--b--\r\n"), multipart)).status_code == 403
        assert (await sent(in_pieces(200_000, FILE), multipart)).status_code == 413

    async def test_a_body_within_the_limit_is_read(self, sent: Any) -> None:
        """The control: it fails for its token only."""
        assert (await sent(in_pieces(10_000))).status_code == 403

    async def test_more_fields_than_any_form_has_are_refused(self, sent: Any) -> None:
        assert (await sent("&".join(f"f{number}=1" for number in range(201)).encode())).status_code == 400
        assert (await sent("&".join(f"f{number}=1" for number in range(200)).encode())).status_code == 403

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"no boundary at all", "multipart/form-data"),
            (b"--b\r\nbroken", "multipart/form-data; boundary=x"),
            (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
            (
                b'--b\r\nContent-Disposition: form-data; name="a"; filename="1"\r\n\r\nx\r\n'
                b'--b\r\nContent-Disposition: form-data; name="b"; filename="2"\r\n\r\nx\r\n--b--\r\n',
                "multipart/form-data; boundary=b",
            ),
            (
                b'--b\r\nContent-Disposition: form-data; name="body"\r\n\r\n+2AA-\r\n--b--\r\n',
                "multipart/form-data; boundary=b; charset=utf-7",
            ),
        ],
        ids=["no boundary", "another boundary", "no name", "two files", "half a character"],
    )
    async def test_a_form_that_cannot_be_read_is_refused(self, sent: Any, body: bytes, content_type: str) -> None:
        answer = await sent(body, content_type)
        assert answer.status_code == 400, text_of(answer)
        assert "This form could not be read." in text_of(answer)

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "multipart/mixed; boundary=b"])
    async def test_what_is_no_form_carries_no_token(self, sent: Any, content_type: str) -> None:
        assert (await sent(b'{"body": "hello"}', content_type)).status_code == 403

    async def test_a_length_that_is_no_number_does_not_matter(self, sent: Any) -> None:
        assert (await sent(b"body=x", **{"Content-Length": "²".encode("latin-1")})).status_code == 403


class TestSecurityHeaders:
    EXPECTED = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }

    def check(self, answer: httpx.Response, *, stored: bool = False) -> None:
        """Every header of the policy is there, once."""
        for name, value in self.EXPECTED.items():
            assert answer.headers.get_list(name) == [value], f"{answer.request.url}: {name}"
        [policy] = answer.headers.get_list("content-security-policy")
        assert "unsafe" not in policy
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; "))
        assert answer.headers["cache-control"] == ("public, no-cache" if stored else "no-store")
        assert "server" not in answer.headers

    async def test_every_kind_of_answer_has_them(self, scene: Scene, visit: Visit) -> None:
        olaf, sam = await visit("olaf"), await visit("sam")
        expected = {
            "/admin/ticket/list": 200,
            "/admin/login": 200,
            "/": 302,
            f"/admin/ticket/attachment/{scene.attachment.id}": 200,
            "/admin/user/ajax/lookup": 404,
            "/admin/ticket/ajax/lookup?name=owner&term=s": 200,
            "/admin/ticket/details/999": 404,
            "/nowhere": 404,
            "/admin/nowhere": 404,
            "/admin/assets/nothing.js": 404,
            "/admin/trash/list": 403,
            "/admin/logout": 405,
            f"/admin/ticket/details/{scene.deleted.id}": 410,
            "/health/live": 200,
            "/metrics": 200,
        }
        for path, status in expected.items():
            answer = await sam.get(path)
            assert answer.status_code == status, path
            self.check(answer)
        self.check(await olaf.get("/admin/pool"))

    async def test_assets_may_be_kept_by_the_browser(self, window: Any) -> None:
        for path in ("/admin/assets/desk.js", "/admin/assets/tabler.min.css"):
            answer = await window().get(path)
            assert answer.status_code == 200
            self.check(answer, stored=True)

    async def test_an_unknown_host_is_refused_with_them(self, window: Any) -> None:
        answer = await window().get("/admin/login", headers={"Host": "evil.example"})
        assert answer.status_code == 400
        self.check(answer)

    async def test_a_failure_has_them(self, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
        async def fail(*args: Any, **options: Any) -> None:
            raise RuntimeError("nobody foresaw this")

        monkeypatch.setattr("admin_app.services.pages.dashboard.summary", fail)
        answer = await (await visit("sam")).get("/admin/")
        assert answer.status_code == 500
        self.check(answer)


class TestCookies:
    async def test_a_message_for_the_next_page_is_out_of_reach_of_scripts(self, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        answer = await sam.post(f"/admin/ticket/comment/{scene.ticket.id}", {"body": "Hello."})
        [cookie] = answer.headers.get_list("set-cookie")
        assert cookie.startswith("desk_message=")
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=60"} <= set(cookie.split("; "))
