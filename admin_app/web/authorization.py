"""SQLAdmin's questions, answered from our one table."""

from typing import Any

from sqladmin.authorization import AuthorizationBackend
from starlette.requests import Request

from admin_app.permissions import Permission
from admin_app.web.desk import signed_in

NEEDED: dict[tuple[str, str], Permission] = {
    ("ticket", "list"): Permission.TICKET_LIST,
    ("ticket", "details"): Permission.TICKET_DETAILS,
    ("ticket", "create"): Permission.TICKET_CREATE,
    ("ticket", "edit"): Permission.TICKET_EDIT,
    ("trash", "list"): Permission.TICKET_TRASH,
    ("trash", "details"): Permission.TICKET_TRASH,
    ("user", "list"): Permission.USER_LIST,
    ("user", "details"): Permission.USER_DETAILS,
    ("user", "create"): Permission.USER_CREATE,
    ("user", "edit"): Permission.USER_EDIT,
    ("comment", "details"): Permission.TICKET_DETAILS,
    ("comment", "edit"): Permission.TICKET_COMMENT,
    ("audit-log", "list"): Permission.AUDIT_LIST,
    ("audit-log", "details"): Permission.AUDIT_DETAILS,
    ("notification", "list"): Permission.NOTIFICATION_LIST,
    ("import", "list"): Permission.TICKET_IMPORT,
    ("pool", "list"): Permission.POOL_VIEW,
    ("errors", "list"): Permission.ERRORS_VIEW,
    ("slow-queries", "list"): Permission.SLOW_QUERIES_VIEW,
}
"""(view, SQLAdmin's action) → permission. What is not here is refused."""


class DeskAuthorization(AuthorizationBackend):
    """Decides from the actor's role alone; which rows somebody may see is decided in the services."""

    def has_permission(self, request: Request, identity: str, action: str, obj: Any | None = None) -> bool:
        """Whether the signed-in person's role holds the permission behind this view and action."""
        needed = NEEDED.get((identity, str(action)))
        found = signed_in(request)
        return needed is not None and found is not None and found.actor.can(needed)
