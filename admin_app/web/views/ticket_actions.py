"""What people do on a ticket's page: each a POST with a form, never a link."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqladmin import expose
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from admin_app.actor import Actor
from admin_app.errors import InvalidInput, TooLarge
from admin_app.models import Status, Ticket, WatchLevel
from admin_app.permissions import Permission
from admin_app.services.blocks import ownership, workflow
from admin_app.services.operations import attachments, comments, following, tickets
from admin_app.services.records import lookup, text_rules
from admin_app.web import parsing
from admin_app.web.desk import actor_of, desk_of, form_of, text_in
from admin_app.web.downloads import as_download, label
from admin_app.web.forms import Field, Form
from admin_app.web.pages import MESSAGES, redirect
from admin_app.web.perform import perform, read
from admin_app.web.views.base import SHOWN_AGAIN, ActionPage, run_action, version_in
from admin_app.web.views.ticket_forms import SUGGEST_OWNER

REASON = Field("reason", "Reason", kind="textarea", required=True, longest=text_rules.LONGEST["reason"], rows=3)
RESOLUTION = Field(
    "resolution", "Resolution", kind="textarea", required=True, longest=text_rules.LONGEST["resolution"], rows=5
)
TRANSFER = Form(
    [
        Field(
            "new_owner",
            "New owner",
            kind="person",
            required=True,
            suggest=SUGGEST_OWNER,
            help="Start typing a name or an e-mail address; or write “me”.",
        ),
        REASON,
        Field("note", "Note to the new owner", kind="textarea", longest=text_rules.LONGEST["note"], rows=2),
    ]
)


def page_path(ticket_id: object) -> str:
    """The address of a ticket's page."""
    return f"/admin/ticket/details/{ticket_id}"


@dataclass(frozen=True)
class ActionLink:
    """A button on the ticket page that leads to an action's form."""

    label: str
    path: str
    style: str = ""


def drafted(form: FormData) -> dict[str, str]:
    """A comment that is not sent yet: refused just now, or sent along with another form of the page."""
    return {
        "draft": text_in(form, "body") or text_in(form, "draft"),
        "draft_is_internal": text_in(form, "is_internal") or text_in(form, "draft_is_internal"),
    }


class TicketActions:
    """The action routes of the ticket view."""

    def actions_on(self, actor: Actor, ticket: Ticket) -> list[ActionLink]:
        """The actions that this person may take on this ticket, in the order of the page."""
        can_move = {target: workflow.can_move(actor, ticket.status, target) for target in Status}
        offered = [
            (actor.can(Permission.TICKET_EDIT), "Edit", "edit", "primary"),
            (can_move[Status.RESOLVED], "Resolve", "resolve", ""),
            (can_move[Status.CLOSED], "Close", "close", ""),
            (not ticket.is_active and can_move[Status.OPEN], "Reopen", "reopen", ""),
            (ownership.can_transfer(actor, ticket), "Transfer", "transfer", ""),
            (actor.can(Permission.TICKET_DELETE), "Delete", "delete", "danger"),
        ]
        return [
            ActionLink(label, f"/admin/ticket/{verb}/{ticket.id}", style)
            for allowed, label, verb, style in offered
            if allowed
        ]

    @expose("/resolve/{pk}", methods=["GET", "POST"])
    async def resolve(self, request: Request) -> Response:
        """Mark as solved."""
        return await self._move(request, "Resolve", tickets.resolve, RESOLUTION, "resolved")

    @expose("/close/{pk}", methods=["GET", "POST"])
    async def close(self, request: Request) -> Response:
        """End the ticket."""
        return await self._move(request, "Close", tickets.close, RESOLUTION, "closed")

    @expose("/reopen/{pk}", methods=["GET", "POST"])
    async def reopen(self, request: Request) -> Response:
        """Back to open, with a reason."""
        return await self._move(request, "Reopen", tickets.reopen, REASON, "reopened")

    @expose("/transfer/{pk}", methods=["GET", "POST"])
    async def transfer(self, request: Request) -> Response:
        """Hand the ticket over."""

        def explain(ticket: Ticket) -> str:
            if request.method != "POST":  # before anybody writes a reason in vain
                ownership.check(actor_of(request), ticket)
            owner = ticket.owner.full_name if ticket.owner else "nobody"
            return f"It belongs to {owner} now. The new owner is told."

        async def act(ticket_id: int) -> Any:
            texts = {name: text_in(form_of(request), name) for name in ("new_owner", "reason", "note")}
            return await perform(request, tickets.transfer, ticket_id, **texts, version=version_in(request))

        return await self._with_form(request, "Transfer", TRANSFER, explain, act, "transferred")

    @expose("/take/{pk}", methods=["POST"])
    async def take(self, request: Request) -> Response:
        """Make it one's own."""
        seen = text_in(form_of(request), "owner_id")
        seen_owner_id = parsing.record_id(seen) if seen else None
        return await self._on_page(request, "take", "taken", tickets.take, seen_owner_id=seen_owner_id)

    @expose("/delete/{pk}", methods=["GET", "POST"])
    async def delete(self, request: Request) -> Response:
        """Put the ticket into the trash."""

        def explain(ticket: Ticket) -> str:
            return "It goes to the trash with its comments and attachments; a supervisor can bring it back."

        async def act(ticket_id: int) -> Any:
            reason = text_in(form_of(request), "reason")
            return await perform(request, tickets.delete, ticket_id, reason=reason, version=version_in(request))

        return await self._with_form(request, "Delete", Form([REASON]), explain, act, "deleted")

    @expose("/comment/{pk}", methods=["POST"])
    async def comment(self, request: Request) -> Response:
        """Say something on the ticket."""
        form = form_of(request)
        is_internal = text_in(form, "is_internal") == "yes"
        return await self._on_page(
            request, "comment", "commented", comments.add, body=text_in(form, "body"), is_internal=is_internal
        )

    @expose("/attach/{pk}", methods=["POST"])
    async def attach(self, request: Request) -> Response:
        """Put a file on the ticket."""
        upload = form_of(request).get("file")
        filename, content = (upload.filename, upload.file) if isinstance(upload, UploadFile) else ("", None)
        return await self._on_page(
            request,
            "attach",
            "attached",
            attachments.attach,
            filename=filename or "",
            content=content,
            store=desk_of(request).store,
        )

    @expose("/watch/{pk}", methods=["POST"])
    async def watch(self, request: Request) -> Response:
        """Have somebody told of the ticket."""
        form = form_of(request)
        level = parsing.one_of(text_in(form, "level") or WatchLevel.ALL.value, WatchLevel, "level")
        return await self._on_page(
            request, "watch", "watching", following.watch, person=text_in(form, "person"), level=level
        )

    @expose("/unwatch/{pk}", methods=["POST"])
    async def unwatch(self, request: Request) -> Response:
        """Stop somebody from being told."""
        user_id = parsing.record_id(text_in(form_of(request), "user_id"))
        return await self._on_page(request, "watch", "watching", following.unwatch, user_id=user_id)

    @expose("/tag/{pk}", methods=["POST"])
    async def tag(self, request: Request) -> Response:
        """Replace the tags."""
        return await self._on_page(request, "tag", "tagged", following.tag, names=text_in(form_of(request), "tags"))

    @expose("/attachment/{pk}", methods=["GET"])
    async def download(self, request: Request) -> Response:
        """A file, always as a download."""
        found = await read(request, attachments.find, parsing.record_id(request.path_params["pk"]))
        path = desk_of(request).store.path_of(found.storage_key)
        return FileResponse(path, media_type=label(found.content_type), headers=as_download(found.filename))

    async def _move(
        self, request: Request, title: str, service: Callable[..., Awaitable[Any]], asked: Field, code: str
    ) -> Response:
        def explain(ticket: Ticket) -> str:
            actor, now = actor_of(request), f"Its status is {workflow.label(ticket.status)} now."
            if code == "reopened" and request.method != "POST":
                workflow.check_reopening(actor, ticket.status)
            is_last_word = code == "closed" and not actor.can(Permission.TICKET_REOPEN_CLOSED)
            return f"{now} Only a supervisor can reopen a closed ticket." if is_last_word else now

        async def act(ticket_id: int) -> Any:
            typed = {asked.name: text_in(form_of(request), asked.name)}
            return await perform(request, service, ticket_id, **typed, version=version_in(request))

        return await self._with_form(request, title, Form([asked]), explain, act, code)

    async def _with_form(
        self,
        request: Request,
        title: str,
        form: Form,
        explain: Callable[[Ticket], str],
        act: Callable[[int], Awaitable[Any]],
        code: str,
    ) -> Response:
        ticket_id = parsing.record_id(request.path_params["pk"])
        is_deletion = code == "deleted"

        async def ask() -> ActionPage:
            ticket = await read(request, lookup.ticket, ticket_id)
            return ActionPage(
                title=f"{title} {ticket.ticket_number}",
                explanation=f"{text_rules.sentence(ticket.title)} {explain(ticket)}",
                button=title,
                back=page_path(ticket_id),
                form=form.filled({"resolution": ticket.resolution or ""}),
                version=ticket.version,
                is_dangerous=is_deletion,
            )

        async def do() -> Response:
            number = await read(request, lookup.number_of, ticket_id)  # afterwards it could fail a change that is in
            await act(ticket_id)
            return redirect(request, "/admin/ticket/list" if is_deletion else page_path(ticket_id), code, number)

        return await run_action(request, ask, do)

    async def _on_page(
        self, request: Request, form_name: str, code: str, service: Callable[..., Awaitable[Any]], **options: Any
    ) -> Response:
        """Do something on the ticket page; a mistake brings the page back with the typed text in that form."""
        ticket_id = parsing.record_id(request.path_params["pk"])
        try:
            if "content" in options and options["content"] is None:
                raise InvalidInput(file="Choose a file.")
            number = await read(request, lookup.number_of, ticket_id)
            await perform(request, service, ticket_id, **options)
        except (*SHOWN_AGAIN, TooLarge) as error:
            return await self.show_thread(
                request, ticket_id, wrong_form=form_name, wrong=str(error), status_code=error.status_code
            )
        if form_name != "comment" and text_in(form_of(request), "draft"):  # a redirect would leave it behind
            return await self.show_thread(request, ticket_id, messages=[MESSAGES[code].format(number)])
        return redirect(request, f"{page_path(ticket_id)}#{form_name}", code, number)

    async def show_thread(self, request: Request, ticket_id: int, **context: Any) -> Response:
        """The ticket page, from the view that this is mixed into."""
        raise NotImplementedError
