"""Matrices that one test walks through: every wrong cell is told, not only the first."""

from collections.abc import Mapping


def none_wrong(wrong: Mapping[str, object]) -> None:
    """Fail with each wrong cell and what was found there, one to a line."""
    assert not wrong, "\n".join([f"{len(wrong)} wrong:", *(f"{cell}: {found}" for cell, found in wrong.items())])
