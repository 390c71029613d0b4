"""Plain http is refused: what is sent over it has been read by others already, so nobody is redirected quietly.

Pure ASGI, for production. This machine may talk to itself, and whoever only asks whether the desk is healthy may ask.
"""

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger("admin_app.web")

HINT = "plain http was refused; if a proxy in front of the desk ends TLS, name it in TRUSTED_PROXIES"


class HttpsOnly:
    """Answers 403 to plain http from anywhere else, before any cookie or form is looked at."""

    def __init__(self, app: ASGIApp, *, local_hosts: Iterable[str], open_paths: Iterable[str]) -> None:
        """Stands inside of what checks the host and corrects the scheme."""
        self.app = app
        self.local_hosts = frozenset(local_hosts)
        self.open_paths = frozenset(open_paths)
        self.has_told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on, or say where the desk is."""
        if scope["type"] != "http" or scope["scheme"] == "https" or scope["path"] in self.open_paths:
            await self.app(scope, receive, send)
            return
        host = _host_in(scope)
        if host in self.local_hosts:
            await self.app(scope, receive, send)
            return
        if not self.has_told:
            self.has_told = True
            logger.warning(HINT, extra={"event": "web.plain_http"})
        answer = PlainTextResponse(f"This desk is open over https only: https://{host}/admin/\n", status_code=403)
        await answer(scope, receive, send)


def _host_in(scope: Scope) -> str:
    return urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or ""
