"""What a batch needs of the database: somebody who runs its units of work. Services never commit themselves."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")


class RunsWork(Protocol):
    """`Database.run`: commits, retries as a whole, translates faults."""

    async def __call__(self, work: Callable[[AsyncSession], Awaitable[T]], *, repeatable: bool = False) -> T:
        """Run `work` in one transaction."""
        ...


class ReadsWork(Protocol):
    """`Database.read`: a read-only session that is let go of afterwards."""

    async def __call__(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `work`; it may not write."""
        ...
