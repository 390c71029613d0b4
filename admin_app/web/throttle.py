"""Too many tries at a password: the device cookie, and the answer.

A browser that was let into an account before keeps a signed mark of it and has tries of its own there (the device
cookie of OWASP's page on slowing down guesses): whoever guesses from elsewhere cannot lock its owner out.
"""

import hashlib
import secrets

from starlette.requests import Request
from starlette.responses import Response

from admin_app.errors import AppError
from admin_app.services.operations.sign_in_attempts import Admission, Attempt
from admin_app.services.records import lookup
from admin_app.web.desk import desk_of

SECURE_COOKIE = "__Host-desk_device"
PLAIN_COOKIE = "desk_device"
KEPT_SECONDS = 180 * 24 * 3600


class TooManyTries(AppError):
    """The password was not looked at."""

    status_code = 429

    def __init__(self, retry_after: int) -> None:
        minutes = -(-retry_after // 60)
        wait = "in a minute" if minutes == 1 else f"in {minutes} minutes"
        super().__init__(f"Too many tries. Nothing was checked; try again {wait}.")
        self.retry_after = retry_after


def attempt_of(request: Request, email: str) -> Attempt:
    """The try at this account, by a device that is known there or by a stranger."""
    packed = request.cookies.get(_cookie(request), "")
    known = desk_of(request).tokens.unpack_device(packed, max_age=KEPT_SECONDS)
    is_known = known is not None and known[0] == _mark_of(email)
    return Attempt(email, known[1] if known is not None and is_known else None)


def refuse(admission: Admission) -> None:
    """`TooManyTries` unless the try may be made."""
    if admission.is_refused:
        raise TooManyTries(admission.retry_after)


def remember(request: Request, response: Response, attempt: Attempt) -> None:
    """Leave the mark of this account on a browser that was just let into it."""
    packed = desk_of(request).tokens.pack_device(_mark_of(attempt.email), attempt.device or secrets.token_urlsafe(16))
    response.set_cookie(
        _cookie(request),
        packed,
        max_age=KEPT_SECONDS,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def _cookie(request: Request) -> str:
    return SECURE_COOKIE if request.url.scheme == "https" else PLAIN_COOKIE


def _mark_of(email: str) -> str:
    return hashlib.sha256(lookup.address_in(email).encode()).hexdigest()
