"""R-18: nine, ten, eleven errors in five minutes; ten thousand in a second; two workers on one database.

Exactly one alert at the tenth, memory bounded, writes bounded, and every request gets its own answer.
"""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount, Route

from admin_app.app import create_app
from admin_app.models import ErrorGroup, ErrorReport
from admin_app.services.records.error_tracking import storing, tracker
from admin_app.services.records.error_tracking.sightings import new_reference, note
from admin_app.services.records.error_tracking.storing import Alert, Counted
from admin_app.services.records.error_tracking.tracker import ErrorTracker
from admin_app.settings import Settings
from admin_app.web.routes import ANYONE, page
from tests.services.scenes import Desk

ORIGIN = "http://127.0.0.1"
SECRET_KEY = "signs the forms of both workers of this test"


async def fails(request: Request) -> Any:
    """A page with a bug in it."""
    raise KeyError(f"kim@desk.example, card 4111111111111111, {request.query_params.get('nonce')}")


@dataclass
class Worker:
    """One application on the shared database, and what its bell has rung."""

    app: Starlette
    client: httpx.AsyncClient
    rung: list[Alert] = field(default_factory=list)

    async def fail(self) -> int:
        """Open the page with the bug; the status of the answer."""
        answer = await self.client.get("/fails", params={"nonce": new_reference()})
        assert "Reference" in answer.text
        return answer.status_code


@asynccontextmanager
async def working(database_url: str, tmp_path: Any) -> AsyncIterator[Worker]:
    """A worker at work."""
    folder = tmp_path / "files"
    settings = Settings(environment="test", database_url=database_url, secret_key=SECRET_KEY, attachments_folder=folder)
    app = create_app(settings)
    app.state.routes.add(page("/fails", ANYONE))
    app.router.routes.insert(0, Route("/fails", fails))
    assert any(isinstance(route, Mount) for route in app.routes)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        worker = Worker(app, client)
        app.state.errors._ring = worker.rung.append
        yield worker
    await app.state.errors.close()
    await app.state.database.dispose()


@pytest.fixture
async def workers(database_url: str, tmp_path: Any) -> AsyncIterator[list[Worker]]:
    """Two of them."""
    async with working(database_url, tmp_path) as one, working(database_url, tmp_path) as other:
        yield [one, other]


def rung(workers: list[Worker]) -> list[Alert]:
    """By all workers together."""
    return [alert for worker in workers for alert in worker.rung]


class TestNineTenEleven:
    @pytest.mark.parametrize(("count", "alerts"), [(9, 0), (10, 1), (11, 1)])
    async def test_one_alert_at_the_tenth_whoever_of_two_workers_meets_it(
        self, workers: list[Worker], count: int, alerts: int
    ) -> None:
        for number in range(count):
            assert await workers[number % 2].fail() == 500
        assert [alert.count for alert in rung(workers)] == [10] * alerts

    async def test_all_at_the_same_moment_in_both_workers(self, workers: list[Worker], desk: Desk) -> None:
        statuses = await asyncio.gather(*(workers[number % 2].fail() for number in range(40)))
        assert set(statuses) == {500}
        assert len(rung(workers)) == 1
        [group] = await desk.rows(ErrorGroup)
        assert group.total == 40

    async def test_what_is_stored_and_told_holds_no_value_of_anybodys(self, workers: list[Worker], desk: Desk) -> None:
        for _ in range(10):
            await workers[0].fail()
        [alert] = rung(workers)
        stored = [str(vars(row)) for model in (ErrorReport, ErrorGroup) for row in await desk.rows(model)]
        assert "kim@" not in f"{stored}{alert}"
        assert "41111111" not in f"{stored}{alert}"

    async def test_two_workers_that_decide_by_themselves_would_be_noticed(
        self, workers: list[Worker], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: each worker counts what it has seen itself."""
        seen: dict[Any, int] = {}

        async def by_itself(session: Any, counted: list[Counted], *, alert_at: int) -> Alert | None:
            key = session.bind
            seen[key] = seen.get(key, 0) + len(counted)
            last = counted[-1].sighting
            fields = {name: getattr(last, name) for name in Alert.__dataclass_fields__ if name != "count"}
            return Alert(**fields, count=seen[key]) if seen[key] == alert_at else None

        monkeypatch.setattr(storing, "store", by_itself)
        for number in range(20):
            await workers[number % 2].fail()
        assert len(rung(workers)) == 2


FLOOD, AT_THE_DOOR = 10_000, 400


async def flood(report: Callable[..., Any], number: int = FLOOD) -> list[Any]:
    """Ten thousand errors, as fast as they come."""

    async def one() -> Any:
        try:
            raise KeyError(new_reference())
        except KeyError as error:
            return await report(note(error, reference=new_reference(), path="/admin/", actor_id=None))

    return await asyncio.gather(*(one() for _ in range(number)), return_exceptions=True)


class TestFlood:
    async def test_nobody_fails_and_everything_is_counted_in_a_few_rows(
        self, desk: Desk, statement_counter: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        alerts: list[Alert] = []
        errors = ErrorTracker(desk.database.run, alerts.append)
        with statement_counter() as counted:
            began = time.monotonic()
            ends = await flood(errors.report)
            seconds = time.monotonic() - began
            await errors.close()
        assert [end for end in ends if isinstance(end, BaseException)] == []
        reports, [group] = await desk.rows(ErrorReport), await desk.rows(ErrorGroup)
        with capsys.disabled():
            print(
                f"\nR-18 {desk.database.engines.dialect}: {FLOOD:,} errors in {seconds:.1f} s, "
                f"{len(reports)} rows, {counted.total} statements, {len(alerts)} alert"
            )
        assert group.total == sum(report.occurrences for report in reports) == FLOOD
        assert len(alerts) == 1
        assert len(reports) <= tracker.STORED_ONE_BY_ONE + 1
        assert counted.total <= 100

    async def test_other_people_are_served_meanwhile(self, workers: list[Worker]) -> None:
        errors = workers[0].app.state.errors
        flooding = asyncio.create_task(flood(errors.report))
        answers = [await workers[number % 2].client.get("/admin/login") for number in range(10)]
        await flooding
        assert {answer.status_code for answer in answers} == {200}

    async def test_a_flood_through_the_front_door_answers_everybody(self, workers: list[Worker], desk: Desk) -> None:
        statuses = await asyncio.gather(*(workers[number % 2].fail() for number in range(AT_THE_DOOR)))
        for worker in workers:
            await worker.app.state.errors.flush()
        assert set(statuses) == {500}
        assert len(rung(workers)) == 1
        [group] = await desk.rows(ErrorGroup)
        assert group.total == AT_THE_DOOR
        assert len(await desk.rows(ErrorReport)) <= 2 * (tracker.STORED_ONE_BY_ONE + 1)

    async def test_a_row_per_error_would_be_noticed(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """The negative control: nothing holds the flood back."""
        monkeypatch.setattr(tracker, "STORED_ONE_BY_ONE", FLOOD)
        errors = ErrorTracker(desk.database.run, lambda alert: None)
        await flood(errors.report, 300)
        assert len(await desk.rows(ErrorReport)) == 300 > 21


class TestMemory:
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        """What is kept in memory is the same whatever the rest is written to."""
        return sqlite_url

    async def test_memory_does_not_grow_with_it(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        errors = ErrorTracker(desk.database.run, lambda alert: None)
        await flood(errors.report)  # fills every cache that is filled once
        gc.collect()
        tracemalloc.start()
        await flood(errors.report)
        gc.collect()
        ours = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/error_tracking/*")])
        kept = sum(trace.size for trace in ours.traces)
        tracemalloc.stop()
        await errors.close()
        with capsys.disabled():
            print(f"\nR-18 {kept / 1024:.0f} KB kept of {FLOOD:,} errors")
        assert kept < 64 * 1024


class TestWhenTheDatabaseIsGone:
    async def test_a_page_that_fails_still_answers_with_a_reference(self, workers: list[Worker]) -> None:
        worker = workers[0]

        async def refused(work: Any) -> Any:
            raise ConnectionRefusedError

        worker.app.state.errors._run = refused
        assert {await worker.fail() for _ in range(30)} == {500}
        worker.app.state.errors._run = worker.app.state.database.run
        await worker.app.state.errors.flush()
        assert [alert.count for alert in worker.rung] == [30]
