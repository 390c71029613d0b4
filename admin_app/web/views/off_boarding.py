"""Deactivating somebody who owns open tickets: asks what becomes of those, shows it, then does it."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from admin_app.errors import AppError
from admin_app.services.operations import off_boarding
from admin_app.services.operations.off_boarding import Choice, Plan, Wanted
from admin_app.services.records import lookup, text_rules
from admin_app.web import parsing
from admin_app.web.desk import form_of, text_in
from admin_app.web.forms import Field, Form
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.views.base import SHOWN_AGAIN
from admin_app.web.views.ticket_forms import SUGGEST_OWNER

CHOICES = [
    (Choice.GIVE.value, "Give all to one person"),
    (Choice.SPREAD.value, "Spread to those who have the fewest"),
    (Choice.LEAVE.value, "Leave without an owner"),
]


def off_boarding_path(user_id: int) -> str:
    """The address of the page."""
    return f"/admin/user/off-board/{user_id}"


def questions() -> Form:
    """What is asked."""
    return Form(
        [
            Field("choice", "Their open tickets", kind="select", options=CHOICES, required=True),
            Field(
                "new_owner",
                "New owner",
                kind="person",
                suggest=SUGGEST_OWNER,
                help="Only when one person gets all of them.",
            ),
            Field("reason", "Reason", kind="textarea", required=True, longest=text_rules.LONGEST["reason"]),
        ]
    )


async def off_board_page(request: Request, user_id: int) -> Response:
    """GET shows the open tickets and asks; POST shows who would get what; POST with what was shown does it."""
    if request.method != "POST":
        return await ask(request, user_id, questions())
    form = form_of(request)
    typed = questions().typed(form)
    try:
        wanted = Wanted(parsing.one_of(text_in(form, "choice"), Choice, "choice"), text_in(form, "new_owner"))
        text_rules.check({"reason": text_in(form, "reason")}, required=("reason",))
        frozen = text_in(form, "frozen")
        if not frozen:
            plan = await read(request, off_boarding.preview, user_id, wanted=wanted)
            return await show(request, plan, typed)
        return await _apply(request, user_id, wanted, frozen)
    except SHOWN_AGAIN as error:
        return await _again(request, user_id, typed, error)


async def ask(request: Request, user_id: int, form: Form, *, status_code: int = 200) -> Response:
    """The open tickets, and the questions."""
    user, tickets = await read(request, off_boarding.open_work, user_id)
    context = {
        "user": user,
        "count": len(tickets),
        "tickets": [(ticket, None) for ticket in tickets[: off_boarding.SHOWN_TICKETS]],
        "form": form,
        "plan": None,
        "action": off_boarding_path(user_id),
    }
    return await render(request, "off_boarding.html", context, status_code=status_code)


async def show(request: Request, plan: Plan, form: Form, *, status_code: int = 200) -> Response:
    """Who would get what, with the button that does it; the questions stay, for another choice."""
    context = {
        "user": plan.user,
        "count": len(plan.tickets),
        "tickets": plan.shown,
        "form": form,
        "plan": plan,
        "action": off_boarding_path(plan.user.id),
        "typed": {field.name: field.value for field in form.fields},
        "choice_words": dict(CHOICES),
    }
    return await render(request, "off_boarding.html", context, status_code=status_code)


async def _apply(request: Request, user_id: int, wanted: Wanted, frozen: str) -> Response:
    reason = text_in(form_of(request), "reason")
    await perform(request, off_boarding.off_board, user_id, wanted=wanted, reason=reason, frozen=frozen)
    user = await read(request, lookup.user, user_id)
    return redirect(request, f"/admin/user/details/{user_id}", "deactivated", user.full_name)


async def _again(request: Request, user_id: int, typed: Form, error: AppError) -> Response:
    """The preview with fresh figures when the choice still holds, else the questions; nothing typed is lost."""
    wrong = typed.wrong(error)
    choice = text_in(form_of(request), "choice")
    if text_in(form_of(request), "frozen") and not getattr(error, "fields", {}):
        wanted = Wanted(Choice(choice), text_in(form_of(request), "new_owner"))
        plan = await read(request, off_boarding.preview, user_id, wanted=wanted)
        return await show(request, plan, replace(wrong, error=str(error)), status_code=error.status_code)
    return await ask(request, user_id, wrong, status_code=error.status_code)
