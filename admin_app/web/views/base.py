"""What views share: a place in the menu, pages of a list, action forms."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from sqladmin import ModelView
from starlette.requests import Request
from starlette.responses import Response

from admin_app.errors import Conflict, InvalidInput, Malformed, NotFound
from admin_app.permissions import Permission
from admin_app.services.records import listing
from admin_app.services.records.idempotency import Outcome
from admin_app.web import parsing
from admin_app.web.desk import form_of
from admin_app.web.forms import Form
from admin_app.web.pages import base_context, render

SHOWN_AGAIN = (InvalidInput, Conflict, Malformed)
"""Errors that a person can mend in the form that they have just sent."""

Query = list[tuple[str, str]]

Suggestions = list[dict[str, str]]

PLACE = ("after", "before", "at", "count")
"""What an address says of a place in a list."""

PAGE_PARAMETERS = frozenset({*PLACE, "pageSize"})


@dataclass(frozen=True)
class MenuEntry:
    """Where a view stands in the menu, and who sees it there."""

    label: str
    path: str
    permission: Permission
    icon: str


class Paged:
    """A page of a list with the addresses of its neighbours. `page` is what SQLAdmin asks of a pagination."""

    page = 1

    def __init__(self, request: Request, found: listing.Page[Any]) -> None:
        self.found = found
        self.rows = found.rows
        self._asked = request.query_params.multi_items()

    def add_pagination_urls(self, base_url: object) -> None:
        """Addresses are made when the template asks for them."""

    @property
    def ids(self) -> str:
        """Of the rows, with spaces between them."""
        return " ".join(str(row.id) for row in self.rows)

    @cached_property
    def next(self) -> str | None:
        """The following page."""
        return self._at(after=self.found.following) if self.found.following else None

    @cached_property
    def previous(self) -> str | None:
        """The page before."""
        return self._at(before=self.found.previous) if self.found.previous else None

    @cached_property
    def first(self) -> str | None:
        """The first page."""
        return self._at() if self.found.previous else None

    @cached_property
    def last(self) -> str | None:
        """The last page."""
        return self._at(at="end") if self.found.following else None

    @cached_property
    def counted(self) -> str | None:
        """This page again with every row counted, where the count stopped early."""
        return address(self._asked, count="all") if self.found.is_capped else None

    def sized(self, size: int) -> str:
        """The first page with another number of rows."""
        return self._at(pageSize=size)

    def sorted_by(self, column: str, direction: str) -> str:
        """The first page in another order."""
        return self._at(sortBy=column, sort=direction)

    def _at(self, **changes: object) -> str:
        return address(self._from_the_beginning, **changes)

    @cached_property
    def _from_the_beginning(self) -> Query:
        return [(name, value) for name, value in self._asked if name not in PLACE]


class RecordView(ModelView):
    """A SQLAdmin view whose reads and writes all go through services.

    SQLAdmin's own create, delete, export and import are off; what a view can do it says with `can_create`,
    `can_edit` and `can_view_details`, and implements in `create_page`, `edit_page` and `details_page`.
    """

    menu: ClassVar[MenuEntry | None] = None
    is_async = True
    can_create = False
    can_edit = False
    can_delete = False
    can_export = False
    can_import = False
    can_view_details = False
    page_size = listing.PAGE_SIZES[1]
    page_size_options = list(listing.PAGE_SIZES)

    async def list_context(self, request: Request) -> dict[str, Any]:
        """What the layout needs."""
        return {**base_context(request), "page_sizes": listing.PAGE_SIZES}

    async def create_page(self, request: Request) -> Response:
        """The form for a new record, and its answer."""
        raise NotFound

    async def edit_page(self, request: Request, pk: str) -> Response:
        """The edit form, and its answer."""
        raise NotFound

    async def details_page(self, request: Request, pk: str) -> Response:
        """One record."""
        raise NotFound

    async def suggest(self, request: Request, name: str, term: str) -> Suggestions:
        """Suggestions for a field of this view's forms."""
        raise NotFound


def page_request(request: Request) -> listing.PageRequest:
    """Which page the address asks for; `Malformed` when it cannot be read."""
    query = request.query_params
    if query.get("at", "") not in {"", "end"}:
        raise Malformed("A list is shown from its beginning, from its end, or from a row of it.")
    if query.get("count", "") not in {"", "all"}:
        raise Malformed("Either all rows are counted, or as many as are quickly counted.")
    return listing.PageRequest(
        size=parsing.whole_number(query.get("pageSize", ""), "page size", default=listing.PAGE_SIZES[1]),
        after=query.get("after", ""),
        before=query.get("before", ""),
        is_last=query.get("at") == "end",
        count_all=query.get("count") == "all",
    )


def address(asked: Query, **changes: object) -> str:
    """What was asked for, with these values in the place of others of their name."""
    return f"?{urlencode([pair for pair in asked if pair[0] not in changes] + list(changes.items()))}"


def version_in(request: Request) -> int:
    """The version that a form was opened with; `Malformed` when it is missing or no number."""
    return parsing.whole_number(str(form_of(request).get("version", "")), "version of this form")


def saved_or_not(request: Request, outcome: Outcome) -> str:
    """The message after an edit form: one that was sent as it was opened has changed nothing."""
    return "unchanged" if outcome.version == version_in(request) else "saved"


@dataclass(frozen=True)
class ActionPage:
    """One action with a form of its own: GET asks, POST does it."""

    title: str
    explanation: str
    button: str
    back: str
    form: Form
    version: int | None = None
    is_dangerous: bool = False
    facts: Mapping[str, object] | None = None


async def show_action(request: Request, action: ActionPage, *, status_code: int = 200) -> Response:
    """The page that asks."""
    return await render(request, "action.html", {"action": action}, status_code=status_code)


async def run_action(
    request: Request,
    ask: Callable[[], Awaitable[ActionPage]],
    act: Callable[[], Awaitable[Response]],
) -> Response:
    """Ask on GET; on POST do it, or ask again with the typed text and a sentence where something is wrong."""
    if request.method != "POST":
        return await show_action(request, await ask())
    try:
        return await act()
    except SHOWN_AGAIN as error:
        again = await ask()
        shown = ActionPage(**{**vars(again), "form": again.form.typed(form_of(request), error)})
        return await show_action(request, shown, status_code=error.status_code)
