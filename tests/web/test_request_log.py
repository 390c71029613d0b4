"""Each request has an id and leaves one line, which names nobody and which nobody else can write."""

import json
import logging
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from admin_app.db.database import Database
from admin_app.db.holders import Holder
from admin_app.models import AuditLog, ErrorReport
from admin_app.services.operations import comments
from admin_app.web.request_log import RequestLog
from tests.services.scenes import Desk
from tests.support.statements import count_statements
from tests.web.browsing import Visitor
from tests.web.scene import Scene
from tests.web.test_perform import failing

Visit = Callable[..., Awaitable[Visitor]]

FIELDS = [
    *("request_id", "method", "route", "actor", "status", "milliseconds"),
    *("statements", "statements_milliseconds", "pool_wait_milliseconds", "retries"),
]
PROXY = ("127.0.0.1", 4711)
GIVEN = "0a1b2c3d-from_the-proxy"


@pytest.fixture(autouse=True)
def listening(caplog: pytest.LogCaptureFixture) -> None:
    """As the served desk's configuration has it."""
    caplog.set_level(logging.INFO, "admin_app.requests")


def lines_in(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the lines so far say besides time, level and logger; they are taken."""
    found = [record for record in caplog.records if record.name == "admin_app.requests"]
    caplog.clear()
    usual = vars(logging.makeLogRecord({})).keys() | {"message", "asctime"}
    return [{name: value for name, value in vars(record).items() if name not in usual} for record in found]


class TestALine:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """With a proxy in front."""
        return {"trusted_proxies": "127.0.0.1"}

    async def test_it_is_found_by_its_id_and_tells_what_the_request_cost_and_nothing_that_was_typed(
        self,
        desk: Desk,
        scene: Scene,
        visit: Visit,
        database: Database,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        sam, ada = await visit("sam", client=PROXY), await visit("ada")
        await sam.token()
        caplog.clear()
        with count_statements(database.engines) as counted:
            path = f"/admin/ticket/details/{scene.ticket.id}"
            answer = await sam.get(f"{path}?q=a+secret", headers={"X-Request-ID": GIVEN})
        [line] = lines_in(caplog)
        assert line["request_id"] == answer.headers["x-request-id"] == GIVEN
        assert (line["method"], line["route"]) == ("GET", "/admin/ticket/details/{pk:path}")
        assert (line["actor"], line["status"], line["retries"]) == (desk.cast.users["sam"], answer.status_code, 0)
        assert line["statements"] == counted.total > 1
        assert line["milliseconds"] > line["statements_milliseconds"] > 0
        assert line["milliseconds"] > line["pool_wait_milliseconds"] >= 0
        assert list(line) == FIELDS
        assert [word for word in ("secret", "Sam", "desk.example", path) if word in json.dumps(line)] == []
        await self.the_audit_log_leads_to_it(desk, scene, sam, caplog)
        await self.the_report_of_an_error_leads_to_it(desk, scene, sam, ada, monkeypatch, caplog)
        await self.what_is_refused_has_one_too(ada, caplog)

    @staticmethod
    async def the_audit_log_leads_to_it(
        desk: Desk, scene: Scene, sam: Visitor, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A change."""
        answer = await sam.post(f"/admin/ticket/comment/{scene.ticket.id}", {"body": "typed"})
        made = answer.headers["x-request-id"]
        told = [(line["request_id"], line["method"], line["status"]) for line in lines_in(caplog)]
        assert told == [(made, "POST", 303)]
        assert made != GIVEN
        assert (await desk.rows(AuditLog))[-1].request_id == made

    @staticmethod
    async def the_report_of_an_error_leads_to_it(
        desk: Desk,
        scene: Scene,
        sam: Visitor,
        ada: Visitor,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A change that fails in a way that nobody foresaw."""
        monkeypatch.setattr(comments, "add", failing(RuntimeError("typed")))
        answer = await sam.post(f"/admin/ticket/comment/{scene.ticket.id}", {"body": "typed"})
        failed = answer.headers["x-request-id"]
        [record] = [record for record in caplog.records if record.message == "unexpected failure"]
        assert (answer.status_code, record.request_id) == (500, failed)
        assert (await desk.rows(ErrorReport))[-1].request_id == failed
        assert failed in (await ada.get(f"/admin/errors/kind/{record.fingerprint}")).text

    @staticmethod
    async def what_is_refused_has_one_too(ada: Visitor, caplog: pytest.LogCaptureFixture) -> None:
        """Before anybody looked for a page."""
        caplog.clear()
        for path, status in (("/admin/no-such-page", 404), ("/admin/" + "x" * 9000, 414)):
            answer = await ada.get(path)
            [line] = lines_in(caplog)
            assert (answer.status_code, line["status"], line["route"]) == (status, status, "none"), path
            assert line["request_id"] == answer.headers["x-request-id"], path


async def passed(
    app: Any, *given: bytes, by_trusted_proxy: bool = True, method: str = "GET"
) -> tuple[dict[str, Any], list[Any]]:
    """A request through the log alone: its state and what was answered."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"x-request-id", one) for one in given]
    state: dict[str, Any] = {"by_trusted_proxy": by_trusted_proxy}
    scope = {"type": "http", "method": method, "path": "/", "headers": headers, "state": state}
    counted: list[Any] = []
    log = RequestLog(app, lambda route, request_id: Holder(route), lambda *told: counted.append(told))
    await log(scope, None, send)  # type: ignore[arg-type]
    return state, sent


async def fine(scope: Any, receive: Any, send: Any) -> None:
    """An answer."""
    await send({"type": "http.response.start", "status": 200})


class TestTheId:
    async def test_it_is_taken_from_a_trusted_proxy_alone_and_only_when_it_looks_like_one(self) -> None:
        for given in (b"a" * 8, b"0123456789abcdef0123456789abcdef", b"A-b_9-xyz"):
            state, sent = await passed(fine, given)
            assert state["request_id"] == given.decode()
            assert sent[0]["headers"] == [(b"x-request-id", given)]
            state, _ = await passed(fine, given, by_trusted_proxy=False)
            assert state["request_id"] != given.decode()
        for given in (
            *([b""], [b"short"], [b"x" * 33], [b"a b c d e f"], [b"abcdefgh\n"], [b"abcdefgh\r\nSet-Cookie: a=b"]),
            *(
                [b'abcdefgh","actor":1'],
                ["äöüäöüäöü".encode()],
                ["１２３４５６７８".encode()],
                [b"a" * 8, b"b" * 8],
                [],
            ),
        ):
            state, sent = await passed(fine, *given)
            assert len(state["request_id"]) == 32, given
            assert sent[0]["headers"] == [(b"x-request-id", state["request_id"].encode())], given


class TestHowItEnded:
    async def test_every_end_leaves_a_line(self, caplog: pytest.LogCaptureFixture) -> None:
        async def breaks(scope: Any, receive: Any, send: Any) -> None:
            raise RuntimeError

        async def breaks_off(scope: Any, receive: Any, send: Any) -> None:
            await fine(scope, receive, send)
            raise RuntimeError

        async def says_nothing(scope: Any, receive: Any, send: Any) -> None:
            """Whoever asked has left."""

        for app, status in ((breaks, 500), (breaks_off, 200)):
            with pytest.raises(RuntimeError):
                await passed(app)
            assert [line["status"] for line in lines_in(caplog)] == [status]
        await passed(says_nothing, method="BREW")
        assert [(line["status"], line["method"]) for line in lines_in(caplog)] == [(0, "other")]
        caplog.set_level(logging.WARNING, "admin_app.requests")
        await passed(fine)
        assert lines_in(caplog) == []

    async def test_what_is_no_request_passes_untouched(self) -> None:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope)

        await RequestLog(app, SimpleNamespace, print)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
        assert seen == [{"type": "lifespan"}]
