"""Is the process alive, can it take requests: without sign-in, and without details."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from admin_app.db.database import Database
from tests.web.browsing import Visitor
from tests.web.test_errors import every_connection_held

Window = Callable[..., Visitor]

TOKEN = "read the figures"
SOMEBODY_ELSE = ("192.0.2.7", 4711)


async def ready_within_moments(window: Window) -> httpx.Response:
    """The first connection may take longer than the answer waits for it."""
    for _ in range(50):
        answer = await window().get("/health/ready")
        if answer.status_code == 200:
            break
        await asyncio.sleep(0.1)
    return answer


class TestLiveAndReady:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """Few connections, and little patience."""
        return {"pool_size": 2, "pool_max_overflow": 0, "pool_timeout_seconds": 0.2}

    async def test_both_are_well_at_rest(self, window: Window) -> None:
        answer = await window().get("/health/live")
        assert (answer.status_code, answer.text) == (200, "alive\n")
        answer = await ready_within_moments(window)
        assert (answer.status_code, answer.text) == (200, "ready\n")

    async def test_an_exhausted_pool_is_alive_and_not_ready(self, database: Database, window: Window) -> None:
        assert (await ready_within_moments(window)).status_code == 200
        async with every_connection_held(database):
            assert (await window().get("/health/live")).status_code == 200
            answer = await window().get("/health/ready")
            assert (answer.status_code, answer.text) == (503, "not ready\n")
            assert answer.headers["retry-after"].isdigit()
        assert (await ready_within_moments(window)).status_code == 200

    async def test_a_database_that_is_down_is_not_ready(self, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
        async def refuse(*args: Any, **options: Any) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(Database, "read", refuse)
        assert (await window().get("/health/live")).status_code == 200
        assert (await window().get("/health/ready")).status_code == 503


class TestMetrics:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """With a token."""
        return {"metrics_token": TOKEN}

    @pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
    async def test_loopback_reads_the_figures_of_every_pool(
        self, database: Database, window: Window, host: str
    ) -> None:
        answer = await window(client=(host, 1)).get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        for pool_name, pool in database.engines.pools.items():
            assert f'desk_pool_limit{{pool="{pool_name}"}} {float(pool.limit)}' in answer.text
            assert f'desk_pool_checked_out{{pool="{pool_name}"}} 0.0' in answer.text

    @pytest.mark.parametrize(
        ("given", "status"),
        [
            (None, 403),
            ("", 403),
            (TOKEN, 403),
            ("Bearer ", 403),
            ("Bearer wrong", 403),
            (f"Bearer {TOKEN}x", 403),
            (f"Basic {TOKEN}", 403),
            ("Bearer ünï".encode("latin-1"), 403),
            (f"Bearer {TOKEN}", 200),
        ],
        ids=str,
    )
    async def test_others_need_the_token(self, window: Window, given: Any, status: int) -> None:
        headers = {} if given is None else {"Authorization": given}
        answer = await window(client=SOMEBODY_ELSE).get("/metrics", headers=headers)
        assert answer.status_code == status
        assert ("desk_pool" in answer.text) is (status == 200)

    @pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "Via"])
    async def test_what_a_proxy_on_this_machine_passes_on_is_not_loopback(self, window: Window, name: str) -> None:
        assert (await window(client=("127.0.0.1", 1)).get("/metrics", headers={name: "127.0.0.1"})).status_code == 403

    async def test_a_caller_without_an_address_is_not_loopback(self, window: Window) -> None:
        assert (await window(client=None).get("/metrics")).status_code == 403


class TestMetricsWithoutToken:
    @pytest.mark.parametrize("given", ["", "Bearer ", "Bearer"])
    async def test_nobody_from_elsewhere_gets_in(self, window: Window, given: str) -> None:
        answer = await window(client=SOMEBODY_ELSE).get("/metrics", headers={"Authorization": given})
        assert answer.status_code == 403
