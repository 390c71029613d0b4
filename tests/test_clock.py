"""The one place that asks what time it is."""

import asyncio
from datetime import UTC, datetime, timedelta

from admin_app import clock


class TestNow:
    def test_it_is_the_current_time_in_utc(self) -> None:
        now = clock.now()
        assert now.tzinfo is UTC
        assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


class TestAt:
    NOON = datetime(2024, 5, 17, 12, 0, tzinfo=UTC)

    def test_inside_the_block_it_is_that_moment_and_afterwards_no_longer(self) -> None:
        with clock.at(self.NOON):
            assert clock.now() == self.NOON
        assert clock.now() != self.NOON

    def test_an_error_inside_ends_it_too(self) -> None:
        try:
            with clock.at(self.NOON):
                raise KeyError
        except KeyError:
            pass
        assert clock.now() != self.NOON

    async def test_another_task_keeps_the_real_time(self) -> None:
        told = asyncio.Event()

        async def tell() -> None:
            with clock.at(self.NOON):
                told.set()
                await asyncio.sleep(0.01)

        telling = asyncio.create_task(tell())
        await told.wait()
        assert clock.now() != self.NOON
        await telling
