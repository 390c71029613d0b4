"""One change to many tickets: choose on a list, say what, look at the preview, apply it, undo it."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqladmin import expose
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from admin_app.actor import Actor
from admin_app.errors import AppError, Conflict, Malformed, PermissionDenied
from admin_app.models import BatchKind, BatchState
from admin_app.permissions import Permission
from admin_app.services.batches.bulk import apply as applying
from admin_app.services.batches.bulk import looking, preview, undo
from admin_app.services.batches.bulk.actions import ACTIONS
from admin_app.services.batches.bulk.choosing import Selection
from admin_app.services.batches.bulk.parameters import LONGEST_RESOLUTION
from admin_app.services.batches.bulk.preview import Wanted
from admin_app.services.records import text_rules
from admin_app.web import parsing
from admin_app.web.desk import actor_of, form_of, text_in
from admin_app.web.forms import Field, Form, Options
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.progress import Progress, follow
from admin_app.web.views.base import PAGE_PARAMETERS, SHOWN_AGAIN
from admin_app.web.views.ticket_filters import FILTERS, filter_in
from admin_app.web.views.ticket_forms import PRIORITIES, SUGGEST_OWNER

PATH = "/admin/ticket/bulk"
TRASH_PATH = "/admin/trash/bulk"
CHOICE = frozenset({"action", "scope", "ids", "shown"})
LISTED = PAGE_PARAMETERS | {"sortBy", "sort"}
MOST_QUERY = 8_000
"""Characters of a selection; a page of ticked tickets has far fewer."""

LABELS = {
    BatchKind.CLOSE: "Close",
    BatchKind.ASSIGN: "Hand over",
    BatchKind.PRIORITY: "Set priority",
    BatchKind.TAG: "Add or remove tags",
    BatchKind.DELETE: "Delete",
    BatchKind.RESTORE: "Restore",
}
HINTS = {
    BatchKind.CLOSE: "A ticket that has a resolution keeps it; the others get this one.",
    BatchKind.ASSIGN: "The new owner and each former one get one notification.",
    BatchKind.PRIORITY: "Nobody is notified of a priority.",
    BatchKind.TAG: "Words, separated by commas.",
    BatchKind.DELETE: "They go to the trash with their comments and attachments, and can be brought back together.",
    BatchKind.RESTORE: "Each comes back with its status, comments, attachments and links.",
}
REASON = Field("reason", "Reason", kind="textarea", required=True, longest=text_rules.LONGEST["reason"], rows=3)
NEW_OWNER = Field("new_owner", "New owner", kind="person", required=True, suggest=SUGGEST_OWNER)
HEIR = Field(
    "new_owner",
    "New owner where one is needed",
    kind="person",
    suggest=SUGGEST_OWNER,
    help="Only for tickets whose owner can no longer own any.",
)
QUESTIONS: dict[BatchKind, list[Field]] = {
    BatchKind.CLOSE: [Field("resolution", "Resolution", kind="textarea", longest=LONGEST_RESOLUTION)],
    BatchKind.ASSIGN: [NEW_OWNER, REASON],
    BatchKind.PRIORITY: [Field("priority", "Priority", kind="select", options=PRIORITIES, value="2")],
    BatchKind.TAG: [Field("tags", "Tags to add"), Field("removed_tags", "Tags to remove")],
    BatchKind.DELETE: [REASON],
    BatchKind.RESTORE: [HEIR],
}


def batch_path(batch_id: str) -> str:
    """The address of a batch's page."""
    return f"{PATH}/{batch_id}"


def choices_on_list(actor: Actor) -> Options:
    """What this person may do to many tickets of the list; nothing without `ticket:bulk`."""
    if not actor.can(Permission.TICKET_BULK):
        return []
    kinds = [kind for kind, action in ACTIONS.items() if not action.on_deleted and actor.can(action.permission)]
    return [(kind.value, LABELS[kind]) for kind in kinds]


class BulkActions:
    """The bulk routes of the ticket view."""

    @expose("/bulk", methods=["GET", "POST"])
    async def bulk(self, request: Request) -> Response:
        """Say what to do with the chosen tickets; then to the preview."""
        return await ask_or_preview(request, PATH, live_selection)

    @expose("/bulk/{pk}", methods=["GET"])
    async def show_batch(self, request: Request) -> Response:
        """A batch: before → after while it is a preview, what came of it afterwards."""
        return await _page(request, request.path_params["pk"])

    @expose("/bulk/apply/{pk}", methods=["POST"])
    async def apply_batch(self, request: Request) -> Response:
        """Change every planned ticket, or none."""
        page = await _may(request, lambda found: found.may_apply, "Somebody else made this preview.")
        return await _follow(request, applying.apply, page.batch.batch_id, page.batch.planned_count)

    @expose("/bulk/undo/{pk}", methods=["POST"])
    async def undo_batch(self, request: Request) -> Response:
        """Give untouched tickets their old values back."""
        page = await _may(request, lambda found: found.may_undo, "You may not do the opposite of this.")
        return await _follow(request, undo.undo, page.batch.batch_id, page.batch.planned_count)

    @expose("/bulk/again/{pk}", methods=["POST"])
    async def preview_again(self, request: Request) -> Response:
        """The same for the same tickets, as they are now."""
        outcome = await perform(request, preview.preview_again, request.path_params["pk"])
        return redirect(request, batch_path(await read(request, looking.batch_id_of, outcome.record_id)))


async def ask_or_preview(
    request: Request, path: str, selection_in: Callable[[QueryParams, str], Selection]
) -> Response:
    """GET asks for what the action needs; POST makes the preview, or asks again with the typed text."""
    actor = actor_of(request)
    actor.require(Permission.TICKET_BULK)
    form = form_of(request)
    is_sent = request.method == "POST"
    query = QueryParams(text_in(form, "selection")) if is_sent else request.query_params
    if len(str(query)) > MOST_QUERY:  # cutting it would leave part of a number: another ticket
        raise Malformed("That is too long a choice. Tick fewer tickets, or choose all that match.")
    kind = _kind_in(query, path)
    actor.require(ACTIONS[kind].permission)
    selection = selection_in(query, actor.timezone)
    questions, status_code = Form(QUESTIONS[kind]), 200
    if is_sent:
        typed = {field.name: text_in(form, field.name) for field in questions.fields}
        try:
            outcome = await perform(request, preview.preview, Wanted(kind, typed), selection)
            return redirect(request, batch_path(await read(request, looking.batch_id_of, outcome.record_id)))
        except SHOWN_AGAIN as error:
            questions, status_code = questions.typed(form, error), error.status_code
    context = {
        "title": LABELS[kind],
        "hint": HINTS[kind],
        "chosen": _in_words(selection),
        "form": questions,
        "selection": str(query),
        "path": path,
        "back": path.replace("/bulk", "/list"),
    }
    return await render(request, "bulk.html", context, status_code=status_code)


def live_selection(query: QueryParams, zone: str) -> Selection:
    """Tickets of the ticket list: ticked ones, those on the page, or whatever the filter finds."""
    parsing.known_parameters(query, FILTERS | CHOICE | LISTED)
    if query.get("scope") == "matching":
        return Selection(matching=filter_in(query, zone))
    return Selection(ids=_ids_in(query))


def trash_selection(query: QueryParams, zone: str) -> Selection:
    """Tickets of the trash: ticked ones, those on the page, what a search finds, or one delete batch."""
    parsing.known_parameters(query, CHOICE | PAGE_PARAMETERS | {"search", "batch"})
    if query.get("batch"):
        return Selection(delete_batch_id=query["batch"].replace("\x00", ""))
    if query.get("scope") == "matching":
        return Selection(in_trash=query.get("search", "").replace("\x00", "")[:200])
    return Selection(ids=_ids_in(query))


def _ids_in(query: QueryParams) -> list[int]:
    scopes = {"": "ids", "ticked": "ids", "page": "shown"}
    scope = query.get("scope", "")
    if scope not in scopes:
        raise Malformed("Choose the ticked tickets, those on the page, or all that match.")
    words = " ".join(query.getlist(scopes[scope])).split()
    return [parsing.whole_number(word, "number of a ticket") for word in words]


def _kind_in(query: QueryParams, path: str) -> BatchKind:
    """What to do; the trash knows one thing only."""
    if path == TRASH_PATH:
        return BatchKind.RESTORE
    kind = parsing.choice(query.get("action", ""), BatchKind, "change")
    if kind is None or kind is BatchKind.RESTORE:
        raise Malformed("Say what to do with the tickets.")
    return kind


def _in_words(selection: Selection) -> str:
    if selection.ids:
        count = len(set(selection.ids))
        return "1 chosen ticket" if count == 1 else f"{count:,} chosen tickets"
    if selection.delete_batch_id:
        return "everything that was deleted together"
    return "everything that matches" if selection.matching or selection.in_trash is not None else "no ticket yet"


async def _may(request: Request, allows: Callable[[looking.BatchPage], bool], sentence: str) -> looking.BatchPage:
    """The batch, or a refusal before any line of progress flows."""
    page: looking.BatchPage = await read(request, looking.read, request.path_params["pk"])
    if not allows(page):
        raise PermissionDenied(sentence)
    return page


async def _follow(request: Request, service: Callable[..., Awaitable[Any]], batch_id: str, count: int) -> Response:
    """Do it with progress; without a script a conflict brings the page back with a sentence."""

    async def work(progress: Progress) -> str:
        def tell(phase: str, done: int, total: int) -> None:
            is_changing = phase == applying.CHANGING
            said = f"{done:,} of {total:,} tickets {'changed' if is_changing else 'checked'}"
            progress(done + (count if is_changing else 0), 2 * count, said)

        await perform(request, service, batch_id, tell)
        return batch_path(batch_id)

    try:
        return await follow(request, work)
    except Conflict as error:
        return await _page(request, batch_id, error=error)


async def _page(request: Request, batch_id: str, *, error: AppError | None = None) -> Response:
    page = await read(request, looking.read, batch_id)
    is_preview = page.batch.state is BatchState.PREVIEWED
    back = TRASH_PATH if page.batch.kind is BatchKind.RESTORE else PATH
    context = {
        "page": page,
        "batch": page.batch,
        "label": LABELS[page.batch.kind],
        "error": str(error) if error else "",
        "shown": looking.SHOWN,
        "back": back.replace("/bulk", "/list"),
    }
    template = "bulk_preview.html" if is_preview else "bulk_done.html"
    return await render(request, template, context, status_code=error.status_code if error else 200)
