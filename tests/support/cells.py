"""Matrices that one test walks through: every wrong cell is told, not only the first."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import pytest


def none_wrong(wrong: Mapping[str, object]) -> None:
    """Fail with each wrong cell and what was found there, one to a line."""
    assert not wrong, "\n".join([f"{len(wrong)} wrong:", *(f"{cell}: {found}" for cell, found in wrong.items())])


@contextmanager
def every_cell() -> Iterator[Callable[[str], AbstractContextManager[None]]]:
    """`with every_cell() as cell:`, and inside, for each: `with cell(name):`; what fails there is told at the end."""
    wrong: dict[str, str] = {}

    @contextmanager
    def cell(name: str) -> Iterator[None]:
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            wrong[name] = f"{type(error).__name__} in line {place.lineno} of {place.filename}: {error}"

    yield cell
    none_wrong(wrong)
