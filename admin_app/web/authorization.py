"""SQLAdmin's questions, answered from our one table."""

from typing import Any

from sqladmin.authorization import AuthorizationBackend
from starlette.requests import Request

from admin_app.web.desk import signed_in
from admin_app.web.routes import needed_for


class DeskAuthorization(AuthorizationBackend):
    """Decides from the actor's role alone; which rows somebody may see is decided in the services."""

    def has_permission(self, request: Request, identity: str, action: str, obj: Any | None = None) -> bool:
        """Whether the signed-in person's role holds the permission behind this view and action."""
        needed = needed_for(identity, str(action))
        found = signed_in(request)
        return needed is not None and found is not None and found.actor.can(needed)
