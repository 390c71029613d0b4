"""The one place that asks what time it is, so that a test can answer."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time in UTC, with its time zone."""
    return datetime.now(UTC)
