"""The second step of signing in: the page that asks for a code. A half-open sign-in is good for nothing else."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.operations import code_sign_in
from admin_app.web.desk import caller_of, desk_of, form_of, text_in
from admin_app.web.guard import session_token
from admin_app.web.pages import render
from admin_app.web.sign_in import SIGN_IN_PATH, own_path, with_session

CODE_FIELD = "code"
SENTENCES = {
    Verdict.WRONG: "This code is not right.",
    Verdict.USED: "This code was used already. Wait for the next one.",
    Verdict.TOO_MANY: "Too many wrong codes. Wait five minutes, then try again.",
}


async def code_page(request: Request) -> Response:
    """GET asks for the code of the sign-in that waits here; POST opens the session. Without one, back to the start."""
    if request.method == "POST":
        return await _finish(request)
    desk, token = desk_of(request), session_token(request)
    if not await desk.database.read(lambda session: code_sign_in.is_waiting(session, half_open_token=token)):
        return RedirectResponse(SIGN_IN_PATH, status_code=302)
    return await _ask(request, own_path(request.query_params.get("next", "")))


async def _finish(request: Request) -> Response:
    desk, form = desk_of(request), form_of(request)
    step = code_sign_in.SecondStep(session_token(request), text_in(form, CODE_FIELD), desk.second_factor.box)
    answer = await desk.database.run(
        lambda session: code_sign_in.finish(session, step=step, caller=caller_of(request), lifetime=desk.lifetime)
    )
    wanted = own_path(text_in(form, "next"))
    if answer.token is not None:
        return with_session(request, RedirectResponse(wanted, status_code=303), answer.token)
    if answer.verdict is None:
        return RedirectResponse(SIGN_IN_PATH, status_code=303)
    return await _ask(request, wanted, answer.verdict)


async def _ask(request: Request, wanted: str, verdict: Verdict | None = None) -> Response:
    context = {"next": wanted, "error": SENTENCES[verdict] if verdict is not None else ""}
    status_code = {None: 200, Verdict.TOO_MANY: 429}.get(verdict, 400)
    return await render(request, "code.html", context, status_code=status_code)
