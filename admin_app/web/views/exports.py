"""Export: what the list shows as a file. Choose a kind, have it made while it is saved, see how far it is."""

from typing import Any
from urllib.parse import urlencode

from sqladmin import expose
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from admin_app.errors import Conflict, Malformed
from admin_app.models import ExportFormat, ExportState, TicketExport
from admin_app.permissions import Permission
from admin_app.services.batches.exports import requests
from admin_app.services.batches.exports.lines import KINDS
from admin_app.services.batches.exports.pages import Listed
from admin_app.services.batches.exports.running import Export, side_text
from admin_app.services.batches.exports.spreadsheets import MOST_ROWS
from admin_app.services.pages import ticket_list
from admin_app.web import parsing
from admin_app.web.desk import actor_of, desk_of, form_of, session_id_of, text_in
from admin_app.web.downloads import as_download
from admin_app.web.errors import wants_json
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.streaming import MadeMeanwhile
from admin_app.web.views.base import PAGE_PARAMETERS
from admin_app.web.views.ticket_filters import FILTERS, filter_in

PATH = "/admin/ticket/export"
ORDER = frozenset({"sortBy", "sort"})
HINTS = {
    ExportFormat.CSV: "for any number of tickets; spreadsheets open it, and an import here reads it",
    ExportFormat.JSONL: "one object a line, for programs",
    ExportFormat.XLSX: f"for at most {MOST_ROWS:,} tickets; very long texts are cut, and say so",
}
MOVING = frozenset({ExportState.WAITING, ExportState.RUNNING})


def export_path(query: QueryParams) -> str:
    """Where the list's button leads: to an export of just what the list shows."""
    kept = _kept(query)
    return f"{PATH}?{kept}" if kept else PATH


class TicketExports:
    """The export routes of the ticket view."""

    @expose("/export", methods=["GET", "POST"])
    async def export(self, request: Request) -> Response:
        """Choose the kind of file; then to the page of the export."""
        actor = actor_of(request)
        actor.require(Permission.TICKET_EXPORT)
        is_sent = request.method == "POST"
        query = QueryParams(text_in(form_of(request), "query")) if is_sent else request.query_params
        listed = _listed(query, actor.timezone)
        if is_sent:
            chosen = parsing.one_of(text_in(form_of(request), "format"), ExportFormat, "format")
            outcome = await perform(request, requests.ask, listed, chosen, query=_kept(query))
            return redirect(request, f"{_path(outcome.record_id)}?begin=yes")
        context = {
            "about": _about(await read(request, requests.count, listed, may_lag=True)),
            "kinds": [(kind, HINTS[kind.format]) for kind in KINDS.values()],
            "query": _kept(query),
            "recent": await read(request, requests.recent),
            "is_ranked": _is_ranked(query),
            "is_narrowed": bool(FILTERS & query.keys()),
        }
        return await render(request, "export.html", context)

    @expose("/export/{pk}", methods=["GET"])
    async def export_page(self, request: Request) -> Response:
        """An export: to be begun, how far it is, or how it ended."""
        found = await _find(request)
        if wants_json(request):
            return JSONResponse({"done": found.row_count, "state": found.state.value, "is_over": _is_over(found)})
        counted = 0
        if found.state in MOVING:
            counted = await read(request, requests.count, _listed_in(request, found), may_lag=True)
        context = {
            "record": found,
            "kind": KINDS[found.format],
            "about": _about(counted),
            "total": counted if 0 < counted <= requests.COUNT_CAP else 0,
            "is_silent": requests.is_silent(found),
            "is_over": _is_over(found),
            "begins": request.query_params.get("begin") == "yes",
            "file_name": _file_name(found),
            "again": export_path(QueryParams(found.query)),
            "back": f"/admin/ticket/list?{found.query}",
        }
        return await render(request, "export_page.html", context)

    @expose("/export/download/{pk}", methods=["POST"])
    async def download_export(self, request: Request) -> Response:
        """The file itself, made while it is sent; once for each export."""
        found = await _find(request)
        if found.state is not ExportState.WAITING:
            raise Conflict("This export was started before, or cancelled. Make a new one.")
        desk, kind = desk_of(request), KINDS[found.format]
        listed, sign_in_id = _listed_in(request, found), session_id_of(request)
        export = Export(desk.database, actor_of(request), found.id, listed, sign_in_id=sign_in_id)
        return MadeMeanwhile(
            request,
            export.chunks(found.format),
            desk.export_turns.one(),
            filename=_file_name(found),
            media_type=kind.media_type,
        )

    @expose("/export/cancel/{pk}", methods=["POST"])
    async def cancel_export(self, request: Request) -> Response:
        """Stop it, or never begin."""
        export_id = parsing.record_id(request.path_params["pk"])
        await perform(request, requests.cancel, export_id)
        return redirect(request, _path(export_id))

    @expose("/export/checksum/{pk}", methods=["GET"])
    async def export_checksum(self, request: Request) -> Response:
        """The side file of a whole file: how many rows it holds, and its SHA-256."""
        found = await _find(request)
        if found.state is not ExportState.FINISHED:
            raise Conflict("There is a checksum once the whole file is out.")
        name = _file_name(found)
        text = side_text(name, found.row_count, found.sha256)
        return PlainTextResponse(text, headers=as_download(f"{name}.sha256"))


async def _find(request: Request) -> TicketExport:
    found: TicketExport = await read(request, requests.find, parsing.record_id(request.path_params["pk"]))
    return found


def _listed(query: QueryParams, zone: str) -> Listed:
    """What the list with this address shows."""
    parsing.known_parameters(query, FILTERS | ORDER | PAGE_PARAMETERS)
    if query.get("sort", "desc") not in {"asc", "desc"}:
        raise Malformed("Sort either asc or desc.")
    sort = query.get("sortBy") or "created_at"
    if sort == ticket_list.RELEVANCE:
        return Listed(filter_in(query, zone), "created_at", descending=True)
    return Listed(filter_in(query, zone), sort, descending=query.get("sort", "desc") == "desc")


def _is_ranked(query: QueryParams) -> bool:
    """Whether the list is in the order of relevance, which a file is not."""
    sort = query.get("sortBy") or ticket_list.RELEVANCE
    return sort == ticket_list.RELEVANCE and bool(query.get("search", "").strip())


def _listed_in(request: Request, found: TicketExport) -> Listed:
    return _listed(QueryParams(found.query), actor_of(request).timezone)


def _kept(query: QueryParams) -> str:
    """Filter, search and sort of an address, without the place in the list."""
    return urlencode([(name, value) for name, value in query.multi_items() if name in FILTERS | ORDER and value])


def _path(export_id: Any) -> str:
    return f"{PATH}/{export_id}"


def _about(count: int) -> str:
    if count > requests.COUNT_CAP:
        return f"more than {requests.COUNT_CAP:,} tickets"
    return "1 ticket" if count == 1 else f"{count:,} tickets"


def _is_over(found: TicketExport) -> bool:
    return found.state not in MOVING or requests.is_silent(found)


def _file_name(found: TicketExport) -> str:
    return f"tickets-{found.created_at:%Y-%m-%d}-{found.id}.{KINDS[found.format].ending}"
