"""Plain http is refused in production, and nowhere else."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from admin_app.app import create_app
from admin_app.settings import Settings
from tests.services.scenes import Desk
from tests.web.conftest import PASSWORD
from tests.web.headers import faults_in

HOST = "desk.example"
PLACES = ("/", "/admin/", "/admin/login", "/admin/ticket/list", "/admin/assets/desk.js", "/metrics", "/nowhere")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Whoever is refused here gets nowhere near it."""
    return sqlite_url


@pytest.fixture
async def production(desk: Desk, settings: Settings) -> AsyncIterator[Starlette]:
    """The desk in production, behind a proxy at 10.0.0.1."""
    chosen = {
        **settings.model_dump(),
        "environment": "production",
        "trusted_hosts": (HOST, "127.0.0.1", "localhost", "[::1]"),
        "trusted_proxies": ("10.0.0.1",),
    }
    app = create_app(Settings(**chosen))
    yield app
    await app.state.errors.close()
    await app.state.database.dispose()


async def ask(app: Starlette, url: str, method: str = "GET", *, peer: str = "192.0.2.9", **options) -> httpx.Response:
    """One request from this address."""
    transport = httpx.ASGITransport(app, client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.request(method, url, **options)


class TestHttpsOnly:
    async def test_plain_http_gets_nothing_but_the_way(self, production: Starlette, caplog) -> None:
        with caplog.at_level(logging.WARNING, "admin_app.web"):
            for path in PLACES:
                for method in ("GET", "HEAD", "POST", "DELETE"):
                    answer = await ask(production, f"http://{HOST}:8000{path}", method)
                    assert answer.status_code == 403, (method, path)
                    assert method == "HEAD" or answer.text.strip().endswith(f"only: https://{HOST}/admin/")
                    assert "set-cookie" not in answer.headers
                    headers = {name.lower(): answer.headers.get_list(name) for name in answer.headers}
                    assert faults_in(headers, is_asset=False, is_https=False) == []
        assert [record.message for record in caplog.records if "TRUSTED_PROXIES" in record.message] != []
        assert len(caplog.records) == 1, "once is enough"

    async def test_a_right_password_sent_in_the_clear_opens_nothing(self, production: Starlette, desk: Desk) -> None:
        form = {"username": "sam@desk.example", "password": PASSWORD}
        async with desk.nothing_written():
            answer = await ask(
                production, f"http://{HOST}/admin/login", "POST", data=form, headers={"Origin": f"http://{HOST}"}
            )
        assert answer.status_code == 403
        ours = {"Origin": f"https://{HOST}"}
        answer = await ask(production, f"https://{HOST}/admin/login", "POST", data=form, headers=ours)
        assert answer.status_code == 303
        assert answer.headers["set-cookie"].startswith("__Host-")

    async def test_a_trusted_proxy_says_how_the_client_came(self, production: Starlette) -> None:
        expected = {
            ("10.0.0.1", "https"): 200,
            ("10.0.0.1", "http"): 403,
            ("10.0.0.1", ""): 403,
            ("10.0.0.2", "https"): 403,
        }
        found = {}
        for peer, said in expected:
            headers = {"X-Forwarded-Proto": said}
            answer = await ask(production, f"http://{HOST}/admin/login", peer=peer, headers=headers)
            found[peer, said] = answer.status_code
        assert found == expected

    async def test_this_machine_may_talk_to_itself_and_anybody_ask_for_its_health(self, production: Starlette) -> None:
        for host in ("127.0.0.1", "localhost", "LOCALHOST:8000", "[::1]:8000"):
            assert (await ask(production, f"http://{host}/admin/login")).status_code == 200, host
        for path in ("/health/live", "/health/ready"):
            assert (await ask(production, f"http://{HOST}{path}")).status_code in {200, 503}, path

    async def test_a_host_that_is_not_ours_stays_refused_first(self, production: Starlette) -> None:
        for host in ("localhost.evil.example", "evil.example"):
            assert (await ask(production, f"http://{host}/admin/login")).status_code == 400, host

    async def test_elsewhere_than_in_production_it_is_let_in(self, settings: Settings) -> None:
        app = create_app(settings.model_copy(update={"trusted_hosts": (HOST,)}))
        assert (await ask(app, f"http://{HOST}/admin/login")).status_code == 200
        await app.state.database.dispose()
