"""Everybody sees their own changes, whichever host answers and however far behind the replica is that it reads from.

The browser carries where the database's log was when its last change was in, signed, in a cookie. An answer that goes
out before its work is done (progress, a download) cannot know that: after one, the primary is read for a while.
"""

from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_app.web.desk import desk_of
from admin_app.web.guard import SAFE_METHODS

COOKIE = "desk_position"
LONGEST_SECONDS = 600
"""By then a replica that is read at all has the change: the limit of its lag is not set higher."""

NOWHERE_YET = 2**63 - 1
"""Further than any replica is."""


class OwnChanges:
    """Takes the position from the request to whoever reads, and from whoever has written to the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap `send`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        holder: Any = request.state.holder
        brought = desk_of(request).tokens.unpack_position(request.cookies.get(COOKIE, ""), max_age=LONGEST_SECONDS)
        holder.written = brought

        async def send_with_position(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_early = scope["method"] not in SAFE_METHODS and "content-length" not in Headers(scope=message)
                position = NOWHERE_YET if is_early else holder.written
                if position != brought:
                    _set_cookie(request, message, position)
            await send(message)

        await self.app(scope, receive, send_with_position)


def _set_cookie(request: Request, message: Message, position: int) -> None:
    carrier = Response()
    carrier.set_cookie(
        COOKIE,
        desk_of(request).tokens.pack_position(position),
        max_age=LONGEST_SECONDS,
        path="/admin",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    MutableHeaders(scope=message).append("set-cookie", carrier.headers["set-cookie"])
