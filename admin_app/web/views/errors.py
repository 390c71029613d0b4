"""Failures that nobody foresaw, for ops: by kind, and the reports of one kind."""

from typing import ClassVar

from sqladmin import BaseView, expose
from starlette.requests import Request
from starlette.responses import Response

from admin_app.permissions import Permission
from admin_app.services.pages import error_list
from admin_app.services.records import listing
from admin_app.web import parsing
from admin_app.web.desk import desk_of
from admin_app.web.pages import redirect, render
from admin_app.web.perform import read
from admin_app.web.sign_in import ERRORS_PATH
from admin_app.web.views.base import PAGE_PARAMETERS, MenuEntry, Paged, page_request


class ErrorsView(BaseView):
    """Read through the connection that is kept aside, so a pool that is exhausted cannot hide what it causes."""

    name = "Errors"
    identity = "errors"
    menu: ClassVar[MenuEntry] = MenuEntry("Errors", ERRORS_PATH, Permission.ERRORS_VIEW, "alert")

    @expose("/errors", methods=["GET"], identity="errors")
    async def show(self, request: Request) -> Response:
        """The kinds of error; with a reference in the address, straight to the kind behind it."""
        query = request.query_params
        parsing.known_parameters(query, PAGE_PARAMETERS | {"reference"})
        if query.get("reference", "").strip():
            fingerprint = await read(request, error_list.kind_of, query["reference"], aside=True)
            return redirect(request, f"{ERRORS_PATH}/kind/{fingerprint}")
        kinds = await read(request, error_list.page, request=page_request(request), aside=True)
        context = {
            "kinds": kinds,
            "alert_at": desk_of(request).errors.alert_at,
            "pagination": Paged(request, kinds.page),
            "page_sizes": listing.PAGE_SIZES,
        }
        return await render(request, "errors.html", context)

    @expose("/errors/kind/{fingerprint}", methods=["GET"], identity="errors-kind")
    async def show_kind(self, request: Request) -> Response:
        """One kind and its reports."""
        parsing.known_parameters(request.query_params, PAGE_PARAMETERS)
        fingerprint = request.path_params["fingerprint"]
        found = await read(request, error_list.reports, fingerprint, request=page_request(request), aside=True)
        context = {"found": found, "pagination": Paged(request, found.page), "page_sizes": listing.PAGE_SIZES}
        return await render(request, "error_kind.html", context)
