"""The one place that asks what time it is, so that a test can answer, and a story can be told at its own pace."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_told: ContextVar[datetime | None] = ContextVar("told_time", default=None)


def now() -> datetime:
    """The current time in UTC, with its time zone."""
    return _told.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Inside the block it is `moment`, for this task alone. Only sample data and tests tell the time."""
    token = _told.set(moment)
    try:
        yield
    finally:
        _told.reset(token)
