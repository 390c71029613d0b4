"""Lines of progress, the last line, and a reader who leaves."""

import asyncio
import json
from typing import Any

import pytest
from starlette.requests import Request

from admin_app.errors import Conflict
from admin_app.web import progress
from admin_app.web.progress import LINES, Lines, Progress, follow, wants_lines
from tests.support.waiting import until

PATIENCE = 20.0


def asked(**headers: str) -> Request:
    """A request with these headers."""
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/admin/import/run/1", "headers": sent, "state": {}})


class Line:
    """A reader at the other end, who may leave."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.leaves = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(message["body"]) for message in self.sent if message.get("body")]


async def followed(work: progress.Work, line: Line | None = None) -> Line:
    """Run the work with somebody at the other end."""
    line = line or Line()
    async with asyncio.timeout(2 * PATIENCE):
        await Lines(asked(), work)(asked().scope, line.receive, line.send)
    return line


class TestProgress:
    def test_only_the_latest_news_is_kept_and_taken_once(self) -> None:
        told = Progress()
        told(1, 10)
        told(2, 10, "two")
        assert told.taken() == {"done": 2, "total": 10, "said": "two"}
        assert told.taken() is None


class TestWantsLines:
    @pytest.mark.parametrize(("accept", "wanted"), [(LINES, True), (f"text/html, {LINES}", True), ("text/html", False)])
    def test_is_what_the_script_asks_for(self, accept: str, wanted: bool) -> None:
        assert wants_lines(asked(accept=accept)) is wanted

    def test_a_browser_without_a_script_does_not(self) -> None:
        assert not wants_lines(asked())


class TestFollow:
    async def test_without_a_script_there_is_a_redirect_at_the_end(self) -> None:
        async def work(told: Progress) -> str:
            return "/admin/import/result/1"

        answer = await follow(asked(), work)
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/import/result/1")

    async def test_without_a_script_a_refusal_comes_out_as_it_is(self) -> None:
        async def work(told: Progress) -> str:
            raise Conflict("Somebody is at it.")

        with pytest.raises(Conflict, match="Somebody is at it"):
            await follow(asked(), work)

    async def test_a_script_gets_lines(self) -> None:
        async def work(told: Progress) -> str:
            return "/admin/"

        assert isinstance(await follow(asked(accept=LINES), work), Lines)


class TestLines:
    async def test_news_come_while_the_work_goes_on_and_the_address_at_the_end(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(progress, "PAUSE_SECONDS", 0.001)
        line = Line()

        async def work(told: Progress) -> str:
            told(1, 2, "half")
            await until(lambda: line.told, "the news have come while the work goes on", PATIENCE)
            return "/admin/import/result/1"

        await followed(work, line)
        assert line.told == [{"done": 1, "total": 2, "said": "half"}, {"goto": "/admin/import/result/1"}]
        assert line.sent[0]["status"] == 200
        assert b"content-length" not in dict(line.sent[0]["headers"])
        assert line.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}

    async def test_a_refusal_is_the_last_line(self) -> None:
        async def work(told: Progress) -> str:
            raise Conflict("Somebody is at it.")

        assert (await followed(work)).told == [{"error": "Somebody is at it."}]

    async def test_a_failure_is_a_reference_and_nothing_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def report(request: Request, error: Exception) -> Exception:
            return Conflict(f"Reference of {type(error).__name__}")

        monkeypatch.setattr(progress, "report", report)

        async def work(told: Progress) -> str:
            raise KeyError("kim@desk.example")

        assert (await followed(work)).told == [{"error": "Reference of KeyError"}]

    async def test_whoever_leaves_is_no_longer_wanted_and_the_end_of_the_work_is_awaited(self) -> None:
        line, seen = Line(), []

        async def work(told: Progress) -> str:
            assert told.is_wanted
            line.leaves.set()
            await until(lambda: not told.is_wanted, "the work learns that the reader has left", PATIENCE)
            seen.append("stopped by itself")
            return "/admin/"

        await followed(work, line)
        assert seen == ["stopped by itself"]
