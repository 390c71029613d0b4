"""Looking at passwords: slow and large on purpose, so only a few at once, however many people ask.

Each Argon2 hash takes 64 MB while it is made. Forty threads of them, as many as there are, would take what the whole
desk needs; beyond a few they only wait for each other's processor.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request

from admin_app.web.desk import desk_of

T = TypeVar("T")

AT_ONCE = 4


def turns() -> anyio.CapacityLimiter:
    """For one process."""
    return anyio.CapacityLimiter(AT_ONCE)


async def slowly(request: Request, function: Callable[..., T], *args: Any) -> T:
    """What `function(*args)` gives, in a thread, when it is its turn; the desk goes on meanwhile."""
    return await anyio.to_thread.run_sync(function, *args, limiter=desk_of(request).hashing)
