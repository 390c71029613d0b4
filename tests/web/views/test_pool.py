"""The pool page answers when nothing else does, and says who holds what since when."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from admin_app import clock
from admin_app.db.database import Database
from admin_app.db.holders import Holder, current_holder
from admin_app.services.records import incidents
from admin_app.services.records.incidents import Trouble
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, text_of
from tests.web.test_errors import every_connection_held

Visit = Callable[..., Awaitable[Visitor]]


class TestShow:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """Few connections, and little patience."""
        return {"pool_size": 2, "pool_max_overflow": 1, "pool_timeout_seconds": 0.2}

    async def test_at_rest_it_shows_the_figures(self, visit: Visit) -> None:
        page = text_of(await (await visit("olaf")).get("/admin/pool"))
        for figure in ("Size 2", "Overflow 0", "Limit 3", "Waiting now 0", "Time-outs 0", "Healthy"):
            assert figure in page

    async def test_it_answers_while_every_connection_is_held_and_says_who_holds_them(
        self, desk: Desk, visit: Visit, database: Database
    ) -> None:
        olaf, ada, sam = await visit("olaf"), await visit("ada"), await visit("sam")
        current_holder.set(Holder("GET /admin/slow-report", "Sue <b>Supervisor</b>"))
        async with every_connection_held(database):
            assert (await sam.get("/admin/ticket/list")).status_code == 503
            for visitor in (olaf, ada):
                answer = await visitor.get("/admin/pool")
                page = text_of(answer)
                assert answer.status_code == 200
                assert "Exhausted" in page
                assert "Checked out 3" in page
                assert page.count("GET /admin/slow-report Sue <b>Supervisor</b>") >= 3
                assert "Time-outs 1" in page
                assert "<b>Supervisor" not in answer.text
        page = text_of(await olaf.get("/admin/pool"))
        assert "Exhausted" not in page
        assert "Held longest since the start: GET /admin/slow-report" in page

    async def test_incidents_are_shown_with_what_to_do_next(
        self, desk: Desk, visit: Visit, app: Starlette, database: Database
    ) -> None:
        found = [Trouble("leak", "GET /x <b>holds</b> one.", "Restart it."), Trouble("waiting", "W.", "L.")]
        await database.note(lambda session: incidents.settle(session, found, is_quiet=False))
        at = clock.now()
        await database.note(lambda session: incidents.remember(session, Trouble("database", "Silence.", "L"), at, at))
        await app.state.lookout.look()
        answer = await (await visit("olaf")).get("/admin/pool")
        page = text_of(answer)
        assert "2 open" in page
        assert "GET /x <b>holds</b> one. What to do: Restart it." in page
        assert "<b>holds" not in answer.text
        assert "over after 0.0 s: Silence." in page
        assert "Exports Free" in page

    async def test_the_other_pages_of_ops_answer_as_well(self, desk: Desk, visit: Visit, database: Database) -> None:
        olaf = await visit("olaf")
        async with every_connection_held(database):
            assert (await olaf.get("/admin/errors")).status_code == 200
            assert (await olaf.get("/admin/slow-queries")).status_code == 200

    async def test_a_request_is_noted_with_its_route_and_its_person(
        self, desk: Desk, visit: Visit, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[tuple[str, str]] = []

        async def look(session: Any, *args: Any, **options: Any) -> Any:
            await session.execute(text("SELECT 1"))
            pools = database.engines.pools.values()
            seen.extend((held.route, held.actor) for pool in pools for held in pool.watch.holdings())
            raise RuntimeError("seen enough")

        monkeypatch.setattr("admin_app.services.pages.ticket_list.page", look)
        await (await visit("sam")).get("/admin/ticket/list?search=secret")
        assert seen == [("GET /admin/ticket/list", "Sam Staff")]

    async def test_it_does_not_ask_the_database_for_its_figures(
        self, desk: Desk, visit: Visit, statement_counter: Any
    ) -> None:
        olaf = await visit("olaf")
        with statement_counter() as counted:
            await olaf.get("/admin/pool")
        assert counted.total == 1, counted.statements


class TestTestAlert:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """A web hook that nobody listens at."""
        return {"alert_webhook_url": "http://127.0.0.1:9/secret-path"}

    async def test_says_how_it_went_through_each_channel_once_and_leaves_an_entry(
        self, desk: Desk, visit: Visit, caplog: pytest.LogCaptureFixture
    ) -> None:
        olaf = await visit("olaf")
        assert "Send a test alert" in text_of(await olaf.get("/admin/pool"))
        form = {"idempotency_key": "k1"}
        async with desk.recorded() as recorded:
            answer = await olaf.post("/admin/pool/test-alert", form)
            again = await olaf.post("/admin/pool/test-alert", form)
        assert (answer.status_code, again.status_code) == (200, 303)
        assert "The log Sent The web hook Failed URLError" in text_of(answer)
        assert "What to do" in text_of(answer)
        assert "secret-path" not in answer.text
        assert (recorded.entry.action, recorded.entry.actor_name) == ("TEST_ALERT", "Olaf Ops")
        events = [getattr(record, "event", "") for record in caplog.records]
        assert (events.count("incident.test"), events.count("alarms.notifier")) == (1, 1)
