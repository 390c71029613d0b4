"""Rendering: what every template may use."""

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin_app import clock
from admin_app.actor import Actor
from admin_app.permissions import Permission
from admin_app.web.desk import desk_of, must_set_up, signed_in
from admin_app.web.guard import TOKEN_FIELD, form_binding
from admin_app.web.perform import KEY_FIELD
from admin_app.web.words import in_words as in_words

MESSAGE_COOKIE = "desk_message"
MESSAGE_SECONDS = 60

MESSAGES = {
    "opened": "{} is open.",
    "saved": "{} is saved.",
    "unchanged": "Nothing was changed.",
    "commented": "Your comment on {} is saved.",
    "attached": "The file is on {}.",
    "watching": "Watchers of {} are updated.",
    "tagged": "Tags of {} are saved.",
    "resolved": "{} is resolved.",
    "closed": "{} is closed.",
    "reopened": "{} is open again.",
    "transferred": "{} has a new owner.",
    "taken": "{} is yours now.",
    "deleted": "{} is in the trash.",
    "restored": "{} is back.",
    "purged": "{} is gone for good.",
    "created": "{} is added.",
    "deactivated": "{} is deactivated.",
    "reactivated": "{} is active again.",
    "role_changed": "The role of {} is changed.",
    "link_shown": "The link for {} was shown already, once. Make another one if it is lost.",
    "password_chosen": "Your password is set. Sign in with it.",
    "sessions_ended": "{} is signed out everywhere.",
    "sign_in_ended": "That sign-in is ended.",
    "identity_unlinked": "That link to single sign-on is gone; all other sign-ins are ended.",
    "others_ended": "All your other sign-ins are ended.",
    "own_password_set": "Your password is changed; your other sign-ins are ended.",
    "all_read": "Everything is marked as read.",
    "second_factor_off": "Your second factor is off; your other sign-ins are ended.",
    "second_factor_reset": "The second factor of {} is reset; they are signed out everywhere.",
    "signed_out": "You are signed out.",
}
"""Messages by code; the browser holds only the code and a label, both signed."""


def base_context(request: Request) -> dict[str, Any]:
    """What the layout needs, and the two hidden fields of every form."""
    found = signed_in(request)
    actor = found.actor if found else None
    token = form_binding(request)
    return {
        "actor": actor,
        "must_set_up": must_set_up(request),
        "unread": found.unread if found else 0,
        "can": _can(actor),
        "P": Permission,
        "now": clock.now(),
        "messages": _messages(request),
        "form_token": desk_of(request).tokens.form_token(token) if token else "",
        "form_token_field": TOKEN_FIELD,
        "key_field": KEY_FIELD,
        "fresh_key": lambda: uuid.uuid4().hex,
        "zone": ZoneInfo(actor.timezone) if actor else UTC,
    }


async def render(
    request: Request, template: str, context: Mapping[str, Any] | None = None, *, status_code: int = 200
) -> Response:
    """A page from a template; a message shown on it is not shown again."""
    full = {**base_context(request), **(context or {})}
    templates = request.state.templates
    response: Response = await templates.TemplateResponse(request, template, full, status_code=status_code)
    if full["messages"]:
        response.delete_cookie(MESSAGE_COOKIE, path="/")
    return response


def redirect(request: Request, path: str, code: str | None = None, label: str = "") -> Response:
    """To one of our own pages, with a message that it will show."""
    response = RedirectResponse(path, status_code=303)
    if code is not None:
        packed = desk_of(request).tokens.pack_message(code, label[:100])
        response.set_cookie(
            MESSAGE_COOKIE,
            packed,
            max_age=MESSAGE_SECONDS,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
    return response


def as_local(moment: datetime | None, zone: Any, form: str = "%d %b %Y, %H:%M") -> str:
    """A time as the person's clock shows it."""
    return moment.astimezone(zone).strftime(form) if moment else ""


def as_input(moment: datetime | None, zone: Any) -> str:
    """A time as a `datetime-local` field holds it."""
    return as_local(moment, zone, "%Y-%m-%dT%H:%M")


def _can(actor: Actor | None) -> Callable[[Permission], bool]:
    return lambda permission: actor is not None and actor.can(permission)


def _messages(request: Request) -> list[str]:
    packed = request.cookies.get(MESSAGE_COOKIE)
    if not packed:
        return []
    unpacked = desk_of(request).tokens.unpack_message(packed)
    if unpacked is None or unpacked[0] not in MESSAGES:
        return []
    return [MESSAGES[unpacked[0]].format(unpacked[1])]
