"""HTTP as the web server speaks it, with an end to the head of a request, and to a body that nobody wants.

uvicorn's httptools protocol waits for a head without limit of time or size, so a few slow or endless clients could take
the desk's memory (the attack known as Slowloris). Its own refusals go out without the desk's headers; these have them.
"""

import asyncio
from asyncio.events import TimerHandle
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from admin_app.web.guard import HEADERS

HEAD_SECONDS = 10.0
LARGEST_HEAD = 64 * 1024
LINGER_SECONDS = 1.0
"""How long the rest of a refused body is read and forgotten, so that whoever sends it gets to see the answer."""


class LimitedHttp(HttpToolsProtocol):
    """One connection. A head that is too slow is hung up on, one that is too large is told so."""

    _head_timer: TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = True
    _is_in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected and owes us a request."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass it to the parser, and count it when it belongs to a head that has no end yet."""
        if self.transport.is_closing():
            return
        was_in_head = self._is_in_head
        super().data_received(data)
        if not (was_in_head and self._is_in_head):
            return
        self._head_bytes += len(data)
        if self._head_bytes > LARGEST_HEAD and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "This request has too many headers.")

    def on_message_begin(self) -> None:
        """The first byte of a request; on a line that is kept open, the only sign that another one begins."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is here; what follows has limits of its own."""
        self._is_in_head, self._is_in_body = False, True
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is here."""
        self._is_in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Answered; whoever is still sending then is hung up on soon, or the line would be theirs for ever."""
        super().on_response_complete()
        if self._is_in_body:
            self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        """No HTTP at all."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        """Not while an answer to an earlier request is on its way; the wait for the next one ends soon after it."""
        if self._is_idle():
            self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        self._stop_timer()
        if self._is_idle():
            body = f"{sentence}\n".encode()
            headers = {
                **HEADERS,
                "Cache-Control": "no-store",
                "Content-Type": "text/plain; charset=utf-8",
                "Content-Length": str(len(body)),
                "Connection": "close",
            }
            lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {headers[name]}" for name in headers)]
            self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.transport.close()
