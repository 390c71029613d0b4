"""How hard the fault tests hit: often enough for every run, in full with `make chaos`."""

import os


def times(ordinarily: int, in_full: int) -> int:
    """The number of repetitions."""
    return in_full if os.environ.get("CHAOS") else ordinarily
