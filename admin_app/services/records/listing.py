"""Pages of a list: a statement and its order in; rows, the ways on and a capped count out."""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, Self, TypeVar

from sqlalchemy import Result, Select, func, select

from admin_app.db import planning
from admin_app.db.keyset import Order, Position
from admin_app.db.sessions import Reader
from admin_app.errors import Malformed

T = TypeVar("T")
Asks = Callable[[Any], Awaitable[Result[Any]]]

COUNT_CAP = 10_000
PAGE_SIZES = (25, 50, 100)
UNREADABLE = "This address of a page cannot be read. Go on from the first page."
LONGEST_PLACE = 30


@dataclass(frozen=True)
class PageRequest:
    """Which page: the first, the last, or the one after or before a row. Cursors come from `Page`."""

    size: int = PAGE_SIZES[1]
    after: str = ""
    before: str = ""
    is_last: bool = False
    count_all: bool = False
    """Count beyond `COUNT_CAP`: takes as long as the list is."""

    def __post_init__(self) -> None:
        if self.size not in PAGE_SIZES:
            raise Malformed(f"A page holds {', '.join(map(str, PAGE_SIZES))} rows.")
        if bool(self.after) + bool(self.before) + self.is_last > 1:
            raise Malformed("A page comes after a row, or before one, or is the last: only one of these.")


@dataclass(frozen=True)
class Count:
    """How many rows a list has: exactly, at least (`is_capped`) or as statistics have it (`is_about`)."""

    number: int
    is_capped: bool = False
    is_about: bool = False

    @property
    def label(self) -> str:
        """The number as people read it."""
        if self.is_about:
            return f"about {float(f'{self.number:.2g}'):,.0f}"
        return f"{self.number:,}+" if self.is_capped else f"{self.number:,}"


class Fetches(Protocol[T]):
    """Reads in the order of a list."""

    async def __call__(self, start: Position | None, *, backward: bool) -> tuple[list[T], bool]:
        """At most a page of rows in reading direction, and whether there are more."""
        ...


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows of one page; `count` stops at `COUNT_CAP` and says so."""

    rows: Sequence[T]
    size: int
    count: int
    is_capped: bool
    previous: str = ""
    """The cursor that the page before ends at; empty on the first page."""
    following: str = ""
    """The cursor that the next page begins after; empty on the last page."""
    is_about: bool = False
    """The count comes from statistics."""
    looked_at: int = 0
    """So many rows were looked at without finding a page of them that fit; nought when the page is whole."""
    cut_at: int = 0
    """More rows match than were looked at: these are the newest so many. Nought when it was all of them."""
    contexts: Mapping[int, Any] = field(default_factory=dict)
    """By id of a row: where in it the words are that were searched for."""

    @property
    def count_label(self) -> str:
        """The count as people read it."""
        return Count(self.count, is_capped=self.is_capped, is_about=self.is_about).label

    def counted(self, count: Count) -> Self:
        """The same page with this count."""
        return replace(self, count=count.number, is_capped=count.is_capped, is_about=count.is_about)


async def paginate(
    session: Reader, statement: Select[T], *, order: Order, request: PageRequest, count: Count | None = None
) -> Page[T]:
    """The rows of a page and a count, in two statements whatever the page size and depth; one when the count is known.

    One or two more at the ends of a list. A page whose rows are gone becomes the nearest that has some.
    `Malformed` when a cursor cannot be read or belongs to another order.
    """

    async def fetch(start: Position | None, *, backward: bool) -> tuple[list[T], bool]:
        return await _fetch(session, statement, order, start, backward=backward, size=request.size)

    page = await turn(fetch, order=order, request=request)
    return page.counted(count or await _count(session, statement, is_capped=not request.count_all))


async def turn(fetch: Fetches[T], *, order: Order, request: PageRequest) -> Page[T]:
    """The page that is asked for, by whatever way its rows are fetched; not counted yet."""
    rows, has_before, has_after = await _rows(fetch, order, request)
    return Page(
        rows=rows,
        size=request.size,
        count=0,
        is_capped=False,
        previous=order.cursor(rows[0]) if rows and has_before else "",
        following=order.cursor(rows[-1]) if rows and has_after else "",
    )


async def first_rows(windows: Iterable[Select[T]], ask: Asks, *, size: int) -> tuple[list[T], bool]:
    """At most `size` rows in reading direction, and whether there are more; later windows only where rows are missing.

    `ask` gets a window, which may hold one row more than the page.
    """
    rows: list[Any] = []
    for window in windows:
        rows += [row[0] if len(row) == 1 else row for row in (await ask(window)).all()]
        if len(rows) > size:
            return rows[:size], True
    return rows, False


async def paginate_ranked(
    places: Sequence[tuple[int, int]], request: PageRequest, read: Callable[[list[int]], Awaitable[Mapping[int, T]]]
) -> Page[T]:
    """A page of places, (score, id), that are sorted best first; `read` gets its rows. Cursors are places too."""
    keys = [(-score, -row_id) for score, row_id in places]
    start = bisect_right(keys, _place(request.after)) if request.after else 0
    if request.before or request.is_last:
        start = (bisect_left(keys, _place(request.before)) if request.before else len(keys)) - request.size
    elif start >= len(keys):
        start = len(keys) - request.size
    start = max(0, start)
    shown = places[start : start + request.size]
    end = start + len(shown)
    rows = await read([row_id for _, row_id in shown]) if shown else {}
    return Page(
        rows=[rows[row_id] for _, row_id in shown if row_id in rows],
        size=request.size,
        count=len(places),
        is_capped=False,
        previous="{}.{}".format(*shown[0]) if start else "",
        following="{}.{}".format(*shown[-1]) if end < len(places) else "",
    )


def _place(cursor: str) -> tuple[int, int]:
    score, _, row_id = cursor[:LONGEST_PLACE].partition(".")
    if not (score.isascii() and row_id.isascii() and score.isdigit() and row_id.isdigit()):
        raise Malformed(UNREADABLE)
    return -int(score), -int(row_id)


async def _rows(fetch: Fetches[T], order: Order, request: PageRequest) -> tuple[list[T], bool, bool]:
    """The rows, whether any come before them, and whether any come after."""
    if request.before or request.is_last:
        start = _position(order, request.before) if request.before else None
        rows, has_more = await fetch(start, backward=True)
        if has_more or request.is_last:
            return rows[::-1], has_more, not request.is_last
        request = PageRequest(request.size)  # fewer rows than a page are left: show the first one whole
    start = _position(order, request.after) if request.after else None
    rows, has_more = await fetch(start, backward=False)
    if not rows and request.after:
        return await _rows(fetch, order, PageRequest(request.size, is_last=True))
    return rows, bool(request.after), has_more


async def _fetch(
    session: Reader, statement: Select[T], order: Order, start: Position | None, *, backward: bool, size: int
) -> tuple[list[T], bool]:
    most = planning.written(size + 1)
    windows = (window.limit(most) for window in order.windows(statement, start=start, backward=backward))
    return await first_rows(windows, session.execute, size=size)


async def _count(session: Reader, statement: Select[Any], *, is_capped: bool) -> Count:
    entity = statement.column_descriptions[0]["entity"]
    found = statement.with_only_columns(entity.id).order_by(None)
    counted = found.limit(planning.written(COUNT_CAP + 1)) if is_capped else found
    options = statement.get_execution_options()
    count = await session.scalar(select(func.count()).select_from(counted.subquery()).execution_options(**options)) or 0
    return Count(COUNT_CAP, is_capped=True) if is_capped and count > COUNT_CAP else Count(count)


def _position(order: Order, cursor: str) -> Position:
    try:
        return order.position(cursor)
    except ValueError:
        raise Malformed(UNREADABLE) from None
