"""What people type into addresses and forms, turned into values, or into a sentence."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeVar
from zoneinfo import ZoneInfo

from admin_app.errors import InvalidInput, Malformed, NotFound

E = TypeVar("E", bound=Enum)

LARGEST_NUMBER = 2**31 - 1
LATEST_YEAR = 9000


def record_id(text: str) -> int:
    """The id in an address; whatever is no id names no record."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise NotFound
    return int(text)


def whole_number(text: str, what: str, default: int | None = None) -> int:
    """A whole number from 1 up; `Malformed` names `what` otherwise."""
    if not text and default is not None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= LARGEST_NUMBER):
        raise Malformed(f"The {what} must be a whole number from 1 up.")
    return int(text)


def choice(text: str, kind: type[E], what: str) -> E | None:
    """A member of an enumeration by its value, None when empty; `Malformed` names `what` otherwise."""
    if not text:
        return None
    for member in kind:
        if str(member.value) == text:
            return member
    raise Malformed(f"This desk knows no {what} called {text[:40]}.")


def date(text: str, what: str, timezone: str, *, days_later: int = 0) -> datetime | None:
    """The start of a day (`2026-11-21`) in the person's time zone; `Malformed` names `what` otherwise."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=ZoneInfo(timezone))
        return (day + timedelta(days=days_later)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed(f"The {what} must be a date such as 2026-11-21.") from None


def local_time(text: str, field: str, timezone: str) -> datetime | None:
    """A `datetime-local` field in the person's time zone; `InvalidInput` at `field` otherwise."""
    if not text.strip():
        return None
    try:
        typed = datetime.fromisoformat(text.strip())
        if typed.tzinfo is None:
            typed = typed.replace(tzinfo=ZoneInfo(timezone))
        if not 1900 <= typed.year <= LATEST_YEAR:
            raise ValueError
        return typed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(**{field: "Enter a date and time such as 2026-11-21 14:30."}) from None


def one_of(text: str, kind: type[E], field: str) -> E:
    """A member of an enumeration from a form; `InvalidInput` at `field` otherwise."""
    for member in kind:
        if str(member.value) == text:
            return member
    raise InvalidInput(**{field: "Choose one of the list."})


def known_parameters(given: Mapping[str, str], known: frozenset[str]) -> None:
    """`Malformed` when an address carries a filter that the page does not have."""
    unknown = sorted(set(given) - known)
    if unknown:
        raise Malformed(f"This list has no filter called {unknown[0][:40]}.")
