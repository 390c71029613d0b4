"""Where a link for a new password leads. Whoever comes here is not signed in, and is not afterwards either.

What makes the link work stands in its address only until the first answer, which puts it into a short-lived cookie and
leads on to the address without it: neither a page nor its history, nor a site that somebody goes to from there, gets to
know it. Looking uses nothing up, so a mail scanner that follows the link does no harm; setting the password does.
"""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin_app.errors import InvalidInput
from admin_app.models import User
from admin_app.services.operations import password_links
from admin_app.services.records import password_rules, passwords
from admin_app.web.desk import caller_of, desk_of, form_of, text_in
from admin_app.web.forms import Field, Form
from admin_app.web.guard import LINK_PATH, SILENT, link_cookie
from admin_app.web.hashing import slowly
from admin_app.web.pages import redirect, render
from admin_app.web.sign_in import SIGN_IN_PATH

COOKIE_SECONDS = 15 * 60
NEW = Field(
    "password", "New password", kind="password", required=True, help=password_rules.RULE, longest=password_rules.LONGEST
)
AGAIN = Field(
    "password_again", "The new password again", kind="password", required=True, longest=password_rules.LONGEST
)
DIFFERENT = "These two are not the same. Type both again."
GONE = 410


async def password_link_page(request: Request) -> Response:
    """GET with a token exchanges it for a cookie, without one it asks for the password; POST sets it."""
    token = request.query_params.get("token", "")
    if token and request.method != "POST":
        return await _exchange(request, token)
    token = request.cookies.get(link_cookie(request), "")
    person = await _holder(request, token)
    if person is None:
        return await _dead(request, token)
    if request.method != "POST":
        return await _ask(request, person)
    return await _set(request, person, token)


async def _exchange(request: Request, token: str) -> Response:
    if await _holder(request, token) is None:
        response = await _dead(request, token)
    else:
        response = RedirectResponse(LINK_PATH, status_code=303)
        response.set_cookie(
            link_cookie(request),
            token,
            max_age=COOKIE_SECONDS,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
    response.headers["Referrer-Policy"] = SILENT
    return response


async def _set(request: Request, person: User, token: str) -> Response:
    form, caller = form_of(request), caller_of(request)
    wanted = text_in(form, NEW.name)
    try:
        password_rules.check(wanted, email=person.email, full_name=person.full_name)
        if wanted != text_in(form, AGAIN.name):
            raise InvalidInput(password_again=DIFFERENT)
    except InvalidInput as error:
        return await _ask(request, person, error)
    hashed = await slowly(request, passwords.hash_password, wanted)
    done = await desk_of(request).database.run(
        lambda session: password_links.use(session, token=token, password_hash=hashed, caller=caller)
    )
    if done is None:
        return await _dead(request, token)
    return _forget(request, redirect(request, SIGN_IN_PATH, "password_chosen"))


async def _holder(request: Request, token: str) -> User | None:
    return await desk_of(request).database.read(lambda session: password_links.holder(session, token=token))


async def _ask(request: Request, person: User, error: InvalidInput | None = None) -> Response:
    form = Form([NEW, AGAIN])
    context = {"form": form.wrong(error) if error else form, "person": person}
    return await render(request, "password_link.html", context, status_code=error.status_code if error else 200)


async def _dead(request: Request, token: str) -> Response:
    """One answer to all: a link that was used, is too old, was replaced, or never was."""
    caller = caller_of(request)
    if token:
        await desk_of(request).database.run(lambda session: password_links.refuse(session, token=token, caller=caller))
    return _forget(request, await render(request, "password_link.html", {"person": None}, status_code=GONE))


def _forget(request: Request, response: Response) -> Response:
    response.delete_cookie(
        link_cookie(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax"
    )
    return response
