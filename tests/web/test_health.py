"""Is the process alive, can it take requests: without sign-in, and without details."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from admin_app.db import readiness, schema
from admin_app.db.database import Database
from admin_app.db.readiness import NotReady
from admin_app.web import health
from tests.web.browsing import Visitor
from tests.web.test_errors import every_connection_held

Window = Callable[..., Visitor]

TOKEN = "read the figures"
SOMEBODY_ELSE = ("192.0.2.7", 4711)


class TestLiveAndReady:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """Few connections, and little patience."""
        return {"pool_size": 2, "pool_max_overflow": 0, "pool_timeout_seconds": 0.2}

    async def test_both_are_well_at_rest_and_each_fault_has_its_word(
        self, app: Starlette, database: Database, window: Window, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(readiness, "PATIENCE_SECONDS", 30.0)  # how long anybody waits is its own test
        await self.ready(window)
        async with every_connection_held(database):
            await self.not_ready(window, "not ready: exhausted (every database connection")
        await self.ready(window)
        app.state.crew.drain()
        await self.not_ready(window, "not ready: draining (this worker finishes")
        app.state.crew._me["state"] = "serving"
        await self.ready(window)
        newest = await database.read(schema.stored_revision)
        await self.migrated(database, "0001")
        await self.not_ready(window, "not ready: unmigrated (")
        await self.migrated(database, str(newest))
        await self.ready(window)

        async def refuse(*args: Any, **options: Any) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(Database, "read", refuse)
        await self.not_ready(window, "not ready: database down (it does not answer)\n")

    @staticmethod
    async def migrated(database: Database, revision: str) -> None:
        """As if the database had seen all migrations up to this one."""
        change = text(f"UPDATE alembic_version SET version_num = '{revision}'")
        await database.run(lambda session: session.execute(change))

    @staticmethod
    async def ready(window: Window) -> None:
        """As it should be."""
        answer = await window().get("/health/ready")
        assert (answer.status_code, answer.text) == (200, "ready\n")

    @staticmethod
    async def not_ready(window: Window, text: str) -> None:
        """Alive, and 503 with the reason."""
        answer = await window().get("/health/live")
        assert (answer.status_code, answer.text) == (200, "alive\n")
        answer = await window().get("/health/ready")
        assert (answer.status_code, answer.text[: len(text)]) == (503, text)
        assert answer.headers["retry-after"].isdigit()

    def test_every_reason_has_its_sentence(self) -> None:
        assert set(health.REASONS) == {health.DRAINING, *NotReady}


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
