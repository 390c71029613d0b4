"""How hard the fault tests hit: often enough for every run, in full with `make chaos`."""

import os


def times(ordinarily: int, in_full: int) -> int:
    """The number of repetitions."""
    return in_full if os.environ.get("CHAOS") else ordinarily


def seconds(with_others: float, alone: float) -> float:
    """A bound on time: `make chaos` runs alone on the machine, ordinary runs share it with other tests."""
    return alone if os.environ.get("CHAOS") else with_others


def share(with_others: float, alone: float) -> float:
    """A bound on how many may be told to come back; who shares the machine is told more often."""
    return seconds(with_others, alone)
