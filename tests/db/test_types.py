"""Column types that behave the same on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from admin_app.db.types import string_enum
from admin_app.models import Priority, Ticket, User

NOON = datetime(2024, 5, 17, 12, 0, tzinfo=UTC)


class TestUTCDateTime:
    async def test_a_time_comes_back_aware_and_in_utc(self, database, cast) -> None:
        tokyo = NOON.astimezone(timezone(timedelta(hours=9)))

        async def sign_in(session) -> None:
            (await session.get_one(User, cast.sam.id)).last_sign_in_at = tokyo

        await database.run(sign_in)
        stored = await database.read(
            lambda session: session.scalar(select(User.last_sign_in_at).where(User.id == cast.sam.id))
        )
        assert stored == NOON
        assert stored.tzinfo is UTC

    async def test_a_missing_time_stays_missing(self, database, cast) -> None:
        stored = await database.read(
            lambda session: session.scalar(select(User.last_sign_in_at).where(User.id == cast.sam.id))
        )
        assert stored is None

    async def test_a_naive_time_is_refused(self, database, cast) -> None:
        async def sign_in(session) -> None:
            (await session.get_one(User, cast.sam.id)).last_sign_in_at = NOON.replace(tzinfo=None)

        with pytest.raises(StatementError, match="a stored time needs a time zone"):
            await database.run(sign_in)


class TestSmallEnum:
    async def _priorities(self, database, cast, *priorities) -> None:
        async def open_tickets(session) -> None:
            session.add_all(
                Ticket(ticket_number=f"T-{n}", title="x", creator_id=cast.kim.id, priority=priority)
                for n, priority in enumerate(priorities)
            )

        await database.run(open_tickets)

    async def test_it_sorts_by_urgency_and_not_by_name(self, database, cast) -> None:
        await self._priorities(database, cast, Priority.MEDIUM, Priority.CRITICAL, Priority.LOW, Priority.HIGH)
        found = await database.read(lambda session: session.scalars(select(Ticket.priority).order_by(Ticket.priority)))
        assert list(found) == [Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.CRITICAL]

    async def test_it_is_stored_as_a_small_number(self, database, cast) -> None:
        await self._priorities(database, cast, Priority.HIGH)
        stored = await database.read(lambda session: session.scalar(text("SELECT priority FROM tickets")))
        assert stored == 3

    async def test_a_plain_number_comes_back_as_the_member(self, database, cast) -> None:
        await self._priorities(database, cast, 4)
        found = await database.read(lambda session: session.scalar(select(Ticket.priority)))
        assert found is Priority.CRITICAL

    async def test_a_number_it_does_not_know_is_refused(self, database, cast) -> None:
        with pytest.raises(StatementError, match="9 is not a valid Priority"):
            await self._priorities(database, cast, 9)

    def test_nothing_stays_nothing_in_both_directions(self) -> None:
        column_type = Ticket.__table__.c.priority.type
        assert column_type.process_bind_param(None, None) is None
        assert column_type.process_result_value(None, None) is None


class Weather(StrEnum):
    SUN = "sun"
    RAIN = "rain"


class TestStringEnum:
    def test_it_stores_values_and_not_names(self) -> None:
        assert string_enum(Weather, "weather").enums == ["sun", "rain"]

    def test_it_is_a_short_string_with_a_check(self) -> None:
        weather = string_enum(Weather, "weather")
        assert (weather.native_enum, weather.create_constraint, weather.length) == (False, True, 20)

    def test_a_growing_list_goes_without_the_check(self) -> None:
        assert string_enum(Weather, "weather", constrained=False).create_constraint is False
