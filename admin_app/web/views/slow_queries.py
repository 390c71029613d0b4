"""The slow statements of this process, for ops."""

from typing import ClassVar

from sqladmin import BaseView, expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app.permissions import Permission
from admin_app.services.records import slow_queries
from admin_app.web.desk import actor_of, desk_of
from admin_app.web.pages import render
from admin_app.web.sign_in import SLOW_QUERIES_PATH
from admin_app.web.views.base import MenuEntry


class SlowQueriesView(BaseView):
    """Read from memory, as the pool page is."""

    name = "Slow queries"
    identity = "slow-queries"
    menu: ClassVar[MenuEntry] = MenuEntry("Slow queries", SLOW_QUERIES_PATH, Permission.SLOW_QUERIES_VIEW, "slow")

    @expose("/slow-queries", methods=["GET"], identity="slow-queries")
    async def show(self, request: Request) -> Response:
        """The page."""
        status = slow_queries.status(actor_of(request), desk_of(request).slow_queries)
        return await render(request, "slow_queries.html", {"status": status})
