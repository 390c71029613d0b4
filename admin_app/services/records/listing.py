"""Pages of a list: a statement in, rows and a capped count out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from admin_app.errors import Malformed, NotFound

T = TypeVar("T")

COUNT_CAP = 10_000
PAGE_SIZES = (25, 50, 100)
LARGEST_PAGE_NUMBER = 1_000_000


@dataclass(frozen=True)
class PageRequest:
    """Which page, of what size."""

    number: int = 1
    size: int = PAGE_SIZES[1]

    def __post_init__(self) -> None:
        if self.size not in PAGE_SIZES:
            raise Malformed(f"A page holds {', '.join(map(str, PAGE_SIZES))} rows.")
        if not 1 <= self.number <= LARGEST_PAGE_NUMBER:
            raise Malformed("The page number must be a whole number from 1 up.")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows of one page; `count` stops at `COUNT_CAP` and says so."""

    rows: Sequence[T]
    number: int
    size: int
    count: int
    is_capped: bool
    has_next: bool

    @property
    def first(self) -> int:
        """Position of the first row, from 1."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Position of the last row."""
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def count_label(self) -> str:
        """The count as people read it."""
        return f"{COUNT_CAP:,}+" if self.is_capped else f"{self.count:,}"


async def paginate(
    session: AsyncSession,
    statement: Select[T],
    *,
    order: Sequence[ColumnElement[Any]],
    request: PageRequest,
) -> Page[T]:
    """Two statements whatever the page size: the rows and a count that stops at `COUNT_CAP`.

    `order` must end in the primary key, or rows with equal values may repeat on the next page.
    Raises `NotFound` for a page past the end.
    """
    offset = (request.number - 1) * request.size
    window = statement.order_by(*order).limit(request.size + 1).offset(offset)
    rows = list((await session.scalars(window)).unique().all())
    if not rows and request.number > 1:
        raise NotFound(f"This list has no page {request.number}.")
    entity = statement.column_descriptions[0]["entity"]
    capped = statement.with_only_columns(entity.id).order_by(None).limit(COUNT_CAP + 1)
    counted = select(func.count()).select_from(capped.subquery()).execution_options(**statement.get_execution_options())
    count = await session.scalar(counted) or 0
    return Page(
        rows=rows[: request.size],
        number=request.number,
        size=request.size,
        count=min(count, COUNT_CAP),
        is_capped=count > COUNT_CAP,
        has_next=len(rows) > request.size,
    )
