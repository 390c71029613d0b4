"""Cookie ↔ server-side session ↔ Actor."""

import logging
from collections.abc import Awaitable
from typing import Any
from urllib.parse import quote

from sqladmin.authentication import AuthenticationBackend
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin_app import clock
from admin_app.errors import AppError, InvalidInput, Unavailable
from admin_app.services.operations import sign_in, sign_in_attempts
from admin_app.services.operations.sign_in import Begun, SignedIn
from admin_app.services.records import passwords
from admin_app.web import pool_pass, step_up, throttle
from admin_app.web.desk import caller_of, desk_of, form_of, must_set_up, signed_in, text_in
from admin_app.web.errors import answer, wants_json
from admin_app.web.guard import SAFE_METHODS, session_cookie, session_token
from admin_app.web.hashing import slowly
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform

logger = logging.getLogger("admin_app.web")

SIGN_IN_PATH = "/admin/login"
CODE_PATH = f"{SIGN_IN_PATH}/code"
HOME_PATH = "/admin/"
SET_UP_PATH = "/admin/second-factor"
POOL_PATH, ERRORS_PATH, SLOW_QUERIES_PATH = "/admin/pool", "/admin/errors", "/admin/slow-queries"
ASIDE_PATHS = frozenset({POOL_PATH, ERRORS_PATH, SLOW_QUERIES_PATH})
"""Pages that answer while the pool is exhausted: their sign-in check reads through the connection kept aside."""

PROVIDER_BUTTON = "through_provider"
"""Pressed instead of typing a password."""

WRONG = "This address and password do not open an account."


class SignInEnded(AppError):
    """A form came in after its sign-in had ended; what was typed is shown again."""

    status_code = 401
    default_message = "Your sign-in has ended, so nothing was saved. Sign in again, then repeat it: your text is below."


class SetUpFirst(AppError):
    """Somebody whose role must have a second factor tried something before they had one."""

    status_code = 403
    default_message = "Set up your second factor first; nothing was done. Your text is below."


class DeskAuthentication(AuthenticationBackend):
    """Server-side sessions: the cookie holds an opaque id, the database its hash."""

    def __init__(self) -> None:
        self.middlewares = []

    async def authenticate(self, request: Request) -> Response | bool:
        """Recognise the cookie in one statement; without a session, to the sign-in page and back afterwards."""
        if signed_in(request) is not None:
            return True
        desk = desk_of(request)
        token = session_token(request)
        found = None
        if token:

            def recognise(session: Any) -> Awaitable[SignedIn | None]:
                return sign_in.recognise(session, token=token, caller=caller_of(request), lifetime=desk.lifetime)

            database = desk.database
            asking = database.read(recognise, aside=True) if is_aside(request) else database.look_up(recognise)
            found = await pool_pass.recognised(request, asking)
        if found is None:
            return await _ask_to_sign_in(request)
        request.state.signed_in = found
        request.state.holder.actor = found.actor.name
        if must_set_up(request) and not is_open_before_set_up(request):
            return await _ask_to_set_up(request)
        request.state.route.admit(found.actor)
        if found.should_note(clock.now()) and not is_aside(request):
            await _note_seen(request, found.session_id)
        return await step_up.confirmed(request, found) or True

    async def login(self, request: Request) -> Response | bool:
        """Check the password outside of any transaction, then open a session; a new id at every sign-in."""
        desk = desk_of(request)
        form = form_of(request)
        email, password = text_in(form, "username"), text_in(form, "password")
        attempt, caller = throttle.attempt_of(request, email), caller_of(request)
        admission = await desk.database.run(
            lambda session: sign_in_attempts.admit(session, attempt, caller=caller, limit=desk.sign_in_limit)
        )
        if admission.is_refused:
            return await sign_in_page(request, error=throttle.TooManyTries(admission.retry_after))
        stored = await desk.database.read(lambda session: sign_in.stored_hash(session, email=email))
        is_right = await slowly(request, passwords.is_right, password[: passwords.LONGEST + 1], stored)
        rehashed = None
        if is_right and stored is not None and passwords.needs_rehash(stored):
            rehashed = await slowly(request, passwords.hash_password, password)

        async def open_session(session: Any) -> Begun | None:
            begun = await sign_in.open_session(
                session,
                email=email,
                proven_hash=stored if is_right else None,
                rehashed=rehashed,
                caller=caller,
                lifetime=desk.lifetime,
                replaces=session_token(request),
            )
            if begun is not None:
                await sign_in_attempts.succeeded(session, attempt, admission, caller=caller)
            return begun

        begun = await desk.database.run(open_session)
        if begun is None:
            return await sign_in_page(request, error=InvalidInput(WRONG))
        response = enter(request, begun, own_path(text_in(form, "next")))
        throttle.remember(request, response, attempt)
        return response

    async def logout(self, request: Request) -> Response | bool:
        """End the session on our side and forget the cookie."""
        found = signed_in(request)
        if found is not None:
            await perform(request, sign_in.sign_out, found.session_id)
        response = redirect(request, SIGN_IN_PATH, "signed_out")
        response.headers["Clear-Site-Data"] = '"cache"'
        response.delete_cookie(
            session_cookie(request), path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax"
        )
        response.delete_cookie(pool_pass.COOKIE, path=pool_pass.PATH)
        return response

    async def get_user_id(self, request: Request) -> int | None:
        """Who is signed in."""
        found = signed_in(request)
        return found.actor.id if found else None


def enter(request: Request, begun: Begun, wanted: str) -> Response:
    """On to the wanted page with the new sign-in, by way of the page that asks for a code where one is needed."""
    path = f"{CODE_PATH}{_and_then(wanted)}" if begun.needs_code else wanted
    return with_session(request, RedirectResponse(path, status_code=303), begun.token)


def with_session(request: Request, response: Response, token: str) -> Response:
    """The answer with the cookie of a sign-in, in the place of any earlier one."""
    response.set_cookie(
        session_cookie(request),
        token,
        max_age=int(desk_of(request).lifetime.absolute.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


def is_open_before_set_up(request: Request) -> bool:
    """All that somebody can do whose role must have a second factor that they have not set up yet."""
    path = request.url.path
    return path in {SET_UP_PATH, "/admin/logout"} or path.startswith(f"{SET_UP_PATH}/")


def is_aside(request: Request) -> bool:
    """Whether this page, or the one it belongs to, answers while the pool is exhausted."""
    path = request.url.path
    return path in ASIDE_PATHS or path.startswith(f"{ERRORS_PATH}/")


async def sign_in_page(request: Request, *, error: AppError | None = None, status_code: int = 400) -> Response:
    """The sign-in form; the address stays on it after a wrong password, the password never does."""
    form, provider = form_of(request), desk_of(request).provider
    context = {
        "error": str(error) if error else "",
        "username": text_in(form, "username"),
        "next": own_path(text_in(form, "next") or request.query_params.get("next", "")),
        "provider": provider.client.label if provider else "",
        "provider_button": PROVIDER_BUTTON,
    }
    status_code = error.status_code if isinstance(error, throttle.TooManyTries) else status_code
    response = await render(request, "sign_in.html", context, status_code=status_code if error else 200)
    if isinstance(error, Unavailable | throttle.TooManyTries):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def own_path(path: str) -> str:
    """The path when it leads to one of our own pages, else the dashboard: never to another site."""
    is_own = path.startswith(HOME_PATH) and not path.startswith(SIGN_IN_PATH)
    is_plain = "\\" not in path and path.isprintable()
    return path if is_own and is_plain else HOME_PATH


async def _note_seen(request: Request, session_id: int) -> None:
    """Nobody is kept from a page because this could not be written; the next page tries again."""
    try:
        await desk_of(request).database.run(lambda session: sign_in.note_seen(session, session_id), repeatable=True)
    except AppError as error:
        logger.info("last seen was not written", extra={"event": "sign_in.note_seen", "reason": str(error)})


async def _ask_to_sign_in(request: Request) -> Response:
    if request.method not in SAFE_METHODS:
        return await answer(request, SignInEnded())
    if wants_json(request):
        return await answer(request, SignInEnded("Your sign-in has ended. Sign in again."))
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{SIGN_IN_PATH}{_and_then(own_path(path))}", status_code=302)


def _and_then(path: str) -> str:
    return "" if path == HOME_PATH else f"?next={quote(path, safe='/')}"


async def _ask_to_set_up(request: Request) -> Response:
    if request.method not in SAFE_METHODS or wants_json(request):
        return await answer(request, SetUpFirst())
    return RedirectResponse(SET_UP_PATH, status_code=302)
