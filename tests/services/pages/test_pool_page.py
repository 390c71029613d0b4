"""The pools of all workers on one page."""

from types import SimpleNamespace

import pytest
from sqlalchemy import text

from admin_app import clock
from admin_app.app import open_crew
from admin_app.db import holdings
from admin_app.db.database import Database
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.db.holders import Holder, current_holder
from admin_app.errors import PermissionDenied
from admin_app.models import Incident
from admin_app.services.pages import pool_page
from admin_app.services.records.incidents import Trouble
from tests.services.every_batch import NOTHING_SEEN
from tests.support.cast import Cast


@pytest.fixture
async def two(database_url):
    """Two workers with a pool of two and one more each, as two processes would have them."""
    pair = [Database(create_engines(database_url, PoolOptions(size=2, max_overflow=1))) for _ in range(2)]
    yield [(one, open_crew(one)) for one in pair]
    for one in pair:
        await one.dispose()


class TestShow:
    async def test_workers_are_added_up_and_each_is_shown(self, two, cast: Cast) -> None:
        (first, crew), (second, other) = two
        current_holder.set(Holder("GET /admin/a", "Sam", "r1"))
        async with second.engines.read.connect() as held:
            await held.execute(text("SELECT 1"))
            await other.report()
            await crew.report()
            page = pool_page.show(cast.olaf, crew, NOTHING_SEEN, first.engines.every_pool, suspect_after=30)
        names = ["readers", "writer"] if first.engines.dialect == "sqlite" else ["main"]
        assert [one.name for one in page.totals] == [*names, "exports"]
        assert (page.totals[0].size, page.totals[0].limit, page.totals[0].checked_out) == (4, 6, 1)
        assert all(one.overflow == 0 for one in page.totals)
        assert [each.worker.is_me for each in page.workers] == [True, False]
        assert page.hosts == 1
        [one] = page.held
        assert (one.holding.route, one.holding.request_id, one.pool) == ("GET /admin/a", "r1", names[0])
        assert not one.worker.is_me
        assert (page.suspects, page.failing_since) == ([], None)
        assert [page.exhausted(name) for name in names] == [0] * len(names)
        assert page.view is not None

    async def test_whoever_holds_one_for_too_long_is_suspect_and_first(
        self, two, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (first, crew), _ = two
        current_holder.set(Holder("GET /admin/leak"))
        async with first.engines.read.connect():
            later = holdings.time.monotonic() + 31
            current_holder.set(Holder("GET /admin/quick"))
            monkeypatch.setattr(holdings, "time", SimpleNamespace(monotonic=lambda: later))
            async with first.engines.read.connect():
                page = pool_page.show(cast.ada, crew, NOTHING_SEEN, first.engines.every_pool, suspect_after=30)
        assert [one.holding.route for one in page.held] == ["GET /admin/leak", "GET /admin/quick"]
        assert [one.holding.route for one in page.suspects] == ["GET /admin/leak"]

    async def test_an_export_is_shown_with_its_pool_and_is_no_suspect(self, two, cast: Cast) -> None:
        (first, crew), _ = two
        current_holder.set(Holder("POST /admin/ticket/export/download/7"))
        async with first.engines.snapshots.connect():
            page = pool_page.show(cast.ada, crew, NOTHING_SEEN, first.engines.every_pool, suspect_after=0)
        assert [(one.holding.route, one.pool) for one in page.held] == [
            ("POST /admin/ticket/export/download/7", "exports")
        ]
        assert (page.totals[-1].checked_out, page.totals[-1].limit, page.suspects) == (1, 2, [])

    async def test_incidents_that_are_open_stand_apart_from_those_that_are_over(self, two, cast: Cast) -> None:
        (first, crew), _ = two
        now = clock.now()
        still, over = Incident(opened_at=now), Incident(opened_at=now, ended_at=now)
        seen = SimpleNamespace(incidents=[still, over], unsettled=[Trouble("leak", "t", "a")])
        page = pool_page.show(cast.olaf, crew, seen, first.engines.every_pool, suspect_after=30)
        assert (page.incidents, page.over, page.unsettled) == ([still], [over], seen.unsettled)

    async def test_only_ops_and_admins_see_it(self, two, cast: Cast) -> None:
        (first, crew), _ = two
        for somebody in (cast.sam, cast.sue):
            with pytest.raises(PermissionDenied):
                pool_page.show(somebody, crew, NOTHING_SEEN, first.engines.every_pool, suspect_after=30)
