"""What people see when something goes wrong: a sentence, their text, and nothing about our insides."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import exc, text
from starlette.applications import Starlette

from admin_app.db.database import Database
from admin_app.errors import Contended, TimedOut, Unavailable
from admin_app.models import ErrorReport
from admin_app.services.operations import comments, tickets
from admin_app.services.pages import ticket_list
from admin_app.web import errors, pages
from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN, Visitor, form_on, forms_on, links_on, text_of
from tests.web.scene import Scene
from tests.web.test_perform import failing

Visit = Callable[..., Awaitable[Visitor]]

INSIDES = ("SELECT", "INSERT", "UPDATE ", "sqlalche", "Traceback", "asyncpg", "sqlite", "aiosqlite", 'File "', ".py")
SECRET_STATEMENT = "INSERT INTO comments (body) VALUES ('hunter2')"


@asynccontextmanager
async def every_connection_held(database: Database) -> AsyncIterator[None]:
    """Nobody else gets one from the pools that pages use."""
    engines = {id(engine.pool): engine for engine in (database.engines.read, database.engines.write)}
    async with AsyncExitStack() as held:
        for engine in engines.values():
            for _ in range(engine.pool.limit):  # type: ignore[attr-defined]
                await held.enter_async_context(engine.connect())
        yield


def shows_no_insides(answer: httpx.Response) -> None:
    """Neither SQL nor a trace nor a value of a parameter."""
    shown = text_of(answer)
    assert [word for word in (*INSIDES, "hunter2") if word in shown] == []


class TestUnforeseen:
    @pytest.mark.parametrize(
        "error",
        [
            RuntimeError(f"nobody foresaw {SECRET_STATEMENT}"),
            exc.ProgrammingError(SECRET_STATEMENT, {"body": "hunter2"}, Exception("no such table: comments")),
            KeyError("hunter2"),
        ],
        ids=["runtime", "sql", "key"],
    )
    async def test_a_form_gets_a_reference_and_its_text_back_and_the_report_is_stored(
        self, desk: Desk, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/ticket/details/{scene.ticket.id}", f"/admin/ticket/comment/{scene.ticket.id}")
        before = len(await desk.rows(ErrorReport))
        monkeypatch.setattr(comments, "add", failing(error))
        answer = await sam.submit(form, body="An hour of typing")
        assert answer.status_code == 500
        assert "Comment An hour of typing" in text_of(answer)
        [reference] = re.findall(r"Something went wrong\. Reference ([0-9a-f]{8})", text_of(answer))
        assert "An hour of typing" in text_of(answer)
        shows_no_insides(answer)
        [report] = (await desk.rows(ErrorReport))[before:]
        assert (report.reference, report.kind, report.actor_id) == (reference, type(error).__name__, desk.cast.sam.id)
        assert report.path == f"/admin/ticket/comment/{scene.ticket.id}"
        assert "hunter2" not in report.message

    async def test_a_page_gets_a_reference_too(self, desk: Desk, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ticket_list, "page", failing(RuntimeError("hunter2")))
        answer = await (await visit("sam")).get("/admin/ticket/list")
        [reference] = re.findall(r"Reference ([0-9a-f]{8})", text_of(answer))
        assert [report.reference for report in await desk.rows(ErrorReport)] == [reference]
        shows_no_insides(answer)

    async def test_a_script_gets_it_as_json(self, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("admin_app.services.records.lookup.suggest_people", failing(RuntimeError("hunter2")))
        answer = await (await visit("sam")).get(
            "/admin/ticket/ajax/lookup?name=owner&term=s", headers={"Accept": "application/json"}
        )
        assert answer.status_code == 500
        assert re.fullmatch(r"Something went wrong\. Reference [0-9a-f]{8}", answer.json()["error"])

    async def test_a_report_that_cannot_be_stored_costs_nobody_the_answer(
        self, desk: Desk, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sam = await visit("sam")
        monkeypatch.setattr(ticket_list, "page", failing(RuntimeError("hunter2")))
        monkeypatch.setattr(Database, "run", failing(Unavailable()))
        answer = await sam.get("/admin/ticket/list")
        assert answer.status_code == 500
        assert "Reference " in text_of(answer)

    async def test_an_error_page_that_fails_is_a_plain_sentence(
        self, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sam = await visit("sam")
        monkeypatch.setattr(errors, "render", failing(RuntimeError("the template is broken")))
        answer = await sam.get("/admin/ticket/details/999")
        assert (answer.status_code, answer.text) == (404, "There is no such ticket.")
        assert answer.headers["content-type"].startswith("text/plain")


class TestWorthRepeating:
    @pytest.mark.parametrize(
        ("error", "status", "sentence"),
        [
            (Unavailable(retry_after=7), 503, "very busy right now. Nothing was saved"),
            (TimedOut(), 504, "This took too long and was stopped."),
        ],
        ids=["busy", "slow"],
    )
    async def test_a_button_sends_the_very_same_form_again(
        self,
        desk: Desk,
        scene: Scene,
        visit: Visit,
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
        status: int,
        sentence: str,
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/ticket/edit/{scene.ticket.id}")
        with monkeypatch.context() as broken:
            broken.setattr(tickets, "edit", failing(error))
            answer = await sam.submit(form, title="An <b>hour</b> of typing", description="Line one\nLine two")
        assert (answer.status_code, sentence in text_of(answer)) == (status, True)
        assert answer.headers.get("retry-after") == ("7" if status == 503 else None)
        assert "Try again" in text_of(answer)
        assert "An <b>hour</b> of typing" in text_of(answer)
        again = form_on(answer)
        assert again.action == form.action
        assert again.fields["idempotency_key"] == form.fields["idempotency_key"]
        assert (await sam.submit(again)).status_code == 303
        stored = await desk.stored(type(scene.ticket), scene.ticket.id)
        assert (stored.title, stored.description) == ("An <b>hour</b> of typing", "Line one\nLine two")

    async def test_a_lost_race_keeps_the_text_in_the_form(
        self, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/ticket/edit/{scene.ticket.id}")
        monkeypatch.setattr(tickets, "edit", failing(Contended()))
        answer = await sam.submit(form, title="An hour of typing")
        assert answer.status_code == 409
        assert form_on(answer).fields["title"] == "An hour of typing"


class TestExhaustedPool:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """Two connections, and little patience."""
        return {"pool_size": 1, "pool_max_overflow": 1, "pool_timeout_seconds": 0.2}

    async def test_a_page_is_busy_and_says_when_to_come_back(
        self, desk: Desk, scene: Scene, visit: Visit, database: Database
    ) -> None:
        sam = await visit("sam")
        async with every_connection_held(database):
            for path in ("/admin/ticket/list", "/admin/", f"/admin/ticket/details/{scene.ticket.id}"):
                answer = await sam.get(path)
                assert answer.status_code == 503
                assert re.fullmatch(r"[1-9]\d*", answer.headers["retry-after"])
                shows_no_insides(answer)
        assert (await sam.get("/admin/ticket/list")).status_code == 200

    async def test_a_form_comes_back_with_its_text_and_can_be_sent_again(
        self, desk: Desk, scene: Scene, visit: Visit, database: Database
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/ticket/edit/{scene.ticket.id}")
        async with every_connection_held(database):
            answer = await sam.submit(form, title="An hour of typing")
        assert (answer.status_code, answer.headers["retry-after"].isdigit()) == (503, True)
        assert "An hour of typing" in text_of(answer)
        assert (await sam.submit(form_on(answer))).status_code == 303
        assert (await desk.stored(type(scene.ticket), scene.ticket.id)).title == "An hour of typing"

    async def test_signing_in_is_busy_too_and_shows_no_password(
        self, desk: Desk, window: Callable[[], Visitor], database: Database
    ) -> None:
        data = {"username": "sam@desk.example", "password": "hunter2"}
        async with every_connection_held(database):
            answer = await window().client.post("/admin/login", data=data, headers={"Origin": ORIGIN})
        assert answer.status_code == 503
        shows_no_insides(answer)
        assert "hunter2" not in answer.text

    async def test_a_script_is_told_as_well(self, visit: Visit, database: Database) -> None:
        sam = await visit("sam")
        async with every_connection_held(database):
            answer = await sam.get("/admin/ticket/list", headers={"Accept": "application/json"})
        assert (answer.status_code, "busy" in answer.json()["error"]) == (503, True)
        assert answer.headers["retry-after"].isdigit()


class TestGone:
    async def test_a_supervisor_finds_the_way_to_the_trash_and_nobody_else(self, scene: Scene, visit: Visit) -> None:
        for path in (
            f"/admin/ticket/details/{scene.deleted.id}",
            f"/admin/ticket/edit/{scene.deleted.id}",
            f"/admin/ticket/number/{scene.deleted.ticket_number}",
        ):
            for first_name, sees_trash in (("sam", False), ("sue", True), ("ada", True)):
                answer = await (await visit(first_name)).get(path)
                assert answer.status_code == 410
                assert f"{scene.deleted.ticket_number} was deleted." in text_of(answer)
                assert (f"/admin/trash/details/{scene.deleted.id}" in links_on(answer)) is sees_trash
                assert scene.deleted.title not in text_of(answer)


class TestHttpErrors:
    async def test_the_wrong_method_says_which_are_right(self, visit: Visit) -> None:
        answer = await (await visit("sam")).get("/admin/logout")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert "This address does not take that kind of request." in text_of(answer)
        assert forms_on(answer) == []

    async def test_a_missing_page_is_a_page(self, window: Callable[[], Visitor]) -> None:
        answer = await window().get("/nowhere")
        assert (answer.status_code, "There is no such page or record." in text_of(answer)) == (404, True)
        assert "/admin/login" in links_on(answer)

    async def test_an_answer_that_has_begun_is_not_answered_twice(self, app: Starlette) -> None:
        async def half(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError("in the middle of it")

        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        with pytest.raises(RuntimeError, match="in the middle of it"):
            await errors.ErrorPages(half)({"type": "http", "headers": []}, failing(RuntimeError()), send)
        assert len(sent) == 1

    async def test_other_protocols_pass(self) -> None:
        seen: list[str] = []

        async def inner(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["type"])

        await errors.ErrorPages(inner)({"type": "lifespan"}, failing(RuntimeError()), failing(RuntimeError()))
        assert seen == ["lifespan"]


class TestDatabaseIsThere:
    async def test_the_control_of_the_held_connections(self, database: Database, cast: Any) -> None:
        """When nobody holds them, there are connections to be had."""
        assert await database.read(lambda session: session.scalar(text("SELECT 1"))) == 1
        assert pages.MESSAGES
