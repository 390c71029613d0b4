"""How many requests this process has answered since it started, by what, and how fast. Needs no connection.

Bounded: a route is a row of the table of routes, a method one of a few, an outcome one of six words.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; each bucket holds what took at most so long, and one more what took longer."""

UNANSWERED = "none"
"""Whoever asked has left before there was an answer."""


@dataclass
class Answered:
    """Requests with one method to one route."""

    outcomes: dict[str, int] = field(default_factory=dict)
    """By the status' first digit: `2xx`."""
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """Each for itself, not yet added up."""
    seconds: float = 0.0


class Traffic:
    """Counts, and tells in plain values for the report that other workers read."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, str], Answered] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One more; a status of 0 when there was no answer."""
        one = self._answered.setdefault((method, route), Answered())
        outcome = f"{status // 100}xx" if status else UNANSWERED
        one.outcomes[outcome] = one.outcomes.get(outcome, 0) + 1
        one.buckets[bisect_left(BOUNDS, seconds)] += 1
        one.seconds += seconds

    def packed(self) -> list[list[Any]]:
        """Method, route, outcomes, buckets and seconds of each."""
        return [
            [method, route, dict(one.outcomes), list(one.buckets), round(one.seconds, 6)]
            for (method, route), one in self._answered.items()
        ]


def unpacked(values: Sequence[Sequence[Any]]) -> Mapping[tuple[str, str], Answered]:
    """From a report; what another version of the desk counts with other buckets is left out."""
    return {
        (method, route): Answered(outcomes, buckets, seconds)
        for method, route, outcomes, buckets, seconds in values
        if len(buckets) == len(BOUNDS) + 1
    }
