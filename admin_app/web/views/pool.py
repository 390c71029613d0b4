"""The database pools of all workers, for ops."""

from typing import ClassVar

from sqladmin import BaseView, expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app import clock
from admin_app.permissions import Permission
from admin_app.services.pages import pool_page
from admin_app.web import pool_pass
from admin_app.web.desk import actor_of, desk_of
from admin_app.web.pages import render
from admin_app.web.timeline import timeline
from admin_app.web.views.base import MenuEntry


class PoolView(BaseView):
    """Figures straight from memory; nothing here asks the database, so neither an empty pool nor its end stops it."""

    name = "Pool"
    identity = "pool"
    menu: ClassVar[MenuEntry] = MenuEntry("Pool", "/admin/pool", Permission.POOL_VIEW, "pool")

    @expose("/pool", methods=["GET"], identity="pool")
    async def show(self, request: Request) -> Response:
        """The page."""
        desk = desk_of(request)
        page = pool_page.show(actor_of(request), desk.crew, desk.pools(), suspect_after=desk.suspect_after)
        shown = {
            "page": page,
            "timeline": timeline(page.samples, clock.now()),
            "by_pass": pool_pass.is_by_pass(request),
        }
        response = await render(request, "pool.html", shown)
        pool_pass.renew(request, response)
        return response
