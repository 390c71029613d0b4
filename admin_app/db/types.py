"""Column types that behave the same on both databases."""

from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import TypeVar

from sqlalchemy import DateTime, Dialect, Enum, SmallInteger, TypeDecorator

E = TypeVar("E", bound=IntEnum)
S = TypeVar("S", bound=StrEnum)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time. SQLite forgets time zones, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware UTC time."""
        if value is None:
            return None
        if value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SmallEnum(TypeDecorator[E]):
    """An ordered enumeration, stored as the small integer that it is, so that it sorts."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, enum_class: type[E]) -> None:
        super().__init__()
        self.enum_class = enum_class

    def process_bind_param(self, value: E | int | None, dialect: Dialect) -> int | None:
        """Store the number; refuse one that the enumeration does not know."""
        return None if value is None else int(self.enum_class(value))

    def process_result_value(self, value: int | None, dialect: Dialect) -> E | None:
        """Give back the member."""
        return None if value is None else self.enum_class(value)


def string_enum(enum_class: type[S], name: str, *, constrained: bool = True) -> Enum:
    """An enumeration stored as a short string, with a named check constraint.

    Lists that grow with every feature (audit actions) go without the constraint, hence without a migration each.
    """
    return Enum(
        enum_class,
        name=name,
        native_enum=False,
        create_constraint=constrained,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )
