"""Whether the database answers, told at once even when it does not answer at all."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 0.02
"""How long somebody who asks is kept waiting for a fresh answer."""

REMEMBERED_SECONDS = 2.0
"""How long a good answer counts while the next one is under way."""


class Readiness:
    """One check at a time, shared by everybody who asks meanwhile.

    A frozen server neither answers nor refuses: the check hangs until its time-out, and the callers get the last
    good answer for `REMEMBERED_SECONDS` and "not ready" from then on.
    """

    def __init__(self, check: Callable[[], Awaitable[bool]]) -> None:
        self._check = check
        self._under_way: asyncio.Task[bool] | None = None
        self._last_good = float("-inf")

    async def ask(self) -> bool:
        """The answer, within about `PATIENCE_SECONDS`."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._run())
        finished, _ = await asyncio.wait({self._under_way}, timeout=PATIENCE_SECONDS)
        if finished:
            return self._under_way.result()
        return time.monotonic() - self._last_good < REMEMBERED_SECONDS

    async def close(self) -> None:
        """Give up a check that is still under way."""
        if self._under_way is not None:
            self._under_way.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._under_way

    async def _run(self) -> bool:
        is_ready = await self._check()
        if is_ready:
            self._last_good = time.monotonic()
        return is_ready
