"""Long work inside one request: lines of progress for the page's script, a redirect at the end for everybody else.

The script asks for newline-delimited JSON: `{"done": 500, "total": 10000, "said": "…"}` as often as it changes, then
one last line, `{"goto": "/admin/…"}` or `{"error": "a sentence"}`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from admin_app.errors import AppError
from admin_app.web.pages import redirect
from admin_app.web.perform import report

LINES = "application/x-ndjson"
PAUSE_SECONDS = 0.25

Work = Callable[["Progress"], Awaitable[str]]
"""Does everything and says to which page to go then."""


class Progress:
    """What long work tells of itself. Telling never waits for a slow reader; only the latest news is kept."""

    def __init__(self) -> None:
        self.is_wanted = True
        """False once the reader has gone: work that commits as it goes may stop at the next good moment."""
        self._latest: dict[str, Any] | None = None

    def __call__(self, done: int, total: int, said: str = "") -> None:
        """So much of so much."""
        self._latest = {"done": done, "total": total, "said": said}

    def taken(self) -> dict[str, Any] | None:
        """The news since the last time, if any."""
        latest, self._latest = self._latest, None
        return latest


def wants_lines(request: Request) -> bool:
    """Whether the page's script asks."""
    return LINES in request.headers.get("accept", "")


async def follow(request: Request, work: Work) -> Response:
    """Do the work and go where it says, telling of it meanwhile when a script listens.

    What can be refused should be refused before: once lines flow, the status is 200 and an error is the last line.
    """
    if wants_lines(request):
        return Lines(request, work)
    return redirect(request, await work(Progress()))


class Lines(Response):
    """Runs the work while it is being sent. When the reader goes, the work is told so and its end is awaited."""

    def __init__(self, request: Request, work: Work) -> None:
        super().__init__(media_type=LINES)
        del self.headers["content-length"]
        self.request = request
        self.work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a line whenever there is news, and the last one."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        progress = Progress()
        working = asyncio.create_task(self._ended(progress))
        leaving = asyncio.create_task(has_gone(receive))
        try:
            while not (working.done() or leaving.done()):
                await asyncio.wait({working, leaving}, timeout=PAUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                news = progress.taken()
                if news is not None:
                    await send(_line(news))
        finally:
            progress.is_wanted = working.done()
            leaving.cancel()
            await asyncio.wait({working})
        await send(_line(working.result()))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _ended(self, progress: Progress) -> dict[str, Any]:
        try:
            return {"goto": await self.work(progress)}
        except AppError as error:
            return {"error": str(error)}
        except Exception as error:
            return {"error": str(await report(self.request, error))}


async def has_gone(receive: Receive) -> None:
    """Ends when whoever reads the answer has left."""
    while (await receive())["type"] != "http.disconnect":
        """The form has been read by the guard."""


def _line(news: dict[str, Any]) -> dict[str, Any]:
    return {"type": "http.response.body", "body": json.dumps(news).encode() + b"\n", "more_body": True}
