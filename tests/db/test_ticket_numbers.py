"""The sequence behind ticket numbers."""

import asyncio
from functools import partial

import pytest
from sqlalchemy import text

from admin_app.db import ticket_numbers
from admin_app.errors import Conflict


def taking(count: int):
    return partial(ticket_numbers.take, count=count)


class TestTake:
    async def test_the_first_ticket_is_number_one(self, database) -> None:
        assert await database.run(ticket_numbers.take) == ["T-000001"]

    async def test_several_are_taken_in_order(self, database) -> None:
        assert await database.run(taking(3)) == ["T-000001", "T-000002", "T-000003"]
        assert await database.run(taking(2)) == ["T-000004", "T-000005"]

    async def test_two_in_one_transaction_differ(self, database) -> None:
        async def twice(session) -> list[str]:
            return await ticket_numbers.take(session) + await ticket_numbers.take(session)

        assert await database.run(twice) == ["T-000001", "T-000002"]

    async def test_many_at_once_are_all_different(self, database) -> None:
        taken = await asyncio.gather(*(database.run(taking(1 + n % 3)) for n in range(30)))
        numbers = [number for batch in taken for number in batch]
        assert len(set(numbers)) == len(numbers) == 60

    async def test_a_number_past_the_sixth_digit_just_grows(self, database) -> None:
        skip = {
            "sqlite": "UPDATE ticket_number_seq SET value = 999998",
            "postgresql": "SELECT setval('ticket_number_seq', 999998)",
        }
        await database.run(lambda session: session.execute(text(skip[database.engines.dialect])))
        assert await database.run(taking(2)) == ["T-999999", "T-1000000"]

    async def test_a_failed_transaction_never_leads_to_a_number_twice(self, database) -> None:
        async def fail(session) -> None:
            await ticket_numbers.take(session)
            raise Conflict

        with pytest.raises(Conflict):
            await database.run(fail)
        first, second = await database.run(ticket_numbers.take), await database.run(ticket_numbers.take)
        assert first < second
