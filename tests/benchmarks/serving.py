"""One application in a process of its own, on one core, that tells what it has used.

python -m tests.benchmarks.serving desk|stock|bare DATABASE_URL PORT [CORE]
"""

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import uvicorn
from sqlalchemy import Engine, event
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from admin_app.app import create_app
from admin_app.cli.serving import http_protocol
from admin_app.settings import Settings
from tests.benchmarks.bare import create_bare_app
from tests.benchmarks.stock import create_stock_app

FIGURES = "/figures-of-this-process"


def create_desk(database_url: str) -> Any:
    """The desk, with nothing turned off."""
    return create_app(Settings(environment="test", database_url=database_url, secret_key="benchmark " * 5))


KINDS: dict[str, Callable[[str], Any]] = {"desk": create_desk, "stock": create_stock_app, "bare": create_bare_app}


class Telling:
    """The application, and one address more: seconds of CPU and statements so far."""

    def __init__(self, app: ASGIApp, connections: Any = None) -> None:
        self.app = app
        self.statements = 0
        self._connections = connections
        event.listen(Engine, "before_cursor_execute", self._count)

    def _count(self, *args: Any) -> None:
        self.statements += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or tell."""
        if scope["type"] != "http" or scope["path"] != FIGURES:
            await self.app(scope, receive, send)
            return
        sent = self._connections.sent if self._connections else self.statements
        body = json.dumps({"cpu": time.process_time(), "statements": sent})
        await Response(body, media_type="application/json")(scope, receive, send)

    def close(self) -> None:
        """Count no more."""
        event.remove(Engine, "before_cursor_execute", self._count)


def telling(kind: str, database_url: str) -> Telling:
    """An application by its name."""
    app = KINDS[kind](database_url)
    return Telling(app, getattr(app.state, "connections", None))


def main(kind: str, database_url: str, port: str, core: str = "") -> None:
    """Serve until stopped."""
    if core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    warnings.simplefilter("ignore")
    app = telling(kind, database_url)
    server = uvicorn.Config(
        app,
        port=int(port),
        http=http_protocol(),
        log_level="error",
        access_log=False,
        timeout_keep_alive=600,  # a line that waits while another page is measured is not hung up on
    )
    uvicorn.Server(server).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
