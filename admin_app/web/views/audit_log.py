"""Who did what, and when. Read only."""

from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from admin_app.models import AuditAction, AuditLog
from admin_app.permissions import Permission
from admin_app.services.pages import audit_list
from admin_app.web import parsing
from admin_app.web.desk import actor_of
from admin_app.web.pages import in_words, render
from admin_app.web.perform import read
from admin_app.web.views.base import PAGE_PARAMETERS, MenuEntry, Paged, RecordView, page_request

PARAMETERS = PAGE_PARAMETERS | {"actor", "action", "record", "table", "field", "batch", "from", "to"}
TABLES = {"": "Anything", "tickets": "Tickets", "users": "People", "comments": "Comments"}


class AuditLogView(RecordView, model=AuditLog):
    """The log, filtered, old → new in people's words."""

    name = "Audit log"
    name_plural = "Audit log"
    menu: ClassVar[MenuEntry] = MenuEntry("Audit log", "/admin/audit-log/list", Permission.AUDIT_LIST, "log")
    column_list = [AuditLog.id, AuditLog.occurred_at, AuditLog.actor_name, AuditLog.action]
    can_view_details = True
    list_template = "audit_list.html"

    async def list_context(self, request: Request) -> dict[str, Any]:
        """The choices of the filter form."""
        actions = [(action.value, in_words(action.value)) for action in AuditAction]
        return {**await super().list_context(request), "actions": actions, "tables": TABLES}

    async def list(self, request: Request) -> Any:
        """One page of entries, newest first."""
        query, zone = request.query_params, actor_of(request).timezone
        parsing.known_parameters(query, PARAMETERS)
        wanted = audit_list.AuditFilter(
            actor=query.get("actor", "").replace("\x00", ""),
            action=parsing.choice(query.get("action", ""), AuditAction, "action"),
            record=query.get("record", "").replace("\x00", ""),
            table_name=query.get("table", "").replace("\x00", ""),
            field=query.get("field", "").replace("\x00", ""),
            batch_id=query.get("batch", "").replace("\x00", ""),
            occurred_from=parsing.date(query.get("from", ""), "first day", zone),
            occurred_before=parsing.date(query.get("to", ""), "last day", zone, days_later=1),
        )
        found, entries = await read(request, audit_list.page, wanted, request=page_request(request), may_lag=True)
        paged = Paged(request, found)
        paged.rows = entries
        return paged

    async def details_page(self, request: Request, pk: str) -> Response:
        """One entry in full; that of a batch with its first members."""
        entry_id = parsing.record_id(pk)
        entry = await read(request, audit_list.find, entry_id)
        members, count = await read(request, audit_list.members_of, entry_id)
        return await render(request, "audit_entry.html", {"entry": entry, "members": members, "count": count})
