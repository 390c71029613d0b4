"""Every address that answers, in one table.

An address without a row is no page (404), whatever the application object holds; a method that its row does not name
is refused (405). A row also says who may come in: the sign-in check asks for that permission before anything else is
looked at, and the services ask again themselves.

To add a row: one line in `ROWS`, with `page` (GET), `form` (GET and POST) or `button` (POST), the address as it stands
in the route with the view's name filled in, the permission (or `ANYONE`, `SIGNED_IN`), and which records it is about.
`hides=True` when whoever lacks the permission shall not even learn that there is something, `confirms=True` when the
POST needs a fresh confirmation of who it is, `confirms_some=True` when its service decides that. The tests visit every
row as everybody; they say what is missing.
"""

import logging
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from re import Pattern
from typing import Any

from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_app.actor import Actor
from admin_app.errors import NotFound
from admin_app.permissions import Permission

logger = logging.getLogger("admin_app.web")


class Open(StrEnum):
    """Who may come in where no permission is needed."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"


class Records(StrEnum):
    """Which records an address may be about; all others are missing, or gone."""

    NONE = "none: the address names no record"
    LIVE = "those that are not deleted; deleted ones are gone"
    DELETED = "those in the trash"
    ANY = "all of its kind"
    OWN = "those of the person who asks; somebody else's are missing"


@dataclass(frozen=True)
class Row:
    """One address."""

    path: str
    methods: frozenset[str]
    needs: Permission | Open
    records: Records = Records.NONE
    hides: bool = False
    """Whether somebody without the permission gets the answer of a missing page."""
    confirms: bool = False
    """Whether its POST needs a fresh confirmation of who it is."""
    confirms_some: bool = False
    """Whether its service asks for one, for some of what the form can change."""

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return "POST" in self.methods

    @property
    def permission(self) -> Permission | None:
        """What it takes, besides a sign-in."""
        return self.needs if isinstance(self.needs, Permission) else None

    def admit(self, actor: Actor) -> None:
        """Refuse whoever lacks the permission; where that would tell too much, as if there was nothing."""
        if self.permission is None:
            return
        if self.hides and not actor.can(self.permission):
            raise NotFound
        actor.require(self.permission)


def page(path: str, needs: Permission | Open, records: Records = Records.NONE, **more: bool) -> Row:
    """Something to look at."""
    return Row(path, frozenset({"GET", "HEAD"}), needs, records, **more)


def form(path: str, needs: Permission | Open, records: Records = Records.NONE, **more: bool) -> Row:
    """A page that asks, and does it when its form is sent."""
    return Row(path, frozenset({"GET", "HEAD", "POST"}), needs, records, **more)


def button(path: str, needs: Permission | Open, records: Records = Records.NONE, **more: bool) -> Row:
    """A form on another page."""
    return Row(path, frozenset({"POST"}), needs, records, **more)


ANYONE, SIGNED_IN = Open.ANYONE, Open.SIGNED_IN
LIVE, DELETED, ANY, OWN = Records.LIVE, Records.DELETED, Records.ANY, Records.OWN
_P = Permission

ROWS: tuple[Row, ...] = (
    page("/", ANYONE),
    page("/health/live", ANYONE),
    page("/health/ready", ANYONE),
    page("/metrics", ANYONE),
    page("/admin", ANYONE),
    page("/admin/assets/{path:path}", ANYONE),
    form("/admin/login", ANYONE),
    form("/admin/login/code", ANYONE),
    Row("/admin/login/provider", frozenset({"GET"}), ANYONE),  # the one GET that changes something; no HEAD, then
    form("/admin/password-link", ANYONE),
    button("/admin/logout", SIGNED_IN),
    page("/admin/", SIGNED_IN),
    page("/admin/my-sign-ins", SIGNED_IN, OWN),
    button("/admin/my-sign-ins/end", SIGNED_IN, OWN, confirms=True),
    button("/admin/my-sign-ins/end-others", SIGNED_IN, OWN, confirms=True),
    button("/admin/my-sign-ins/unlink", SIGNED_IN, OWN, confirms=True),
    form("/admin/my-password", SIGNED_IN, OWN),
    page("/admin/second-factor", SIGNED_IN, OWN),
    button("/admin/second-factor/begin", SIGNED_IN, OWN, confirms=True),
    button("/admin/second-factor/confirm", SIGNED_IN, OWN),
    button("/admin/second-factor/recovery-codes", SIGNED_IN, OWN),
    button("/admin/second-factor/off", SIGNED_IN, OWN),
    page("/admin/ticket/list", _P.TICKET_LIST, LIVE),
    page("/admin/ticket/details/{pk:path}", _P.TICKET_DETAILS, LIVE, hides=True),
    form("/admin/ticket/create", _P.TICKET_CREATE),
    form("/admin/ticket/edit/{pk:path}", _P.TICKET_EDIT, LIVE, hides=True),
    page("/admin/ticket/ajax/lookup", _P.USER_LIST),
    page("/admin/ticket/number/{number}", _P.TICKET_DETAILS, LIVE),
    page("/admin/ticket/attachment/{pk}", _P.TICKET_DETAILS, LIVE),
    button("/admin/ticket/attach/{pk}", _P.TICKET_ATTACH, LIVE),
    button("/admin/ticket/comment/{pk}", _P.TICKET_COMMENT, LIVE),
    button("/admin/ticket/watch/{pk}", _P.TICKET_COMMENT, LIVE),
    button("/admin/ticket/unwatch/{pk}", _P.TICKET_COMMENT, LIVE),
    button("/admin/ticket/tag/{pk}", _P.TICKET_EDIT, LIVE),
    form("/admin/ticket/resolve/{pk}", _P.TICKET_CLOSE, LIVE),
    form("/admin/ticket/close/{pk}", _P.TICKET_CLOSE, LIVE),
    form("/admin/ticket/reopen/{pk}", _P.TICKET_EDIT, LIVE),
    form("/admin/ticket/transfer/{pk}", _P.TICKET_TRANSFER, LIVE),
    button("/admin/ticket/take/{pk}", _P.TICKET_TRANSFER, LIVE),
    form("/admin/ticket/delete/{pk}", _P.TICKET_DELETE, LIVE),
    form("/admin/ticket/export", _P.TICKET_EXPORT, confirms=True),
    page("/admin/ticket/export/{pk}", _P.TICKET_EXPORT, OWN),
    page("/admin/ticket/export/checksum/{pk}", _P.TICKET_EXPORT, OWN),
    button("/admin/ticket/export/download/{pk}", _P.TICKET_EXPORT, OWN, confirms=True),
    button("/admin/ticket/export/cancel/{pk}", _P.TICKET_EXPORT, OWN),
    form("/admin/ticket/bulk", _P.TICKET_BULK, LIVE),
    page("/admin/ticket/bulk/{pk}", _P.TICKET_BULK, ANY),
    button("/admin/ticket/bulk/again/{pk}", _P.TICKET_BULK, ANY),
    button("/admin/ticket/bulk/apply/{pk}", _P.TICKET_BULK, OWN),
    button("/admin/ticket/bulk/undo/{pk}", _P.TICKET_BULK, ANY),
    page("/admin/trash/list", _P.TICKET_TRASH, DELETED),
    page("/admin/trash/details/{pk:path}", _P.TICKET_TRASH, DELETED, hides=True),
    form("/admin/trash/restore/{pk}", _P.TICKET_RESTORE, DELETED),
    form("/admin/trash/bulk", _P.TICKET_RESTORE, DELETED),
    form("/admin/trash/purge/{pk}", _P.TICKET_PURGE, DELETED, confirms=True),
    form("/admin/comment/edit/{pk:path}", _P.TICKET_COMMENT, LIVE, hides=True),
    page("/admin/user/list", _P.USER_LIST, ANY),
    page("/admin/user/details/{pk:path}", _P.USER_DETAILS, ANY, hides=True),
    form("/admin/user/create", _P.USER_CREATE),
    form("/admin/user/edit/{pk:path}", _P.USER_EDIT, ANY, hides=True, confirms_some=True),
    form("/admin/user/deactivate/{pk}", _P.USER_DEACTIVATE, ANY),
    form("/admin/user/off-board/{pk}", _P.USER_DEACTIVATE, ANY),
    form("/admin/user/reactivate/{pk}", _P.USER_REACTIVATE, ANY),
    form("/admin/user/role/{pk}", _P.USER_CHANGE_ROLE, ANY, confirms=True),
    form("/admin/user/password/{pk}", _P.USER_RESET_PASSWORD, ANY, confirms=True),
    page("/admin/user/sign-ins/{pk}", _P.USER_END_SESSIONS, ANY),
    button("/admin/user/end-session/{pk}", _P.USER_END_SESSIONS, ANY, confirms=True),
    button("/admin/user/unlink/{pk}", _P.USER_RESET_PASSWORD, ANY, confirms=True),
    form("/admin/user/second-factor/{pk}", _P.USER_RESET_PASSWORD, ANY, confirms=True),
    form("/admin/user/end-sessions/{pk}", _P.USER_END_SESSIONS, ANY, confirms=True),
    page("/admin/audit-log/list", _P.AUDIT_LIST, ANY),
    page("/admin/audit-log/details/{pk:path}", _P.AUDIT_DETAILS, ANY, hides=True),
    page("/admin/notification/list", _P.NOTIFICATION_LIST, OWN),
    button("/admin/notification/read/{pk}", _P.NOTIFICATION_MARK_READ, OWN),
    button("/admin/notification/read-all", _P.NOTIFICATION_MARK_READ, OWN),
    form("/admin/import", _P.TICKET_IMPORT),
    form("/admin/import/mapping/{pk}", _P.TICKET_IMPORT, ANY),
    page("/admin/import/result/{pk}", _P.TICKET_IMPORT, ANY),
    page("/admin/import/rejected/{pk}", _P.TICKET_IMPORT, ANY),
    button("/admin/import/check/{pk}", _P.TICKET_IMPORT, ANY),
    button("/admin/import/run/{pk}", _P.TICKET_IMPORT, ANY),
    button("/admin/import/undo/{pk}", _P.TICKET_IMPORT, ANY),
    page("/admin/pool", _P.POOL_VIEW),
    button("/admin/pool/test-alert", _P.POOL_TEST_ALERT),
    page("/admin/errors", _P.ERRORS_VIEW),
    page("/admin/errors/kind/{fingerprint}", _P.ERRORS_VIEW, ANY),
    page("/admin/slow-queries", _P.SLOW_QUERIES_VIEW),
)


class RouteTable:
    """Finds the row of an address: at once where it has no variable part, else among those that begin alike."""

    def __init__(self, rows: Iterable[Row] = ROWS) -> None:
        self.rows: list[Row] = []
        self._plain: dict[str, Row] = {}
        self._patterns: dict[str, list[tuple[Pattern[str], Row]]] = {}
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """One more row."""
        self.rows.append(row)
        if "{" not in row.path:
            self._plain[row.path] = row
        else:
            self._patterns.setdefault(_beginning(row.path), []).append((compile_path(row.path)[0], row))

    def find(self, path: str) -> Row | None:
        """The row of an address, None when it has none."""
        if path in self._plain:
            return self._plain[path]
        alike = self._patterns.get(_beginning(path), ())
        return next((row for pattern, row in alike if pattern.fullmatch(path)), None)


class OnlyListed:
    """Pure ASGI: lets in what has a row, and lets no page out that nobody was asked a sign-in for."""

    def __init__(self, app: ASGIApp, table: RouteTable) -> None:
        self.app = app
        self.table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the row, note it for the sign-in check, go on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        row = self.table.find(scope["path"])
        if row is None:
            raise NotFound
        if scope["method"] not in row.methods:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(row.methods))})
        state: MutableMapping[str, Any] = scope["state"]
        state["route"] = row

        async def checked(message: Message) -> None:
            begins = message["type"] == "http.response.start" and message["status"] < 300
            if begins and row.needs is not ANYONE and state.get("signed_in") is None:
                logger.error("a page forgot to ask for a sign-in", extra={"event": "web.routes", "path": row.path})
                raise NotFound
            await send(message)

        await self.app(scope, receive, checked)


@cache
def needed_for(identity: str, action: str) -> Permission | None:
    """The permission behind one of SQLAdmin's own actions on a view, None when there is no such page."""
    paths = [f"/admin/{identity}/{action}", f"/admin/{identity}/{action}/{{pk:path}}"]
    if action == "list":
        paths.append(f"/admin/{identity}")
    return next((row.permission for row in ROWS if row.path in paths), None)


def _beginning(path: str) -> str:
    return "/".join(path.split("/", 3)[:3])
