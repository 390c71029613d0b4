"""The database pool of this process, for ops."""

from typing import ClassVar

from sqladmin import BaseView, expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app.permissions import Permission
from admin_app.services.records import pool
from admin_app.web.desk import actor_of, desk_of
from admin_app.web.pages import render
from admin_app.web.views.base import MenuEntry


class PoolView(BaseView):
    """Figures straight from memory; nothing here asks the database, so an exhausted pool cannot stop it."""

    name = "Pool"
    identity = "pool"
    menu: ClassVar[MenuEntry] = MenuEntry("Pool", "/admin/pool", Permission.POOL_VIEW, "pool")

    @expose("/pool", methods=["GET"], identity="pool")
    async def show(self, request: Request) -> Response:
        """The page."""
        statuses = pool.status(actor_of(request), desk_of(request).pools())
        return await render(request, "pool.html", {"pools": statuses})
