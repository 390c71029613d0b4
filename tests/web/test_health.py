"""Is the process alive, can it take requests: without sign-in, and without details."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from admin_app.db import readiness, schema
from admin_app.db.database import Database
from admin_app.db.readiness import NotReady
from admin_app.services.records.workers import DRAINING
from admin_app.web import health
from tests.web.browsing import Visitor
from tests.web.test_errors import every_connection_held

Window = Callable[..., Visitor]


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
        assert set(health.REASONS) == {DRAINING, *NotReady}
