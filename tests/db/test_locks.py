"""Locks on names."""

import asyncio

from admin_app.db import locks


def counting(most: list[int], inside: list[int], name: str):
    """A unit of work that notes how many are inside together."""

    async def work(session) -> None:
        await locks.hold(session, name)
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        await asyncio.sleep(0.02)
        inside[0] -= 1

    return work


class TestHold:
    async def test_one_at_a_time_holds_a_name(self, database) -> None:
        most, inside = [0], [0]
        await asyncio.gather(*(database.run(counting(most, inside, "a")) for _ in range(5)))
        assert most == [1]

    async def test_another_name_is_another_lock_where_there_are_several_writers(self, database) -> None:
        most, inside = [0], [0]
        await asyncio.gather(*(database.run(counting(most, inside, name)) for name in "abcde"))
        assert (most[0] > 1) is (database.engines.dialect == "postgresql")

    async def test_the_same_transaction_may_hold_it_twice(self, database) -> None:
        async def twice(session) -> None:
            await locks.hold(session, "a")
            await locks.hold(session, "a")

        await database.run(twice)
