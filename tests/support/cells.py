"""Matrices that one test walks through: every wrong cell is told, not only the first."""

import inspect
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


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


def for_every(
    cells: Iterable[T], name: Callable[[T], str]
) -> Callable[[Callable[[Any, T], None]], Callable[[Any], None]]:
    """The method below is one test for all of these, where a test for each would cost more than what it looks at."""

    def for_all(look: Callable[[Any, T], None]) -> Callable[[Any], None]:
        def walk(self: Any) -> None:
            with every_cell() as cell:
                for one in cells:
                    with cell(name(one)):
                        look(self, one)

        walk.__name__, walk.__doc__ = look.__name__, look.__doc__
        return walk

    return for_all


def in_one(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Any], Any]:
    """Like `parametrize`, in one test and on one desk: for cases that leave nothing behind, where a desk costs most."""
    given = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)

    def for_all(look: Any) -> Any:
        async def walk(*args: Any, **fixtures: Any) -> None:
            with every_cell() as cell:
                for case in cases:
                    values = dict(zip(given, [case] if len(given) == 1 else case, strict=True))
                    with cell(", ".join(f"{name} {str(value)[:60]}" for name, value in values.items())):
                        await look(*args, **fixtures, **values)

        shape = inspect.signature(look)
        left = [parameter for parameter in shape.parameters.values() if parameter.name not in given]
        walk.__signature__ = shape.replace(parameters=left)  # type: ignore[attr-defined]
        walk.__name__, walk.__doc__ = look.__name__, look.__doc__
        return walk

    return for_all
