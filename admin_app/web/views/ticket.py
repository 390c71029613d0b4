"""Tickets: the list, one ticket's page, opening and editing."""

from typing import Any, ClassVar

from sqladmin import expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app.errors import Malformed, StaleEdit
from admin_app.models import Status, Ticket
from admin_app.models.ticket import ACTIVE_STATUSES
from admin_app.permissions import OWNING_ROLES, Permission, Role
from admin_app.services.blocks import ownership
from admin_app.services.operations import tickets
from admin_app.services.pages import ticket_list, ticket_page
from admin_app.services.records import lookup
from admin_app.web import parsing
from admin_app.web.desk import actor_of, desk_of, form_of
from admin_app.web.forms import merge, without_theirs
from admin_app.web.pages import redirect, render
from admin_app.web.perform import look_up, perform, read
from admin_app.web.views import ticket_forms
from admin_app.web.views.base import (
    PAGE_PARAMETERS,
    SHOWN_AGAIN,
    MenuEntry,
    Paged,
    RecordView,
    Suggestions,
    page_request,
    saved_or_not,
    version_in,
)
from admin_app.web.views.bulk import BulkActions, choices_on_list
from admin_app.web.views.exports import TicketExports, export_path
from admin_app.web.views.ticket_actions import TicketActions, drafted, page_path
from admin_app.web.views.ticket_filters import FILTERS, filter_in

PARAMETERS = PAGE_PARAMETERS | FILTERS | {"sortBy", "sort", "error"}


class TicketView(TicketActions, BulkActions, TicketExports, RecordView, model=Ticket):
    """The desk's main view."""

    name = "Ticket"
    name_plural = "Tickets"
    menu: ClassVar[MenuEntry] = MenuEntry("Tickets", "/admin/ticket/list", Permission.TICKET_LIST, "ticket")
    column_list = [Ticket.ticket_number, Ticket.title, Ticket.status, Ticket.priority, Ticket.updated_at]
    can_create = can_edit = can_view_details = True
    list_template = "ticket_list.html"

    async def list_context(self, request: Request) -> dict[str, Any]:
        """The choices of the filter form."""
        query = request.query_params
        return {
            **await super().list_context(request),
            "active": ACTIVE_STATUSES,
            "statuses": ticket_forms.status_options(Status),
            "priorities": ticket_forms.PRIORITIES,
            "channels": ticket_forms.CHANNELS,
            "filters_in_use": sum(1 for name in FILTERS - {"search"} if query.get(name)),
            "suggest_owner": ticket_forms.SUGGEST_OWNER,
            "suggest_creator": ticket_forms.SUGGEST_CREATOR,
            "bulk_choices": choices_on_list(actor_of(request)),
            "export_path": export_path(query),
            "bulk_filter": [(name, query[name]) for name in sorted(FILTERS) if query.get(name)],
        }

    async def list(self, request: Request) -> Any:
        """One page of live tickets as filtered, searched and sorted by the address."""
        query = request.query_params
        parsing.known_parameters(query, PARAMETERS)
        if query.get("sort", "desc") not in {"asc", "desc"}:
            raise Malformed("Sort either asc or desc.")
        found = await look_up(
            request,
            ticket_list.page,
            filter_in(query, actor_of(request).timezone),
            sort=query.get("sortBy") or (ticket_list.RELEVANCE if query.get("search", "").strip() else "created_at"),
            descending=query.get("sort", "desc") == "desc",
            request=page_request(request),
            may_lag=True,
        )
        return Paged(request, found)

    async def details_page(self, request: Request, pk: str) -> Response:
        """A ticket with its thread."""
        return await self.show_thread(request, parsing.record_id(pk))

    async def create_page(self, request: Request) -> Response:
        """Open a ticket."""
        timezone = actor_of(request).timezone
        form, status_code = ticket_forms.new_form(timezone), 200
        if request.method == "POST":
            try:
                new = ticket_forms.new_ticket(form_of(request), timezone)
                outcome = await perform(request, tickets.open_ticket, new)
                return redirect(request, page_path(outcome.record_id), "opened", new.title)
            except SHOWN_AGAIN as error:
                form, status_code = form.typed(form_of(request), error), error.status_code
        return await render(request, "ticket_new.html", {"form": form}, status_code=status_code)

    async def edit_page(self, request: Request, pk: str) -> Response:
        """Edit a ticket; a stale save gets the conflict page, other mistakes the form with the typed text."""
        ticket_id = parsing.record_id(pk)
        if request.method != "POST":
            return await self._edit_form(request, ticket_id)
        try:
            actor, form = actor_of(request), form_of(request)
            stored = await read(request, lookup.ticket, ticket_id)
            values = ticket_forms.without_lost_seconds(actor, form, stored)
            changes = without_theirs(form, values)
            outcome = await perform(request, tickets.edit, ticket_id, changes, version=version_in(request))
        except StaleEdit as stale:
            return await self._conflict(request, ticket_id, stale)
        except SHOWN_AGAIN as error:
            return await self._edit_form(request, ticket_id, error)
        return redirect(request, page_path(ticket_id), saved_or_not(request, outcome), stored.ticket_number)

    async def suggest(self, request: Request, name: str, term: str) -> Suggestions:
        """Possible owners, or customers."""
        roles = {"owner": OWNING_ROLES, "creator": frozenset({Role.CUSTOMER})}.get(name)
        if roles is None or not term.strip() or len(term) > 100 or "\x00" in term:
            raise Malformed("Say which field and what to look for.")
        people = await look_up(request, lookup.suggest_people, term=term, roles=roles, may_lag=True)
        return [{"id": address, "text": name} for address, name in people]

    @expose("/number/{number}", methods=["GET"])
    async def by_number(self, request: Request) -> Response:
        """A ticket's page by its number."""
        ticket = await read(request, lookup.ticket_by_number, request.path_params["number"])
        return redirect(request, page_path(ticket.id))

    async def show_thread(self, request: Request, ticket_id: int, **context: Any) -> Response:
        """The ticket page; `context` brings back what was typed into one of its forms, and what is wrong with it."""
        show_all = request.query_params.get("show") == "all"
        thread = await read(request, ticket_page.read, ticket_id, show_all=show_all)
        actor, ticket = actor_of(request), thread.ticket
        actions, can_take = self.actions_on(actor, ticket), ticket.is_active and ownership.can_take(actor, ticket)
        status_code = context.pop("status_code", 200)
        page = {"thread": thread, "ticket": ticket, "actions": actions, "can_take": can_take, "show_all": show_all}
        page |= {"largest_file": desk_of(request).store.limit, **drafted(form_of(request))}
        return await render(request, "ticket.html", {**page, **context}, status_code=status_code)

    async def _edit_form(self, request: Request, ticket_id: int, error: Any = None) -> Response:
        actor = actor_of(request)
        ticket = await read(request, lookup.ticket, ticket_id)
        form = ticket_forms.edit_form(actor, ticket)
        version: object = ticket.version
        if error is not None:
            form = ticket_forms.keep_choice(form, form_of(request), error)
            typed_version = str(form_of(request).get("version", ""))
            version = typed_version if typed_version.isdigit() else ticket.version
        context = {"form": form, "ticket": ticket, "version": version}
        return await render(
            request, "ticket_edit.html", context, status_code=error.status_code if error is not None else 200
        )

    async def _conflict(self, request: Request, ticket_id: int, stale: StaleEdit) -> Response:
        actor = actor_of(request)
        ticket = await read(request, lookup.ticket, ticket_id)
        form = ticket_forms.edit_form(actor, ticket)
        merged = merge(form, stale, lambda name, stored: ticket_forms.as_typed(actor, name, stored))
        context = {
            "merge": merged,
            "label": str(ticket),
            "action": f"/admin/ticket/edit/{ticket_id}",
            "back": page_path(ticket_id),
        }
        return await render(request, "conflict.html", context, status_code=stale.status_code)
