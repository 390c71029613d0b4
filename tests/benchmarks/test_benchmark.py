"""The benchmark itself, small: so that it still runs, and says what is what, when somebody needs it."""

import asyncio
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from admin_app import clock
from admin_app.actor import Actor
from admin_app.cli.serving import http_protocol
from admin_app.db.database import Database
from admin_app.permissions import Role
from admin_app.services.batches.samples.seed import seed
from tests.benchmarks import data, reporting
from tests.benchmarks.measuring import Effort, Figures, cookies_for, measure
from tests.benchmarks.pages import BARE, DESK, STOCK, Page, all_pages
from tests.benchmarks.serving import telling

ROWS = 300
LITTLE = Effort(seconds=0, least=1, at_once=1, warm_up=0)
SEEDER = Actor(id=None, name="seed", role=Role.ADMIN)


@asynccontextmanager
async def listening(kind: str, url: str) -> AsyncIterator[int]:
    """One of the applications on a free port, in this process."""
    app = telling(kind, url)
    config = uvicorn.Config(app, port=0, http=http_protocol(), log_config=None, loop="none", lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(20):
            while not server.started:
                await asyncio.sleep(0.005)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running
        app.close()
        state = app.app.state  # type: ignore[attr-defined]
        await (state.dispose() if kind != DESK else state.database.dispose())


class TestBenchmark:
    async def test_every_page_is_measured_on_all_three(
        self, database: Database, database_url: str, tmp_path: Path
    ) -> None:
        await seed(database.run, SEEDER, tickets=ROWS, today=clock.now())
        await data.furnish(database)
        facts = await data.facts(database)
        pages = all_pages(facts)
        results: reporting.Results = {page.name: {} for page in pages}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of SQLAdmin's
            for kind in (DESK, STOCK, BARE):
                async with listening(kind, database_url) as port:
                    cookies = await cookies_for(kind, port)
                    for page in pages:
                        if page.path(kind):
                            results[page.name][kind] = await measure(page, kind, port, cookies, facts, LITTLE)
        for page in pages:
            assert results[page.name].keys() == {kind for kind in (DESK, STOCK, BARE) if page.path(kind)}
            assert all(found.p50 > 0 and found.cpu > 0 for found in results[page.name].values())
        assert results["list"][DESK].size < 15_000, "compressed"
        assert results["list"][BARE].statements == 1
        file = tmp_path / "results" / "now.json"
        reporting.save(file, {"rows": ROWS}, {"here": results})
        assert sum("1.00 ×" in line for line in reporting.against(file, {"here": results})) == len(pages)
        assert len(list(reporting.lines(pages, results))) == 1 + sum(map(len, results.values()))


class TestCompared:
    PAGE = Page("list", "/list", "/list", "/list", of_stock=0.1, of_bare=5)

    @staticmethod
    def figures(p50: float) -> Figures:
        """A page that takes so long."""
        return Figures(
            status=200,
            requests=1,
            p50=p50,
            p95=p50,
            per_second=1,
            per_second_at_once=1,
            statements=1,
            cpu=1,
            size=1,
        )

    def test_it_says_what_was_missed(self) -> None:
        found = {DESK: self.figures(2), STOCK: self.figures(10), BARE: self.figures(1)}
        said = reporting.compared(self.PAGE, found, self.figures(1))
        assert said == "0.2 × stock (MISSED, ≤ 0.1), 2 × bare (ok, ≤ 5), grown 2.00 ×"


class TestChosenCore:
    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not hand out cores")
    def test_it_is_one_that_this_process_may_use(self) -> None:
        before = os.sched_getaffinity(0)
        try:
            data.keep_to_core(0, other=True)
            assert os.sched_getaffinity(0) == {max(before)}
        finally:
            os.sched_setaffinity(0, before)
