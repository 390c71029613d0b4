"""A line of JSON per request, and the id by which it is found: in the answer's header, the audit log, error reports.

Pure ASGI, outside of everything but the trusted proxies. The line says which row of the table of routes answered, never
the address itself: what people typed and looked for stays out of the log, and nobody can write a line of their own.
An id that comes with a request counts only from a trusted proxy, and only when it looks like one; else it is made here.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("admin_app.requests")

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,32}")
"""As long as the audit log has room for."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"
"""Of a request that was refused before its address was looked up, or whose address is no page."""


class RequestLog:
    """Names every request, leaves the note that the database floor writes costs on, and tells how it ended."""

    def __init__(
        self, app: ASGIApp, holder: Callable[[str, str], Any], count: Callable[[str, str, int, float], None]
    ) -> None:
        """`holder` leaves a note of the address, and the id, of the request that is about to ask for a connection.

        `count` is told method, route, status and seconds of each.
        """
        self.app = app
        self.holder = holder
        self.count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on, and write the line whatever happens."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = _given(scope) or uuid.uuid4().hex
        costs = state["holder"] = self.holder(f"{scope['method']} {scope['path']}", request_id)
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER.lower().encode(), request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, named)
        except Exception:
            status = status or 500  # the answer of the server itself
            raise
        finally:
            seconds = time.perf_counter() - started
            method, route = _kind(scope)
            self.count(method, route, status, seconds)
            if logger.isEnabledFor(logging.INFO):
                logger.info("request", extra=_line(state, method, route, status, seconds, costs))


def _given(scope: Scope) -> str:
    """The id that a trusted proxy has given, empty when there is none to believe."""
    if not scope["state"].get("by_trusted_proxy"):
        return ""
    given = Headers(scope=scope).getlist(HEADER)
    return given[0] if len(given) == 1 and WELL_FORMED.fullmatch(given[0]) else ""


def _kind(scope: Scope) -> tuple[str, str]:
    """Method and route, each from a short list."""
    row = scope["state"].get("route")
    method = scope["method"] if scope["method"] in METHODS else "other"
    return method, row.path if row is not None else NO_ROUTE


def _line(state: Any, method: str, route: str, status: int, seconds: float, costs: Any) -> dict[str, Any]:
    """The person is told by number. A status of 0 means that whoever asked has left before an answer."""
    found = state.get("signed_in")
    return {
        "request_id": state["request_id"],
        "method": method,
        "route": route,
        "actor": found.actor.id if found is not None else None,
        "status": status,
        "milliseconds": round(1000 * seconds, 1),
        "statements": costs.statements,
        "statements_milliseconds": round(1000 * costs.statement_seconds, 1),
        "pool_wait_milliseconds": round(1000 * costs.waited_seconds, 1),
        "retries": costs.retries,
    }
