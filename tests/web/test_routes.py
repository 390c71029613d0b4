"""Every address × everybody × every method answers as the table says, and what is not in the table does not answer."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from admin_app.actor import Actor
from admin_app.errors import NotFound, PermissionDenied
from admin_app.models import User, UserSession
from admin_app.permissions import Permission, Role
from admin_app.web.routes import ANYONE, ROWS, SIGNED_IN, RouteTable, Row, form, needed_for, page
from admin_app.web.tokens import Tokens
from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN, Visitor, text_of
from tests.web.routes import ASSETS, every_address, every_template
from tests.web.scene import SECRET_KEY, Scene

Visit = Callable[..., Awaitable[Visitor]]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
OUTSIDE = ("nobody", "a customer", "somebody deactivated", "somebody signed out")
INSIDE = {"sam": Role.STAFF, "sue": Role.SUPERVISOR, "olaf": Role.OPS, "ada": Role.ADMIN}
SIGN_IN = "/admin/login"
ENDS_THE_SIGN_IN = "/admin/logout"
MOMENTARY = "/health/ready"
"""Tells how it is at this moment: on a busy machine the first connection may come too late for the first of two."""
REOPEN = "/admin/ticket/reopen/{pk}"
"""The ticket there is closed: only those who may reopen such a one get the form. A POST first hears what is missing."""
GENERIC = ("list", "details", "create", "edit", "ajax")
"""What SQLAdmin answers for every view, whether or not the view has such a page."""


def unlisted(app: Starlette) -> set[str]:
    """Routes that the application holds without a row, besides SQLAdmin's own for views that have no such page."""
    found = {template for template, _ in every_template(app) if app.state.routes.find(template) is None}
    return {path for path in found if not (path.count("/") > 2 and path.split("/")[3] in GENERIC)}


def plant(app: Starlette, path: str, endpoint: Any, methods: Iterable[str] = ("GET",)) -> None:
    """Another route in the mounted admin."""
    [mounted] = [route for route in app.routes if isinstance(route, Mount) and route.path == "/admin"]
    mounted.app.router.routes.insert(0, Route(path, endpoint, methods=list(methods)))  # type: ignore[attr-defined]


async def say_hello(request: Request) -> Response:
    """A page that forgets to ask who is there."""
    return PlainTextResponse("hello")


async def come(who: str, desk: Desk, visit: Visit, window: Callable[..., Visitor]) -> Visitor:
    """A window of somebody; those outside bring the cookie of a sign-in that does not count."""
    if who == "nobody":
        return window()
    if who == "a customer":
        return await visit("mallory")
    if who in INSIDE:
        return await visit(who)
    visitor = await visit("sid")
    if who == "somebody deactivated":
        await desk.set(User, desk.cast.users["sid"], is_active=False)
    else:
        newest = (await desk.rows(UserSession))[-1]
        await desk.set(UserSession, newest.id, revoked_at=newest.last_seen_at)
    return visitor


def expected(row: Row, method: str, who: str) -> str:
    """What the table says, in one word."""
    if method not in row.methods:
        return "no such method"
    if (method, who) == ("POST", "nobody") and row.path != SIGN_IN:
        return "not our form"
    if row.needs is ANYONE:
        return "admitted"
    if who in OUTSIDE:
        return "sign in"
    actor = Actor(1, who, INSIDE[who])
    if row.permission is None or actor.can(row.permission):
        is_final = (method, row.path) == ("GET", REOPEN) and not actor.can(Permission.TICKET_REOPEN_CLOSED)
        return "refused" if is_final else "admitted"
    return "missing" if row.hides else "refused"


def told(answer: httpx.Response, row: Row, should: str) -> str:
    """What the answer says, in the same words."""
    by_status = {405: "no such method", 401: "sign in"}
    if answer.status_code in by_status:
        return by_status[answer.status_code]
    if answer.headers.get("location", "").startswith("/admin/login?next") or (
        answer.headers.get("location") == "/admin/login" and row.path == "/admin/"
    ):
        return "sign in"
    if answer.status_code == 403 and "You are not allowed to do this" in answer.text:
        return "refused"
    if answer.status_code == 403 and "no longer valid" in answer.text:
        return "not our form"
    if answer.status_code == 404 and should == "missing":
        return "missing"
    return "admitted" if answer.status_code < 500 or row.path == MOMENTARY else "failed"


async def knock(visitor: Visitor, method: str, path: str) -> httpx.Response:
    """One request; a form with nothing but its token."""
    token = Tokens(SECRET_KEY).form_token(visitor.client.cookies.get("desk_session") or "")
    data = {"form_token": token} if method == "POST" else None
    headers = {"Origin": ORIGIN, **({} if method in {"GET", "HEAD"} else {"Accept": "application/json"})}
    return await visitor.client.request(method, path, data=data, headers=headers)


async def differences(
    app: Starlette, desk: Desk, scene: Scene, visitor: Visitor, who: str, *, only: str = ""
) -> tuple[int, list[str]]:
    """How many requests were compared, and which were not answered as the table says."""
    chosen = [address for address in every_address(app, desk, scene) if address.template.startswith(only)]
    addresses = sorted(chosen, key=lambda address: address.template == ENDS_THE_SIGN_IN)
    wrong, compared = [], 0
    for address in addresses:
        row = app.state.routes.find(address.template)
        for method in METHODS:
            should = expected(row, method, who)
            answer = await knock(visitor, method, address.path)
            compared += 1
            if method == "HEAD" and "HEAD" in row.methods:
                alike = {answer.status_code, (await knock(visitor, "GET", address.path)).status_code}
                is_right = len(alike) == 1 or (address.path == MOMENTARY and alike == {200, 503})
            else:
                is_right = told(answer, row, should) == should
            if not is_right:
                wrong.append(f"{method} {address.path}: {answer.status_code}, not {should}")
    return compared, wrong


class TestEveryRoute:
    async def test_every_route_has_a_row_and_every_row_a_route(self, app: Starlette) -> None:
        assert unlisted(app) == set(), "add a row in admin_app/web/routes.py"
        held = {template for template, _ in every_template(app)} | {"/admin"}
        held -= {folder + file for folder, file in ASSETS.items()}
        held |= {f"{folder}/{{path:path}}" for folder in ASSETS}
        assert {row.path for row in ROWS} == {path for path in held if app.state.routes.find(path) is not None}
        assert [path for path, often in Counter(row.path for row in ROWS).items() if often > 1] == []

    async def test_the_methods_of_a_route_are_those_of_its_row(self, app: Starlette) -> None:
        held = {template: methods for template, methods in every_template(app) if app.state.routes.find(template)}
        rows = {path: app.state.routes.find(path).methods for path in held}
        generic = {path for path in held if path.count("/") > 2 and path.split("/")[3] in GENERIC}
        assert {path: held[path] for path in held.keys() - generic} == {p: rows[p] for p in held.keys() - generic}

    @pytest.mark.parametrize("who", [*OUTSIDE, *INSIDE])
    async def test_each_gets_what_the_table_says(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit, window: Any, capsys: Any, who: str
    ) -> None:
        visitor = await come(who, desk, visit, window)
        compared, wrong = await differences(app, desk, scene, visitor, who)
        with capsys.disabled():
            print(f"\nS-01 {desk.database.engines.dialect}, {who}: {compared} route × method answers as the table says")
        assert wrong == []

    async def test_a_row_with_a_wrong_permission_would_be_noticed(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        """The negative control; and although the table lets her in, the service does not."""
        table = app.state.routes
        table.add(replace(table.find("/admin/pool"), needs=Permission.TICKET_LIST))
        sue = await visit("sue")
        _, wrong = await differences(app, desk, scene, sue, "sue", only="/admin/pool")
        assert wrong == ["GET /admin/pool: 403, not admitted"]


class TestOnlyListed:
    @pytest.mark.parametrize("who", ["nobody", "ada"])
    async def test_a_route_without_a_row_does_not_answer_and_is_found(
        self, app: Starlette, desk: Desk, visit: Visit, window: Any, who: str
    ) -> None:
        plant(app, "/planted", say_hello, ("GET", "POST"))
        visitor = await come(who, desk, visit, window)
        for method in METHODS:
            assert (await knock(visitor, method, "/admin/planted")).status_code == 404
        assert unlisted(app) == {"/admin/planted"}

    async def test_a_page_that_forgets_to_ask_for_a_sign_in_does_not_get_out(
        self, app: Starlette, desk: Desk, visit: Visit, window: Any
    ) -> None:
        plant(app, "/planted", say_hello)
        app.state.routes.add(page("/admin/planted", SIGNED_IN))
        for visitor in (window(), await visit("ada")):
            answer = await visitor.get("/admin/planted")
            assert (answer.status_code, "hello" in answer.text) == (404, False)

    async def test_the_same_page_for_anyone_does(self, app: Starlette, desk: Desk, window: Any) -> None:
        plant(app, "/planted", say_hello)
        app.state.routes.add(page("/admin/planted", ANYONE))
        assert (await window().get("/admin/planted")).text == "hello"

    @pytest.mark.parametrize(
        "path",
        ["/admin/ticket/list/", "/admin/ticket/list%0A", "//admin/ticket/list", "/health/live/", "/admin/trash/edit/1"],
    )
    async def test_an_address_that_only_looks_like_one_is_none(self, visit: Visit, path: str) -> None:
        answer = await (await visit("ada")).get(path)
        assert answer.status_code == 404
        assert "There is no such page or record." in text_of(answer)

    async def test_a_wrong_method_is_told_the_right_ones(self, window: Any) -> None:
        answer = await window().client.request("PUT", "/admin/trash/purge/1")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


class TestRouteTable:
    def test_a_row_is_found_by_its_address(self) -> None:
        table = RouteTable([page("/a/b", ANYONE), form("/a/b/{pk}", SIGNED_IN), page("/a/c/{pk:path}", ANYONE)])
        found = [table.find(path) for path in ("/a/b", "/a/b/7", "/a/c/7/8", "/a/b/7/8", "/a", "")]
        assert [row and row.path for row in found] == ["/a/b", "/a/b/{pk}", "/a/c/{pk:path}", None, None, None]
        assert [row.changes for row in table.rows] == [False, True, False]


class TestRow:
    def test_whoever_has_the_permission_is_admitted(self) -> None:
        row = page("/a", Permission.POOL_VIEW)
        row.admit(Actor(1, "Olaf", Role.OPS))
        with pytest.raises(PermissionDenied) as refused:
            row.admit(Actor(1, "Sam", Role.STAFF))
        assert refused.value.permission == "pool:view"

    def test_what_hides_looks_missing(self) -> None:
        with pytest.raises(NotFound):
            page("/a", Permission.POOL_VIEW, hides=True).admit(Actor(1, "Sam", Role.STAFF))

    def test_where_no_permission_is_needed_everybody_is_admitted(self) -> None:
        page("/a", SIGNED_IN).admit(Actor(1, "Kim", Role.CUSTOMER))


class TestNeededFor:
    def test_the_permission_behind_sqladmins_own_pages(self) -> None:
        assert needed_for("ticket", "edit") is Permission.TICKET_EDIT
        assert needed_for("pool", "list") is Permission.POOL_VIEW
        assert needed_for("trash", "edit") is None
        assert needed_for("import", "create") is None
