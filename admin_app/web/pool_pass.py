"""A pass for the pool page, for when the database does not answer and so cannot say who is signed in.

Whoever the database lets see the pool gets one as a cookie, signed, bound to their sign-in and good for five minutes;
every answer of the page renews it. It opens that page alone, to look at, and only while the database says neither yes
nor no: a sign-in that has ended is refused as soon as it answers again. Any worker on any host accepts it.
"""

import asyncio
from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import Response

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import TimedOut, Unavailable
from admin_app.permissions import Role
from admin_app.services.operations.sign_in import SignedIn, hash_of
from admin_app.web.desk import actor_of, desk_of
from admin_app.web.guard import SAFE_METHODS, session_token

COOKIE = "desk_pool_pass"
PATH = "/admin/pool"
LONGEST_SECONDS = 300
PATIENCE_SECONDS = 0.5
"""How long the database may take to say who asks, when a pass could be shown instead."""

_left_behind: set[asyncio.Future[SignedIn | None]] = set()
"""Questions that nobody waits for any longer; kept, so that they end in peace."""


async def recognised(request: Request, asking: Awaitable[SignedIn | None]) -> SignedIn | None:
    """Who asks, as the database says; or as their pass says, on the page that it opens, when there is no answer."""
    shown = _shown(request)
    if shown is None:
        return await asking
    task = asyncio.ensure_future(asking)
    await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    if not task.done():
        _left_behind.add(task)
        task.add_done_callback(_forget)
        return _admitted(request, shown)
    try:
        return task.result()
    except (Unavailable, TimedOut):
        return _admitted(request, shown)


def renew(request: Request, response: Response) -> None:
    """Hand out a pass with the page, unless it was itself seen with one."""
    if is_by_pass(request):
        return
    actor, desk = actor_of(request), desk_of(request)
    values = [hash_of(session_token(request)), actor.id, actor.name, actor.role.value, actor.timezone]
    response.set_cookie(
        COOKIE,
        desk.tokens.pack_pass(values),
        max_age=LONGEST_SECONDS,
        path=PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def is_by_pass(request: Request) -> bool:
    """Whether the database could not be asked who this is."""
    return bool(getattr(request.state, "by_pass", False))


def _shown(request: Request) -> SignedIn | None:
    """Whom the pass names, when it is for this page and this sign-in, and neither too old nor made elsewhere."""
    if request.url.path != PATH or request.method not in SAFE_METHODS:
        return None
    desk = desk_of(request)
    longest = min(LONGEST_SECONDS, int(desk.lifetime.idle.total_seconds()))
    values = desk.tokens.unpack_pass(request.cookies.get(COOKIE, ""), max_age=longest)
    if values is None or values[0] != hash_of(session_token(request)):
        return None
    actor = Actor(id=values[1], name=values[2], role=Role(values[3]), timezone=values[4])
    return SignedIn(actor, session_id=0, unread=0, last_seen_at=clock.now(), has_second_factor=True)


def _admitted(request: Request, shown: SignedIn) -> SignedIn:
    request.state.by_pass = True
    return shown


def _forget(task: asyncio.Future[SignedIn | None]) -> None:
    _left_behind.discard(task)
    if not task.cancelled():
        task.exception()  # somebody has looked at it: nothing is logged as never retrieved
