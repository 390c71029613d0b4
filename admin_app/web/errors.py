"""Every error becomes a page with the right status, a sentence, and the text that the person had typed."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_app.errors import AppError, Contended, Gone, Malformed, NotFound, PermissionDenied, StaleEdit, Unavailable
from admin_app.web.desk import form_of, signed_in
from admin_app.web.guard import TOKEN_FIELD, NotOurForm, session_token
from admin_app.web.pages import render
from admin_app.web.perform import KEY_FIELD, record_refusal, report

logger = logging.getLogger("admin_app.web")

HIDDEN_FIELDS = frozenset({TOKEN_FIELD, KEY_FIELD, "version"})
SECRET_WORDS = ("password", "secret", "code", "token")
"""A field with one of these in its name is never shown again, whichever page it belongs to."""
WORTH_REPEATING = frozenset({409, 503, 504})

TITLES = {
    400: "That could not be read",
    401: "Your sign-in has ended",
    403: "Not allowed",
    404: "Not here",
    405: "Not possible",
    408: "Too slow",
    409: "Not as it is now",
    410: "Deleted",
    413: "Too large",
    422: "Please check",
    503: "Busy",
    504: "That took too long",
}
FASTER = "Somebody was faster"


class ErrorPages:
    """Catches what nobody below has answered. Sits outside the guard, and again inside the mounted admin."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in place of an exception, unless an answer has begun already."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if has_begun:
                raise
            request = Request(scope, receive)
            response = await answer(request, error)
            await response(scope, receive, send)


async def answer(request: Request, error: Exception) -> Response:
    """The page for an error; refusals are written to the audit log, surprises reported."""
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        headers.update(error.headers or {})
        error = _from_http(error)
    if not isinstance(error, AppError):
        error = await report(request, error)
    found = signed_in(request)
    if isinstance(error, NotOurForm):
        _log_refusal(request, error)
    elif isinstance(error, PermissionDenied) and found is not None:
        lacking = f" ({error.permission})" if error.permission else ""
        await record_refusal(request, found.actor, f"{error}{lacking}")
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if wants_json(request):
        return JSONResponse({"error": str(error)}, status_code=error.status_code, headers=headers)
    try:
        response = await error_page(request, error)
    except Exception:
        logger.exception("the error page itself failed", extra={"event": "web.error_page"})
        response = PlainTextResponse(str(error), status_code=error.status_code)
    response.headers.update(headers)
    return response


async def error_page(request: Request, error: AppError, *, status_code: int | None = None) -> Response:
    """The error as a page, with what was typed still on it and a way to send it again where that may help."""
    status = status_code or error.status_code
    form = form_of(request)
    typed = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and not is_secret(name) and value.strip()
    ]
    context = {
        "status_code": status,
        "title": FASTER if isinstance(error, StaleEdit | Contended) else TITLES.get(status, "Something went wrong"),
        "sentence": str(error),
        "typed": [(name, value) for name, value in typed if name not in HIDDEN_FIELDS],
        "repeat": typed if status in WORTH_REPEATING and request.method == "POST" else [],
        "repeat_path": request.url.path,
        "has_sign_in": bool(session_token(request)) or status in (503, 504),
        "trash_id": error.ticket_id if isinstance(error, Gone) else None,
    }
    return await render(request, "error.html", context, status_code=status)


def is_secret(name: str) -> bool:
    """Whether a field's text must not come back on any page."""
    return name != TOKEN_FIELD and any(word in name for word in SECRET_WORDS)


def wants_json(request: Request) -> bool:
    """Whether a script asks; browsers that show a page never do."""
    return "application/json" in request.headers.get("accept", "")


async def http_error(request: Request, error: Exception) -> Response:
    """Starlette's and SQLAdmin's own HTTP errors, as one of our pages."""
    return await answer(request, error)


def _log_refusal(request: Request, error: NotOurForm) -> None:
    """For the log: the audit log has no actor for what nobody is known to have sent. Its token is not repeated."""
    what = {"method": request.method, "route": request.state.route.path, "reason": str(error)}
    extra = {"event": "web.guard", "request_id": request.state.request_id, **what}
    logger.warning("a form that is not ours was refused", extra=extra)


def _from_http(error: HTTPException) -> AppError:
    by_status: dict[int, type[AppError]] = {400: Malformed, 403: PermissionDenied, 404: NotFound}
    kind = by_status.get(error.status_code)
    if kind is not None:
        return kind()
    other = AppError("This address does not take that kind of request." if error.status_code == 405 else error.detail)
    other.status_code = error.status_code
    return other
