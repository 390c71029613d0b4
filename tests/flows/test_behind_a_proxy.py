"""A served desk behind a proxy knows who is asking and how; without one it believes nobody. Over real sockets."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from admin_app.models import AuditLog, UserSession
from tests.flows.serving import Server, serving
from tests.flows.stage import PASSWORD, Stage

CLIENT = "203.0.113.7"
AS_A_PROXY_SAYS = {"X-Forwarded-For": f"198.51.100.1, {CLIENT}", "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def server_settings() -> dict[str, object]:
    """This machine is the proxy."""
    return {"trusted_proxies": "127.0.0.1"}


@pytest.fixture(scope="module")
def unproxied(database_url: str, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same desk with nothing in front of it."""
    with serving(database_url, tmp_path_factory.mktemp("unproxied")) as server:
        yield server


def sign_in(server: Server, scheme: str, **headers: str) -> httpx.Response:
    """Sam signs in; what comes back."""
    ours = {"Origin": server.url.replace("http:", f"{scheme}:"), "Sec-Fetch-Site": "same-origin"}
    typed = {"username": "sam@desk.example", "password": PASSWORD}
    return httpx.post(server.path("/admin/login"), data=typed, headers={**ours, **headers})


def newest_addresses(stage: Stage) -> tuple[str | None, str | None]:
    """Where the newest sign-in came from, as the session and as the audit log have it."""

    async def look(session: object) -> tuple[str | None, str | None]:
        found = [
            await session.scalar(select(model.ip).order_by(model.id.desc()).limit(1))  # type: ignore[attr-defined]
            for model in (UserSession, AuditLog)
        ]
        return found[0], found[1]

    return stage.run(look)


class TestBehindATrustedProxy:
    def test_the_sign_in_is_the_clients_and_its_cookie_is_secure(self, stage: Stage) -> None:
        answer = sign_in(stage.server, "https", **AS_A_PROXY_SAYS)
        assert answer.status_code == 303
        assert newest_addresses(stage) == (CLIENT, CLIENT)
        assert answer.headers["set-cookie"].startswith("__Host-desk_session=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
        assert "max-age=" in answer.headers["strict-transport-security"]

    def test_a_form_from_the_plain_twin_is_refused(self, stage: Stage) -> None:
        assert sign_in(stage.server, "http", **AS_A_PROXY_SAYS).status_code == 403

    def test_its_own_checks_are_its_own(self, stage: Stage) -> None:
        assert sign_in(stage.server, "http").status_code == 303
        assert newest_addresses(stage) == ("127.0.0.1", "127.0.0.1")

    def test_what_it_passes_on_does_not_read_the_figures(self, stage: Stage) -> None:
        assert httpx.get(stage.server.path("/metrics"), headers=AS_A_PROXY_SAYS).status_code == 403
        spoofed = {"X-Forwarded-For": "127.0.0.1"}
        assert httpx.get(stage.server.path("/metrics"), headers=spoofed).status_code == 403


class TestWithoutAProxy:
    def test_claims_are_ignored(self, stage: Stage, unproxied: Server) -> None:
        answer = sign_in(unproxied, "http", **AS_A_PROXY_SAYS)
        assert answer.status_code == 303
        assert newest_addresses(stage) == ("127.0.0.1", "127.0.0.1")
        assert answer.headers["set-cookie"].startswith("desk_session=")
        assert "strict-transport-security" not in answer.headers
