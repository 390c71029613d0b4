"""A download that is made while it is sent: when its reader leaves or stalls, the making ends too.

Nothing is sent before the first piece is there, so what is refused at the beginning is a page. Afterwards an end that
is none shows as a broken download: the answer is not completed, and browsers keep no such file.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, aclosing

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from admin_app.errors import AppError
from admin_app.web.downloads import as_download
from admin_app.web.perform import report
from admin_app.web.progress import has_gone

logger = logging.getLogger("admin_app.web")

STALLED_SECONDS = 60.0
"""A reader who takes nothing for so long is gone: somebody else may want the connection."""


class MadeMeanwhile(Response):
    """Sends the pieces as they come; `turn` is held until the last one is out."""

    def __init__(
        self,
        request: Request,
        pieces: AsyncGenerator[bytes, None],
        turn: AbstractContextManager[None],
        *,
        filename: str,
        media_type: str,
    ) -> None:
        super().__init__(media_type=media_type, headers=as_download(filename))
        del self.headers["content-length"]
        self.request = request
        self.pieces = pieces
        self.turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make and send until all is out or nobody takes it."""
        with self.turn:
            leaving = asyncio.create_task(has_gone(receive))
            try:
                async with aclosing(self.pieces) as pieces:
                    await self._pass_on(pieces, leaving, send)
            finally:
                leaving.cancel()

    async def _pass_on(self, pieces: AsyncGenerator[bytes, None], leaving: "asyncio.Task[None]", send: Send) -> None:
        has_begun = False
        while (piece := await self._next(pieces, leaving, has_begun=has_begun)) is not None:
            try:
                async with asyncio.timeout(STALLED_SECONDS):
                    if not has_begun:
                        await send(
                            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                        )
                        has_begun = True
                    await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})
            except TimeoutError:
                return
            if not piece:
                return

    async def _next(
        self, pieces: AsyncGenerator[bytes, None], leaving: "asyncio.Task[None]", *, has_begun: bool
    ) -> bytes | None:
        """The next piece, an empty one after the last, None when there is no more to be had."""
        taking = asyncio.create_task(anext(pieces, b""))
        try:
            await asyncio.wait({taking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not taking.done():
                taking.cancel()
                await asyncio.wait({taking})
        if leaving.done() or taking.cancelled():
            return None
        try:
            return taking.result()
        except Exception as error:
            if not has_begun:
                raise
            sentence = error if isinstance(error, AppError) else await report(self.request, error)
            logger.warning("a download broke off: %s", sentence, extra={"event": "web.download"})
            return None
