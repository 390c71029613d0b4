"""A desk beside a provider that is really there, and people who go through it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from admin_app.models import UserSession
from admin_app.web.single_sign_on import documents
from tests.services.scenes import Desk
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIDProvider, running
from tests.web.browsing import ORIGIN, Visitor, links_on

BACK_PATH = "/admin/login/provider"


@pytest.fixture(scope="session")
def running_provider() -> Iterator[OpenIDProvider]:
    """One for all tests: it takes a moment to start."""
    with running(OpenIDProvider()) as provider:
        yield provider


@pytest.fixture
def provider(running_provider: OpenIDProvider) -> Iterator[OpenIDProvider]:
    """In order, and knowing Sam."""
    running_provider.reset()
    running_provider.knows("sam")
    yield running_provider
    running_provider.reset()


@pytest.fixture
def single_sign_on() -> dict[str, Any]:
    """Settings that differ; a class of tests may replace this."""
    return {}


@pytest.fixture
def chosen_settings(provider: OpenIDProvider, single_sign_on: dict[str, Any]) -> dict[str, Any]:
    """A desk with single sign-on."""
    return {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_timeout_seconds": 20.0,
        **single_sign_on,
    }


class Traveller:
    """Somebody at a window of the desk who signs in through the provider."""

    def __init__(self, visitor: Visitor, desk: Desk) -> None:
        self.visitor = visitor
        self.desk = desk

    async def set_out(self, next_path: str = "") -> httpx.Response:
        """Press the button."""
        data = {"through_provider": "1", "next": next_path}
        return await self.visitor.client.post("/admin/login", data=data, headers={"Origin": ORIGIN})

    async def choose(self, page: httpx.Response, who: str = "sam") -> str:
        """At the provider, say who one is; the address that leads back."""
        assert page.status_code == 200, page.text
        [address] = [link for link in links_on(page) if "/authorize?" in link]
        async with httpx.AsyncClient(trust_env=False, verify=False) as elsewhere:  # plain http, no certificates to read
            answer = await elsewhere.post(address, data={"who": who})
        return answer.headers["location"].removeprefix(ORIGIN)

    async def sign_in(self, who: str = "sam", next_path: str = "") -> httpx.Response:
        """There and back."""
        return await self.visitor.get(await self.choose(await self.set_out(next_path), who))

    async def is_in(self) -> bool:
        """Whether the desk knows who this is."""
        return (await self.visitor.get("/admin/notification/list")).status_code == 200

    async def sessions(self) -> int:
        """How many sign-ins there are."""
        return len(await self.desk.rows(UserSession))


@pytest.fixture
def somebody(desk: Desk, window: Callable[..., Visitor]) -> Callable[[], Traveller]:
    """`somebody()` is at a fresh window each time."""
    return lambda: Traveller(window(), desk)


@pytest.fixture
def traveller(somebody: Callable[[], Traveller]) -> Traveller:
    """Somebody at a fresh window."""
    return somebody()


@pytest.fixture
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the provider publishes is asked for every time."""
    for remembered in ("KEPT_FOR", "PAUSE"):
        monkeypatch.setattr(documents, remembered, timedelta(0))
