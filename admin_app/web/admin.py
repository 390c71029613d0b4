"""DeskAdmin: SQLAdmin's routes, kept, replaced and removed.

Kept: the mount, the templates, the registry of views, list and details. Replaced: index, create, edit, sign-in and
sign-out. Removed: the file routes (they treat any column as a path), delete, export and import (they write or read
past the services), and 1.9 MB of static files (one of them is used, see `assets.py`).
"""

from pathlib import Path
from typing import Any

from sqladmin import Admin
from sqladmin.authentication import login_required
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from admin_app.errors import NotFound, PermissionDenied
from admin_app.permissions import Permission
from admin_app.web import assets
from admin_app.web.authorization import DeskAuthorization
from admin_app.web.code_page import code_page
from admin_app.web.desk import actor_of, desk_of, form_of
from admin_app.web.errors import ErrorPages, http_error
from admin_app.web.pages import MESSAGE_COOKIE
from admin_app.web.password_link import password_link_page
from admin_app.web.sign_in import PROVIDER_BUTTON, DeskAuthentication, sign_in_page
from admin_app.web.single_sign_on.pages import back_page, to_provider
from admin_app.web.templating import Templates
from admin_app.web.views.audit_log import AuditLogView
from admin_app.web.views.base import RecordView
from admin_app.web.views.comment import CommentView
from admin_app.web.views.dashboard import dashboard_page
from admin_app.web.views.errors import ErrorsView
from admin_app.web.views.imports import ImportView
from admin_app.web.views.my_sign_ins import MySignInsView
from admin_app.web.views.notification import NotificationView
from admin_app.web.views.pool import PoolView
from admin_app.web.views.second_factor import SecondFactorView
from admin_app.web.views.slow_queries import SlowQueriesView
from admin_app.web.views.ticket import TicketView
from admin_app.web.views.trash import TrashView
from admin_app.web.views.user import UserView

HERE = Path(__file__).parent
TITLE = "Support Desk"
REMOVED_ROUTES = frozenset({"statics", "file_download", "file_preview", "delete", "export", "import"})
VIEWS = (
    TicketView,
    TrashView,
    UserView,
    AuditLogView,
    ImportView,
    NotificationView,
    CommentView,
    PoolView,
    ErrorsView,
    SlowQueriesView,
    SecondFactorView,
    MySignInsView,
)


class DeskAdmin(Admin):
    """The mounted admin. One instance per view class: SQLAdmin writes attributes on the classes."""

    def __init__(self, app: Starlette, session_maker: Any) -> None:
        super().__init__(
            app,
            session_maker=session_maker,
            base_url="/admin",
            title=TITLE,
            middlewares=[Middleware(ErrorPages)],
            authentication_backend=DeskAuthentication(),
            authorization_backend=DeskAuthorization(),
        )
        self.admin.exception_handlers = {HTTPException: http_error}
        kept = [route for route in self.admin.router.routes if getattr(route, "name", "") not in REMOVED_ROUTES]
        replaced = [route for route in kept if getattr(route, "name", "") != "logout"]
        way_back = Route("/login/provider", endpoint=back_page, name="provider", methods=["GET"])
        way_back.methods = {"GET"}  # not HEAD, which comes with it
        self.admin.router.routes = [
            Mount("/assets", app=assets.serve, name="assets"),
            *replaced,
            Route("/login/code", endpoint=code_page, name="code", methods=["GET", "POST"]),
            Route("/password-link", endpoint=password_link_page, name="password-link", methods=["GET", "POST"]),
            way_back,
            Route("/logout", endpoint=self.logout, name="logout", methods=["POST"]),
        ]
        self.admin.router.redirect_slashes = False  # one address per page; a guess with a slash is no page
        for view in VIEWS:
            self.add_view(view)

    def init_templating_engine(self) -> Any:
        """Ours; SQLAdmin's own templates are not used."""
        templates = Templates(HERE / "templates")
        templates.env.globals["admin"] = self
        return templates

    def record_view(self, request: Request) -> RecordView:
        """The view behind the address; `NotFound` when there is none, or nothing in it that this person may do."""
        view = self._find_model_view(request.path_params["identity"])
        if not isinstance(view, RecordView):
            raise NotFound
        return view

    @login_required
    async def index(self, request: Request) -> Response:
        """The dashboard; those who see no tickets start at what they do see."""
        if actor_of(request).can(Permission.TICKET_LIST):
            return await dashboard_page(request)
        can_see_pool = actor_of(request).can(Permission.POOL_VIEW)
        return RedirectResponse("/admin/pool" if can_see_pool else "/admin/notification/list", status_code=302)

    @login_required
    async def list(self, request: Request) -> Response:
        """A page of records; a view without a place in the menu has no list."""
        view = self.record_view(request)
        if view.menu is None:
            raise NotFound
        if not view.has_permission(request, "list"):
            raise PermissionDenied
        response: Response = await super().list(request)
        if MESSAGE_COOKIE in request.cookies:  # shown on this page, as `render` does it elsewhere
            response.delete_cookie(MESSAGE_COOKIE, path="/")
        return response

    @login_required
    async def create(self, request: Request) -> Response:
        """The form for a new record, and its answer."""
        view = self.record_view(request)
        if not view.can_create:
            raise NotFound
        if not view.has_permission(request, "create"):
            raise PermissionDenied
        return await view.create_page(request)

    @login_required
    async def edit(self, request: Request) -> Response:
        """The edit form under its optimistic lock, and its answer."""
        view = self.record_view(request)
        if not view.can_edit or not view.has_permission(request, "edit"):
            raise NotFound
        return await view.edit_page(request, request.path_params["pk"])

    @login_required
    async def details(self, request: Request) -> Response:
        """One record; somebody who may see none of its kind learns nothing about it."""
        view = self.record_view(request)
        if not view.can_view_details or not view.has_permission(request, "details"):
            raise NotFound
        return await view.details_page(request, request.path_params["pk"])

    @login_required
    async def ajax_lookup(self, request: Request) -> Response:
        """People whose name or address contains `term`, for the field `name`."""
        found = await self.record_view(request).suggest(
            request, request.query_params.get("name", ""), request.query_params.get("term", "")
        )
        return JSONResponse({"results": found})

    async def login(self, request: Request) -> Response:
        """The sign-in form, and its answer."""
        if request.method != "POST":
            return await sign_in_page(request)
        provider = desk_of(request).provider
        if provider is not None and PROVIDER_BUTTON in form_of(request):
            return await to_provider(request, provider)
        response = await DeskAuthentication().login(request)
        return response if isinstance(response, Response) else await sign_in_page(request)

    @login_required
    async def logout(self, request: Request) -> Response:
        """Sign out; POST only, so that no link can do it."""
        response = await DeskAuthentication().logout(request)
        return response if isinstance(response, Response) else await sign_in_page(request)
