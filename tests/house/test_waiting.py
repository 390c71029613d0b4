"""Tests that wait: until it is so, or until they say what never was."""

import time

import pytest

from tests.support.waiting import until


class TestUntil:
    async def test_it_waits_until_it_is_so(self) -> None:
        answers = iter([0, "", False, "yes"])

        async def later() -> object:
            return next(answers)

        assert await until(later, "somebody says yes") == "yes"
        await until(lambda: True, "it is so already")

    async def test_what_never_comes_true_fails_in_time_and_says_what_it_was(self) -> None:
        began = time.monotonic()
        with pytest.raises(AssertionError, match="still not so: pigs can fly"):
            await until(lambda: False, "pigs can fly", patience=0.05)
        assert time.monotonic() - began >= 0.05
