"""When people sleep."""

from datetime import datetime

import pytest

from admin_app.services.records.quiet_hours import QuietHours


class TestRead:
    def test_nothing_is_never(self) -> None:
        assert QuietHours.read("") is None

    @pytest.mark.parametrize("written", ["22-7", "22:00-25:00", "22:00-07:00 Nowhere/Land", "07:00-07:00", "always"])
    def test_what_cannot_be_meant_is_refused(self, written: str) -> None:
        with pytest.raises(ValueError, match="quiet hours"):
            QuietHours.read(written)


class TestCover:
    @pytest.mark.parametrize(
        ("written", "moment", "is_quiet"),
        [
            ("22:00-07:00", "2030-01-15T21:59:59+00:00", False),
            ("22:00-07:00", "2030-01-15T22:00:00+00:00", True),
            ("22:00-07:00", "2030-01-15T06:59:59+00:00", True),
            ("22:00-07:00", "2030-01-15T07:00:00+00:00", False),
            ("12:00-13:00", "2030-01-15T12:30:00+00:00", True),
            ("12:00-13:00", "2030-01-15T13:00:00+00:00", False),
            ("22:00-07:00 Europe/Berlin", "2030-07-15T20:30:00+00:00", True),
            ("22:00-07:00 Europe/Berlin", "2030-01-15T20:30:00+00:00", False),
        ],
    )
    def test_by_the_clock_of_their_place_over_midnight_too(self, written: str, moment: str, is_quiet: bool) -> None:
        hours = QuietHours.read(written)
        assert hours is not None
        assert hours.cover(datetime.fromisoformat(moment)) is is_quiet
