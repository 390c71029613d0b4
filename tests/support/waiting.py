"""Waiting for something that happens elsewhere, and saying what it was when it never does."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE, LOOKS_EVERY = 60.0, 0.01
"""Seconds: longer than anything takes on a slow machine, and far shorter than for ever."""


async def until(condition: Callable[[], object | Awaitable[object]], sentence: str, patience: float = PATIENCE) -> Any:
    """Wait until the condition is true, and return what it found; fail with the sentence when it is not in time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        await asyncio.sleep(LOOKS_EVERY)
    raise AssertionError(f"after {patience:g} seconds still not so: {sentence}")
