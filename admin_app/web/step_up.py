"""Before what cannot be taken back: is it still you?

The table of routes says which requests need a fresh confirmation, or leave that to their service; this asks for it: a
code from those who have a second factor, the password from the others. The question carries the form that was sent, so
the answer to it goes on with that very form, and nothing typed is lost.
"""

from dataclasses import replace

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from admin_app import clock
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.operations import step_up
from admin_app.services.operations.sign_in import SignedIn
from admin_app.services.records import passwords
from admin_app.web.desk import actor_of, desk_of, form_of, signed_in, text_in
from admin_app.web.errors import HIDDEN_FIELDS, is_secret, wants_json
from admin_app.web.guard import TOKEN_FIELD
from admin_app.web.hashing import slowly
from admin_app.web.pages import render
from admin_app.web.routes import Row

CODE_FIELD = "confirm_code"
PASSWORD_FIELD = "confirm_password"  # noqa: S105 - a field's name
OWN_FIELDS = frozenset({CODE_FIELD, PASSWORD_FIELD})
"""Never handed on: neither a page nor a form's key shall know them."""

SENTENCES = {
    Verdict.WRONG: "This is not right. Nothing was done yet.",
    Verdict.USED: "This code was used already. Wait for the next one.",
    Verdict.TOO_MANY: "Too many wrong tries. Wait five minutes, then try again.",
}


def is_confirmed(request: Request) -> bool:
    """Whether the signed-in person has shown a short time ago that it is them."""
    found = signed_in(request)
    return found is not None and step_up.is_fresh(found.stepped_up_at, desk_of(request).second_factor.fresh_for)


def needs_confirmation(request: Request) -> bool:
    """Whether this request may not go on as it is: its row in the table of routes asks, and the last answer is old."""
    row: Row = request.state.route
    is_answer = row.confirms_some and bool(OWN_FIELDS & form_of(request).keys())
    return (row.confirms or is_answer) and request.method == "POST" and not is_confirmed(request)


async def confirmed(request: Request, found: SignedIn) -> Response | None:
    """None when the request may go on, with the form as it was sent before the question; else the question."""
    if not needs_confirmation(request):
        _hand_on_without_proof(request)
        return None
    form = form_of(request)
    verdict = None
    if OWN_FIELDS & form.keys():
        verdict = await _verdict(request, found, text_in(form, CODE_FIELD), text_in(form, PASSWORD_FIELD))
    if verdict is not Verdict.RIGHT:
        return await ask(request, verdict)
    request.state.signed_in = replace(found, stepped_up_at=clock.now())
    _hand_on_without_proof(request)
    return None


async def _verdict(request: Request, found: SignedIn, code: str, password: str) -> Verdict:
    desk, actor = desk_of(request), found.actor
    fresh = step_up.Fresh(found.session_id, desk.second_factor.fresh_for)
    if found.has_second_factor:
        box = desk.second_factor.box
        return await desk.database.run(
            lambda session: step_up.confirm_with_code(session, actor, fresh=fresh, typed=code, box=box)
        )
    stored = await desk.database.read(lambda session: step_up.own_password_hash(session, actor))
    is_right = await slowly(request, passwords.is_right, password[: passwords.LONGEST + 1], stored)
    proven = stored if is_right else None
    return await desk.database.run(
        lambda session: step_up.confirm_with_password(session, actor, fresh=fresh, proven_hash=proven)
    )


async def ask(request: Request, verdict: Verdict | None = None) -> Response:
    """The question, with the form that was sent, and what became of the last answer."""
    sentence = SENTENCES[verdict] if verdict is not None else ""
    found = signed_in(request)
    has_second_factor = found is not None and found.has_second_factor
    status_code = 429 if verdict is Verdict.TOO_MANY else 403
    if wants_json(request):
        answer = sentence or "Confirm first that it is you: open the page again and send its form."
        return JSONResponse({"error": answer}, status_code=status_code)
    sent = [
        (name, value)
        for name, value in form_of(request).multi_items()
        if isinstance(value, str) and not is_secret(name) and name != TOKEN_FIELD
    ]
    shown = [(name, value) for name, value in sent if name not in HIDDEN_FIELDS and not name.endswith("_id")]
    context = {
        "sent": sent,
        "typed": [(name, value) for name, value in shown if value.strip()],
        "error": sentence,
        "has_second_factor": has_second_factor,
        "has_proof": has_second_factor or await _has_password(request),
        "code_field": CODE_FIELD,
        "password_field": PASSWORD_FIELD,
        "minutes": int(desk_of(request).second_factor.fresh_for.total_seconds() // 60),
    }
    return await render(request, "step_up.html", context, status_code=status_code)


async def _has_password(request: Request) -> bool:
    actor = actor_of(request)
    stored = await desk_of(request).database.read(lambda session: step_up.own_password_hash(session, actor))
    return stored is not None


def _hand_on_without_proof(request: Request) -> None:
    form = form_of(request)
    if OWN_FIELDS & form.keys():
        request.state.form = FormData([pair for pair in form.multi_items() if pair[0] not in OWN_FIELDS])
