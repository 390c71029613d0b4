"""Slow statements, without their values."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from admin_app.db.holders import Holder, current_holder
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, text_of

Visit = Callable[..., Awaitable[Visitor]]


SLOW = {
    "sqlite": "SELECT :word, (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200000)"
    " SELECT max(x) FROM n)",
    "postgresql": "SELECT CAST(:word AS text), pg_sleep(0.02)",
}


class TestShow:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """A millisecond is slow."""
        return {"slow_query_ms": 1}

    async def test_a_slow_statement_is_shown_with_its_route_and_without_its_values(
        self, desk: Desk, visit: Visit
    ) -> None:
        olaf = await visit("olaf")
        current_holder.set(Holder("GET /admin/slow-report", "Sam Staff"))
        statement = text(SLOW[desk.database.engines.dialect])
        await desk.database.read(lambda session: session.execute(statement, {"word": "hunter2"}))
        page = text_of(await olaf.get("/admin/slow-queries"))
        assert "/admin/slow-report" in page
        assert "pg_sleep" in page or "RECURSIVE" in page
        assert "hunter2" not in page
