"""The one place that asks what time it is."""

from datetime import UTC, datetime, timedelta

from admin_app import clock


class TestNow:
    def test_it_is_the_current_time_in_utc(self) -> None:
        now = clock.now()
        assert now.tzinfo is UTC
        assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)
