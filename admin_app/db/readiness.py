"""Whether the database can take requests, told at once even when it does not answer at all."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum

PATIENCE_SECONDS = 0.02
"""How long somebody who asks is kept waiting for a fresh answer."""

REMEMBERED_SECONDS = 2.0
"""How long a good answer counts while the next one is under way."""


class NotReady(StrEnum):
    """Why not."""

    DOWN = "database down"
    UNMIGRATED = "unmigrated"
    EXHAUSTED = "exhausted"


class Readiness:
    """One check at a time, shared by everybody who asks meanwhile. The check says what is wrong, None when nothing is.

    A frozen server neither answers nor refuses: the check hangs until its time-out, and the callers get the last
    good answer for `REMEMBERED_SECONDS`, and from then on that the database is down.
    """

    def __init__(self, check: Callable[[], Awaitable[NotReady | None]]) -> None:
        self._check = check
        self._under_way: asyncio.Task[NotReady | None] | None = None
        self._last_good = float("-inf")

    async def ask(self) -> NotReady | None:
        """The answer, within about `PATIENCE_SECONDS`."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._run())
        finished, _ = await asyncio.wait({self._under_way}, timeout=PATIENCE_SECONDS)
        if finished:
            return self._under_way.result()
        return None if time.monotonic() - self._last_good < REMEMBERED_SECONDS else NotReady.DOWN

    async def close(self) -> None:
        """Give up a check that is still under way."""
        if self._under_way is not None:
            self._under_way.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._under_way

    async def _run(self) -> NotReady | None:
        fault = await self._check()
        if fault is None:
            self._last_good = time.monotonic()
        return fault
