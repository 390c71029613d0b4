"""The database pools of all workers, for ops."""

from typing import ClassVar

import anyio.to_thread
from sqladmin import BaseView, expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app import clock
from admin_app.permissions import Permission
from admin_app.services.blocks import tidings
from admin_app.services.operations import alert_tests
from admin_app.services.pages import pool_page
from admin_app.web import pool_pass
from admin_app.web.desk import actor_of, desk_of
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform
from admin_app.web.timeline import timeline
from admin_app.web.views.base import MenuEntry


class PoolView(BaseView):
    """Figures straight from memory; nothing here asks the database, so neither an empty pool nor its end stops it."""

    name = "Pool"
    identity = "pool"
    menu: ClassVar[MenuEntry] = MenuEntry("Pool", pool_pass.PATH, Permission.POOL_VIEW, "pool")

    @expose("/pool", methods=["GET"], identity="pool")
    async def show(self, request: Request) -> Response:
        """The page."""
        desk = desk_of(request)
        watch, suspect_after = desk.watch, desk.suspect_after
        page = pool_page.show(actor_of(request), desk.crew, watch.lookout, desk.pools(), suspect_after=suspect_after)
        shown = {
            "page": page,
            "timeline": timeline(page.samples, clock.now()),
            "by_pass": pool_pass.is_by_pass(request),
        }
        response = await render(request, "pool.html", shown)
        pool_pass.renew(request, response)
        return response

    @expose("/pool/test-alert", methods=["POST"], identity="pool-test-alert")
    async def test_alert(self, request: Request) -> Response:
        """Send a test through every channel, and say how it went; a form that is sent again sends nothing."""
        outcome = await perform(request, alert_tests.record)
        if outcome.replayed:
            return redirect(request, pool_pass.PATH)
        deliveries = await anyio.to_thread.run_sync(desk_of(request).watch.alarm.try_out, tidings.test())
        return await render(request, "alert_test.html", {"deliveries": deliveries})
