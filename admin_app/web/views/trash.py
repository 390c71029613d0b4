"""Deleted tickets: look, bring back, remove for good."""

from typing import Any, ClassVar

from sqladmin import expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app.models import Ticket
from admin_app.permissions import Permission
from admin_app.services.operations import tickets
from admin_app.services.pages import ticket_list, ticket_page
from admin_app.services.records import lookup, text_rules
from admin_app.web import parsing
from admin_app.web.desk import desk_of, form_of, text_in
from admin_app.web.forms import Field, Form
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.views import bulk
from admin_app.web.views.base import (
    PAGE_PARAMETERS,
    ActionPage,
    MenuEntry,
    Paged,
    RecordView,
    page_request,
    run_action,
)
from admin_app.web.views.ticket_actions import page_path
from admin_app.web.views.ticket_forms import SUGGEST_OWNER

LIST_PATH = "/admin/trash/list"
EXPLAINED = "It comes back with its status, comments, attachments and links."


def trash_path(ticket_id: int) -> str:
    """The address of a ticket in the trash."""
    return f"/admin/trash/details/{ticket_id}"


class TrashView(RecordView, model=Ticket):
    """A second view of tickets: those that are deleted."""

    name = "Trash"
    name_plural = "Trash"
    menu: ClassVar[MenuEntry] = MenuEntry("Trash", LIST_PATH, Permission.TICKET_TRASH, "trash")
    column_list = [Ticket.ticket_number, Ticket.title, Ticket.deleted_at, Ticket.delete_reason]
    can_view_details = True
    list_template = "trash_list.html"

    async def list(self, request: Request) -> Any:
        """One page of deleted tickets, last deleted first."""
        parsing.known_parameters(request.query_params, PAGE_PARAMETERS | {"search"})
        search = request.query_params.get("search", "")[:200]
        found = await read(request, ticket_list.trash_page, search=search, request=page_request(request), may_lag=True)
        return Paged(request, found)

    async def details_page(self, request: Request, pk: str) -> Response:
        """A deleted ticket with what went with it."""
        thread = await read(request, ticket_page.read_deleted, parsing.record_id(pk))
        return await render(request, "trash.html", {"thread": thread, "ticket": thread.ticket})

    @expose("/bulk", methods=["GET", "POST"])
    async def bulk(self, request: Request) -> Response:
        """Bring many back: say what is needed, then to the preview."""
        return await bulk.ask_or_preview(request, bulk.TRASH_PATH, bulk.trash_selection)

    @expose("/restore/{pk}", methods=["GET", "POST"])
    async def restore(self, request: Request) -> Response:
        """Bring a ticket back with its comments and attachments."""
        ticket_id = parsing.record_id(request.path_params["pk"])
        owner = Field(
            "new_owner",
            "New owner",
            kind="person",
            suggest=SUGGEST_OWNER,
            help="Leave empty to give it back to its owner.",
        )

        async def ask() -> ActionPage:
            ticket = await read(request, lookup.deleted_ticket, ticket_id)
            return ActionPage(
                title=f"Restore {ticket.ticket_number}",
                explanation=f"{text_rules.sentence(ticket.title)} {EXPLAINED}",
                button="Restore",
                back=trash_path(ticket_id),
                form=Form([owner]),
            )

        async def act() -> Response:
            number = await read(request, lookup.number_of, ticket_id)
            await perform(request, tickets.restore, ticket_id, new_owner=text_in(form_of(request), "new_owner"))
            return redirect(request, page_path(ticket_id), "restored", number)

        return await run_action(request, ask, act)

    @expose("/purge/{pk}", methods=["GET", "POST"])
    async def purge(self, request: Request) -> Response:
        """Remove a ticket for good, after its number was typed."""
        ticket_id = parsing.record_id(request.path_params["pk"])

        async def ask() -> ActionPage:
            ticket, counts = await read(request, tickets.purge_preview, ticket_id)
            number = Field("typed_number", f"Type {ticket.ticket_number} to confirm", required=True)
            facts = {
                "Comments": counts.comments,
                "Attachments": counts.attachments,
                "Watchers": counts.watchers,
                "Tags": counts.tags,
                "Notifications that lose their link": counts.notifications,
                "Tickets that point here": counts.pointing_here,
            }
            return ActionPage(
                title=f"Remove {ticket.ticket_number} for good",
                explanation=f"{text_rules.sentence(ticket.title)} This cannot be undone; the audit log keeps an entry.",
                button="Remove for good",
                back=trash_path(ticket_id),
                form=Form([number]),
                is_dangerous=True,
                facts=facts,
            )

        async def act() -> Response:
            typed = text_in(form_of(request), "typed_number")
            store = desk_of(request).store
            await perform(request, tickets.purge_for_good, ticket_id, typed_number=typed, store=store)
            return redirect(request, LIST_PATH, "purged", typed.strip().upper())

        return await run_action(request, ask, act)


TrashView.identity = "trash"  # after the class: SQLAdmin's metaclass overwrites it
