"""Editing a comment. Comments are read on their ticket's page, so this has no menu entry and no list."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from admin_app.errors import StaleEdit
from admin_app.models import Comment
from admin_app.services.operations import comments
from admin_app.services.records import text_rules
from admin_app.web import parsing
from admin_app.web.desk import form_of, text_in
from admin_app.web.forms import Field, Form, merge
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.views.base import SHOWN_AGAIN, ActionPage, RecordView, saved_or_not, show_action, version_in
from admin_app.web.views.ticket_actions import page_path

BODY = Field("body", "Comment", kind="textarea", required=True, longest=text_rules.LONGEST["body"], rows=8)


class CommentView(RecordView, model=Comment):
    """The text of a comment under its optimistic lock."""

    name = "Comment"
    column_list = [Comment.id]
    can_edit = True

    async def edit_page(self, request: Request, pk: str) -> Response:
        """Edit a comment; a stale save gets the conflict page."""
        comment_id = parsing.record_id(pk)
        if request.method != "POST":
            return await show_action(request, await self._ask(request, comment_id))
        form = form_of(request)
        try:
            version = version_in(request)
            code = "unchanged"
            if form.get("choice-body") != "theirs":
                body = text_in(form, "body")
                outcome = await perform(request, comments.edit, comment_id, body=body, version=version)
                code = saved_or_not(request, outcome)
        except StaleEdit as stale:
            comment = await read(request, comments.find, comment_id)
            context = {
                "merge": merge(Form([BODY]), stale, lambda name, stored: str(stored or "")),
                "label": f"a comment on {comment.ticket.ticket_number}",
                "action": f"/admin/comment/edit/{comment_id}",
                "back": page_path(comment.ticket_id),
            }
            return await render(request, "conflict.html", context, status_code=stale.status_code)
        except SHOWN_AGAIN as error:
            again = await self._ask(request, comment_id)
            shown = ActionPage(**{**vars(again), "form": again.form.typed(form, error)})
            return await show_action(request, shown, status_code=error.status_code)
        comment = await read(request, comments.find, comment_id)
        return redirect(request, page_path(comment.ticket_id), code, "The comment")

    async def _ask(self, request: Request, comment_id: int) -> ActionPage:
        comment: Any = await read(request, comments.find, comment_id)
        return ActionPage(
            title=f"Edit a comment on {comment.ticket.ticket_number}",
            explanation=comment.ticket.title,
            button="Save",
            back=page_path(comment.ticket_id),
            form=Form([BODY]).filled({"body": comment.body}),
            version=comment.version,
        )
