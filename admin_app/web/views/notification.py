"""What a person has been told; with the right, what everybody has been told."""

from typing import Any, ClassVar

from sqladmin import expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app.errors import Malformed
from admin_app.models import Notification
from admin_app.permissions import Permission
from admin_app.services.pages import notification_list
from admin_app.services.records import notifications
from admin_app.web import parsing
from admin_app.web.desk import form_of, text_in
from admin_app.web.pages import redirect
from admin_app.web.perform import perform, read
from admin_app.web.views.base import PAGE_PARAMETERS, MenuEntry, Paged, RecordView, page_request
from admin_app.web.views.ticket_actions import page_path

LIST_PATH = "/admin/notification/list"


class NotificationView(RecordView, model=Notification):
    """Own notifications with their read marks."""

    name = "Notification"
    name_plural = "Notifications"
    menu: ClassVar[MenuEntry] = MenuEntry("Notifications", LIST_PATH, Permission.NOTIFICATION_LIST, "bell")
    column_list = [Notification.id, Notification.message, Notification.created_at]
    list_template = "notification_list.html"

    async def list(self, request: Request) -> Any:
        """One page, unread only unless all are asked for."""
        query = request.query_params
        parsing.known_parameters(query, PAGE_PARAMETERS | {"show"})
        if query.get("show", "") not in {"", "unread", "everyone"}:
            raise Malformed("Notifications are shown as all, unread or everyone's.")
        found = await read(
            request,
            notification_list.page,
            unread_only=query.get("show") == "unread",
            everyone=query.get("show") == "everyone",
            request=page_request(request),
            may_lag=True,
        )
        return Paged(request, found)

    @expose("/read/{pk}", methods=["POST"])
    async def mark_read(self, request: Request) -> Response:
        """Mark one as read, and go to the ticket when that was asked for."""
        ticket = text_in(form_of(request), "ticket_id")
        target = page_path(parsing.record_id(ticket)) if ticket else LIST_PATH
        await perform(request, notifications.mark_read, parsing.record_id(request.path_params["pk"]))
        return redirect(request, target)

    @expose("/read-all", methods=["POST"])
    async def mark_all_read(self, request: Request) -> Response:
        """Mark all as read."""
        await perform(request, notifications.mark_all_read)
        return redirect(request, LIST_PATH, "all_read")
