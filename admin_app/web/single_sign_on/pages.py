"""To the provider and back.

The way back is the one GET that changes something, as the protocol has it: it uses up a state that this browser was
given on its way there, and without such a state it changes nothing.
"""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin_app.errors import AppError
from admin_app.services.operations import single_sign_on
from admin_app.services.operations.single_sign_on import FLOW_LASTS, Flow, Refusal
from admin_app.web.desk import caller_of, desk_of, form_of, text_in
from admin_app.web.guard import session_token
from admin_app.web.pages import render
from admin_app.web.sign_in import SIGN_IN_PATH, enter, own_path, sign_in_page
from admin_app.web.single_sign_on.id_tokens import NotBelieved
from admin_app.web.single_sign_on.provider import Provider

BACK_PATH = f"{SIGN_IN_PATH}/provider"
SECURE_COOKIE = "__Host-desk_provider"
PLAIN_COOKIE = "desk_provider"
LONGEST_ANSWER = 4000


class NotBegunHere(AppError):
    """No sign-in of this browser waits for this answer."""

    status_code = 400
    default_message = (
        "This sign-in was not begun in this browser, took longer than ten minutes, or was used already. "
        "Please begin again."
    )


class TooManyUnfinished(AppError):
    """Too many have gone to the provider from this address and not come back."""

    status_code = 429
    default_message = "Too many sign-ins were begun from here and not finished. Wait ten minutes, then try again."


class NotSignedIn(AppError):
    """The provider has answered, and still nobody gets in."""

    status_code = 403
    default_message = "Single sign-on did not sign you in. Please begin again."


NO_ACCOUNT = "You are known to single sign-on, but no account of this desk is yours. Ask an admin of the desk."
SENTENCES = {
    Refusal.UNVERIFIED: "Single sign-on does not vouch for your e-mail address, so your account here cannot be found.",
    Refusal.NO_ROLE: "Single sign-on gives you no role at this desk. Ask whoever looks after your account there.",
    Refusal.OPEN_WORK: (
        "Single sign-on gives you a role that owns no tickets, but some open ones are yours. "
        "Ask a supervisor to hand them over first."
    ),
}
"""The other refusals are not told apart: a stranger learns nothing about accounts."""


async def to_provider(request: Request, provider: Provider) -> Response:
    """Remember the sign-in that begins here and send the browser on.

    By way of a page, because the policy of this desk lets no form lead to another site.
    """
    flow = Flow(own_path(text_in(form_of(request), "next")))
    try:
        address = await provider.address(flow, redirect_uri=_redirect_uri(request))
        caller = caller_of(request)
        if not await desk_of(request).database.run(lambda session: single_sign_on.begin(session, flow, caller=caller)):
            raise TooManyUnfinished
    except AppError as error:
        return await sign_in_page(request, error=error, status_code=error.status_code)
    response = await render(request, "to_provider.html", {"address": address})
    response.set_cookie(
        _cookie(request),
        flow.browser,
        max_age=int(FLOW_LASTS.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


async def back_page(request: Request) -> Response:
    """The provider sends the browser here: with a code that says who it is, or with an error."""
    provider = desk_of(request).provider
    if provider is None:
        return RedirectResponse(SIGN_IN_PATH, status_code=302)
    try:
        response = await _enter(request, provider)
    except AppError as error:
        response = await sign_in_page(request, error=error, status_code=error.status_code)
    response.delete_cookie(
        _cookie(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax"
    )
    return response


async def _enter(request: Request, provider: Provider) -> Response:
    """Nobody waits for the provider with a database connection in their hands."""
    desk, caller, answer = desk_of(request), caller_of(request), request.query_params
    state, browser = answer.get("state", ""), request.cookies.get(_cookie(request), "")
    if not state or not browser:
        raise NotBegunHere
    flow = await desk.database.run(lambda session: single_sign_on.take(session, state=state, browser=browser))
    if flow is None:
        raise NotBegunHere
    try:
        await provider.check_issuer(answer.get("iss"))
        identity = await provider.identity(flow, code=_code_in(request), redirect_uri=_redirect_uri(request))
    except NotBelieved as error:
        why = error.why
        await desk.database.run(lambda session: single_sign_on.refuse(session, reason=why, caller=caller))
        raise
    begun = await desk.database.run(
        lambda session: single_sign_on.sign_in(
            session,
            identity,
            rules=provider.rules,
            caller=caller,
            lifetime=desk.lifetime,
            replaces=session_token(request),
        )
    )
    if isinstance(begun, Refusal):
        raise NotSignedIn(SENTENCES.get(begun, NO_ACCOUNT))
    return enter(request, begun, flow.next_path)


def _code_in(request: Request) -> str:
    code, error = request.query_params.get("code", ""), request.query_params.get("error", "")
    if error or not 0 < len(code) <= LONGEST_ANSWER:
        raise NotSignedIn
    return code


def _redirect_uri(request: Request) -> str:
    """Hosts are checked before anything else is; the provider has a list of its own."""
    return f"{request.url.scheme}://{request.url.netloc}{BACK_PATH}"


def _cookie(request: Request) -> str:
    return SECURE_COOKIE if request.url.scheme == "https" else PLAIN_COOKIE
