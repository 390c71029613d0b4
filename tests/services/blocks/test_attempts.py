"""Counting tries: so many within so long, however many processes ask at once."""

import asyncio
from datetime import timedelta

import pytest

from admin_app.models import AttemptCounter
from admin_app.services.blocks import attempts
from admin_app.services.blocks.attempts import Limit

LIMIT = Limit(tries=3, within=timedelta(minutes=5))


async def tries(desk, count: int, *names: str) -> list[attempts.Admission]:
    return [await desk.run(attempts.admit, names or ("sam",), LIMIT) for _ in range(count)]


class TestAdmit:
    async def test_so_many_and_no_more(self, desk, stopped_clock) -> None:
        assert [one.is_refused for one in await tries(desk, 5)] == [False, False, False, True, True]

    async def test_the_window_moves_with_each_try(self, desk, stopped_clock) -> None:
        await tries(desk, 1)
        stopped_clock.forward(minutes=4)
        await tries(desk, 2)
        assert [one.retry_after for one in await tries(desk, 1)] == [60]
        stopped_clock.forward(minutes=1)
        assert [one.is_refused for one in await tries(desk, 2)] == [False, True]

    async def test_a_refused_try_keeps_nobody_waiting_longer(self, desk, stopped_clock) -> None:
        await tries(desk, 50)
        stopped_clock.forward(minutes=5)
        assert not (await tries(desk, 1))[0].is_refused

    async def test_one_full_counter_is_enough_and_the_others_do_not_count(self, desk, stopped_clock) -> None:
        await tries(desk, 3, "account", "address")
        assert (await tries(desk, 1, "another account", "address"))[0].is_refused
        assert not (await tries(desk, 1, "another account", "another address"))[0].is_refused
        by_length = sorted(len(row.tries) for row in await desk.rows(AttemptCounter))
        assert by_length == [1, 1, 3, 3]

    async def test_only_the_first_refusal_of_a_window_is_news(self, desk, stopped_clock) -> None:
        assert [one.is_news for one in await tries(desk, 6)] == [False, False, False, True, False, False]
        stopped_clock.forward(minutes=5)
        assert [one.is_news for one in await tries(desk, 5)] == [False, False, False, True, False]

    async def test_of_many_at_once_only_so_many_are_let_through(self, desk) -> None:
        found = await asyncio.gather(*(desk.run(attempts.admit, ("sam", "address"), LIMIT) for _ in range(12)))
        assert sorted(one.is_refused for one in found) == [False] * 3 + [True] * 9

    async def test_old_counters_are_cleared_away(self, desk, stopped_clock) -> None:
        await tries(desk, 1, "old")
        stopped_clock.forward(minutes=10, seconds=1)
        await tries(desk, 1, "new")
        assert len(await desk.rows(AttemptCounter)) == 1

    async def test_no_name_is_stored(self, desk) -> None:
        await tries(desk, 1, "account sam@desk.example")
        assert "sam@" not in repr(await desk.rows(AttemptCounter))
        assert "sam@" not in repr((await desk.everything())["attempt_counters"])


class TestGiveBack:
    async def test_a_try_that_was_no_guess_does_not_count(self, desk, stopped_clock) -> None:
        for _ in range(10):
            [admission] = await tries(desk, 1)
            assert not admission.is_refused
            await desk.run(attempts.give_back, admission)

    async def test_twice_gives_back_one(self, desk, stopped_clock) -> None:
        [first] = await tries(desk, 1)
        stopped_clock.forward(seconds=1)
        await tries(desk, 1)
        for _ in range(2):
            await desk.run(attempts.give_back, first)
        assert [len(row.tries) for row in await desk.rows(AttemptCounter)] == [1]


class TestClear:
    @pytest.mark.parametrize(("name", "is_refused"), [("sam", False), ("sid", True)])
    async def test_begins_anew_under_this_name_alone(self, desk, name: str, is_refused: bool) -> None:
        await tries(desk, 3)
        await desk.run(attempts.clear, name)
        assert (await tries(desk, 1))[0].is_refused is is_refused
