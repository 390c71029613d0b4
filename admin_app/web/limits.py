"""Limits on what comes before the body, checked before anything is parsed or looked up.

Pure ASGI. No page of the desk comes near any of them, so whoever meets one is no browser that our forms were sent with.
"""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LONGEST_PATH = 2_000
LONGEST_QUERY = 16 * 1024
MOST_HEADERS = 100
LARGEST_HEADERS = 32 * 1024
LARGEST_COOKIES = 8 * 1024


class RequestLimits:
    """Answers 414 for an address and 431 for headers that are larger than any page of ours makes them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measure and go on, or answer."""
        refusal = _refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self.app(scope, receive, send)
            return
        status_code, sentence = refusal
        answer = PlainTextResponse(f"{sentence}\n", status_code=status_code)
        await answer(scope, receive, send)


def _refusal(scope: Scope) -> tuple[int, str] | None:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    cookies = sum(len(value) for name, value in headers if name == b"cookie")
    if len(scope["path"]) > LONGEST_PATH or len(scope["query_string"]) > LONGEST_QUERY:
        return 414, "This address is too long."
    if cookies > LARGEST_COOKIES:
        return 431, "This browser sends too many cookies for this address. Delete them and try again."
    if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > LARGEST_HEADERS:
        return 431, "This request has too many headers."
    return None
