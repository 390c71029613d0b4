"""The door: same origin and a token for everything that changes something, limits before parsing, safe headers.

Pure ASGI. An unsafe request passes when its `Origin` is ours, `Sec-Fetch-Site` is absent or `same-origin` (W3C Fetch
Metadata), its body stays within the limits, and its form carries the token bound to the sign-in cookie (the
synchronizer token pattern of the OWASP CSRF cheat sheet). Signing in has no sign-in yet, so it needs no token.
"""

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import FormData, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_app.errors import AppError, Malformed, PermissionDenied, TooLarge
from admin_app.web.desk import desk_of, text_in

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
TOKEN_FIELD = "form_token"  # noqa: S105 - a field's name
SECURE_COOKIE = "__Host-desk_session"
PLAIN_COOKIE = "desk_session"
LINK_PATH = "/admin/password-link"
SECURE_LINK_COOKIE = "__Host-desk_password_link"
PLAIN_LINK_COOKIE = "desk_password_link"
MOST_FIELDS = 200
MOST_FILES = 1
FORM_OVERHEAD_BYTES = 64 * 1024
SLOWEST_BYTES_PER_SECOND = 16 * 1024

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


SILENT = "no-referrer"
"""For an answer to an address that nobody else shall learn; a page with a form would send no origin under it."""

DOWNLOAD_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
"""For files that people have sent: should a browser show one in spite of all, it may do nothing, as nobody."""


def session_cookie(request: Request) -> str:
    """The name of the sign-in cookie: bound to the host over https, plain on http."""
    return SECURE_COOKIE if request.url.scheme == "https" else PLAIN_COOKIE


def session_token(request: Request) -> str:
    """The opaque id in the sign-in cookie, empty when there is none."""
    return request.cookies.get(session_cookie(request), "")


def link_cookie(request: Request) -> str:
    """The name of the cookie that a link for a new password was exchanged for."""
    return SECURE_LINK_COOKIE if request.url.scheme == "https" else PLAIN_LINK_COOKIE


def form_binding(request: Request) -> str:
    """What the token of a form on this page is bound to: the link for a new password, everywhere else the sign-in."""
    link = request.cookies.get(link_cookie(request), "") if request.url.path == LINK_PATH else ""
    return link or session_token(request)


class SecurityHeaders:
    """Sets the headers on every response, errors included; pages are never stored, assets may be."""

    def __init__(self, app: ASGIApp, asset_paths: Iterable[str]) -> None:
        self.app = app
        self.asset_paths = tuple(asset_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap `send`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_silent = headers.get("Referrer-Policy") == SILENT
                for name, value in HEADERS.items():
                    headers[name] = value
                if is_silent:
                    headers["Referrer-Policy"] = SILENT
                if headers.get("Content-Disposition", "").startswith("attachment"):
                    headers["Content-Security-Policy"] = DOWNLOAD_POLICY
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
                is_asset = scope["path"].startswith(self.asset_paths) and message["status"] in {200, 304}
                if not (is_asset and "Cache-Control" in headers):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, send_with_headers)


class NotOurForm(PermissionDenied):
    """No page of ours has sent this: nothing that the person did, hence nothing for the audit log."""


class TooSlow(AppError):
    """The form did not arrive in time."""

    status_code = 408
    default_message = "This form arrived too slowly, so nothing was saved. Check your connection and send it again."


class Guard:
    """Lets an unsafe request in only from our own pages, and reads its form once for everybody below."""

    def __init__(
        self, app: ASGIApp, sign_in_path: str, file_limit: Callable[[Request], Awaitable[int]] | None = None
    ) -> None:
        """`file_limit` says how many bytes of a file this request may bring."""
        self.app = app
        self.sign_in_path = sign_in_path
        self.file_limit = file_limit or _attachment_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, parse, pass on; raises `AppError` for the error pages outside."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        _check_origin(request)
        form = await _read_form(request, self.file_limit)
        try:
            scope["state"]["form"] = form
            if scope["path"] != self.sign_in_path:
                token = form_binding(request)
                if not token or not desk_of(request).tokens.is_form_token(token, text_in(form, TOKEN_FIELD)):
                    raise NotOurForm("This form is no longer valid. Open the page again and repeat it there.")
            await self.app(scope, receive, send)
        finally:
            await form.close()


def _check_origin(request: Request) -> None:
    if not _is_ours(request) or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise NotOurForm("This request did not come from a page of this desk.")


def _is_ours(request: Request) -> bool:
    """Whether the origin is this very host, and not its plain twin when this is https."""
    try:
        origin = urlsplit(request.headers.get("origin", ""))
    except ValueError:
        return False
    schemes = {"https"} if request.url.scheme == "https" else {"http", "https"}
    return origin.scheme in schemes and origin.netloc == request.headers.get("host", "")


async def _attachment_limit(request: Request) -> int:
    return desk_of(request).store.limit


class _CountedBody:
    """Counts a body while it is read and stops it at the limits, whatever its headers say.

    It may take `seconds`, and longer only for as much as has arrived, at the slowest rate that we wait for.
    """

    def __init__(self, receive: Receive, limit: int, seconds: float, sentence: str) -> None:
        self.receive = receive
        self.left = limit
        self.deadline = anyio.current_time() + seconds
        self.sentence = sentence

    async def __call__(self) -> Message:
        with anyio.CancelScope(deadline=self.deadline) as scope:
            message = await self.receive()
        if scope.cancelled_caught:
            raise TooSlow
        size = len(message.get("body", b""))
        self.left -= size
        self.deadline += size / SLOWEST_BYTES_PER_SECOND
        if self.left < 0:
            raise TooLarge(self.sentence)
        return message


async def _read_form(request: Request, file_limit: Callable[[Request], Awaitable[int]]) -> FormData:
    desk = desk_of(request)
    limit, sentence = desk.max_form_bytes, "This form is too large."
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        largest = await file_limit(request)
        limit += largest + FORM_OVERHEAD_BYTES
        sentence = f"This form is too large: a file may have at most {largest / (1024 * 1024):,.0f} MB here."
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise TooLarge(sentence)
    counted = Request(request.scope, _CountedBody(request.receive, limit, desk.body_timeout, sentence))
    try:
        form = await counted.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=desk.max_form_bytes)
    except (MultiPartException, HTTPException, ClientDisconnect, UnicodeDecodeError, ValueError) as error:
        raise Malformed("This form could not be read.") from error
    if not _is_text(form):
        await form.close()
        raise Malformed("This form could not be read.")
    return form


def _is_text(form: FormData) -> bool:
    """False for half a character, as UTF-7 may hold: it can be neither stored nor shown again."""
    try:
        for name, value in form.multi_items():
            f"{name} {value if isinstance(value, str) else value.filename}".encode()
    except UnicodeEncodeError:
        return False
    return True
