"""Every address of the application: looking changes nothing, and one connection is enough for all of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from admin_app.models import AuditAction, UserSession
from admin_app.web.routes import ANYONE, page
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import Visitor, text_of
from tests.web.posts import every_post
from tests.web.routes import every_address
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]

EVERYBODY = ["sam", "sue", "olaf", "ada"]
SEEN_COLUMNS = {"last_seen_at", "updated_at"}
GET_ALONE = {"/admin/login/provider"}
"""Whoever comes back from the provider brings a code that is used up at once, so there is no HEAD (405)."""
QUERIES = {"/admin/ticket/ajax/lookup": "?name=owner&term=s", "/admin/ticket/list": "?search=printer&status=open"}


async def rows_besides_marks(desk: Desk) -> dict[str, list[Any]]:
    """Every row of every table; without the last-seen marks, the entries that refusals must leave, and reports."""
    found = await desk.everything()
    marks = [number for number, column in enumerate(UserSession.__table__.columns) if column.name in SEEN_COLUMNS]
    found["user_sessions"] = [
        tuple(value for number, value in enumerate(row) if number not in marks) for row in found["user_sessions"]
    ]
    del found["worker_reports"]  # what a worker says of itself every two seconds, and when its figures are asked for
    found["audit_logs"] = [row for row in found["audit_logs"] if AuditAction.REFUSED not in row]
    return found


@asynccontextmanager
async def nothing_changed(desk: Desk) -> AsyncIterator[None]:
    """The check: what a block of GET and HEAD requests may leave in the tables."""
    before = await rows_besides_marks(desk)
    yield
    after = await rows_besides_marks(desk)
    assert [name for name in before if before[name] != after[name]] == [], "looking changed these tables"


async def look_at_everything(visitor: Visitor, app: Starlette, desk: Desk, scene: Scene) -> dict[str, int]:
    """GET and HEAD on every address; the statuses of GET by template."""
    statuses = {}
    for address in every_address(app, desk, scene):
        path = address.path + QUERIES.get(address.path, "")
        head = await visitor.client.head(path)
        got = await visitor.get(path)
        if path == "/health/ready":
            continue  # told within moments, and on a busy machine the first connection takes longer
        assert head.status_code == (405 if address.template in GET_ALONE else got.status_code), path
        assert got.status_code < 500, f"{path}: {text_of(got)}"
        statuses[address.template] = got.status_code
    return statuses


def add_route(app: Starlette, path: str, endpoint: Any) -> None:
    """Put a route in front of the admin's own, with a row that lets anybody in."""
    app.state.routes.add(page(f"/admin{path}", ANYONE))
    [mounted] = [route for route in app.routes if isinstance(route, Mount) and route.path == "/admin"]
    mounted.app.router.routes.insert(0, Route(path, endpoint))  # type: ignore[attr-defined]


class TestLookingAtEverything:
    @pytest.mark.parametrize("first_name", [*EVERYBODY, "nobody", "mallory"])
    async def test_get_and_head_change_nothing(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit, window: Any, first_name: str
    ) -> None:
        visitor = window() if first_name == "nobody" else await visit(first_name)
        async with nothing_changed(desk):
            statuses = await look_at_everything(visitor, app, desk, scene)
        assert len(statuses) > 50
        if first_name == "ada":
            assert sum(status == 200 for status in statuses.values()) > 25, statuses

    async def test_a_link_that_changes_something_would_be_noticed(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        """The negative control."""

        async def touch(request: Request) -> Response:
            await desk.run(lambda session: session.execute(text("UPDATE tickets SET title = 'changed by a link'")))
            return PlainTextResponse("done")

        add_route(app, "/touch", touch)
        with pytest.raises(AssertionError, match="looking changed these tables"):
            async with nothing_changed(desk):
                await look_at_everything(await visit("ada"), app, desk, scene)


class TestOneConnection:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """The smallest pool there is; a request that waits for a second connection would wait for itself."""
        return {"pool_size": 1, "pool_max_overflow": 0, "pool_timeout_seconds": 0.5}

    async def test_every_page_can_be_looked_at(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pages = [len(await look_at_everything(await visit(name), app, desk, scene)) for name in EVERYBODY]
        with capsys.disabled():
            print(f"\nR-10 {desk.database.engines.dialect}: {sum(pages)} pages answered by one connection, none failed")

    async def test_every_form_can_be_sent(
        self, desk: Desk, scene: Scene, visit: Visit, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ada = await visit("ada")
        statuses = [(post, (await post.send(ada, desk)).status_code) for post in every_post(desk, scene)]
        with capsys.disabled():
            acked = sum(status == post.answers for post, status in statuses)
            refused = len(statuses) - acked
            print(f"\nR-10 {desk.database.engines.dialect}: forms acked {acked}, refused {refused}, unknown 0")
        assert {post.template: status for post, status in statuses if status != post.answers} == {}

    async def test_a_refusal_can_be_written_down(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        assert (await (await visit("sam")).get("/admin/trash/list")).status_code == 403

    async def test_a_page_that_asks_for_a_second_connection_would_be_noticed(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        """The negative control."""

        async def greedy(request: Request) -> Response:
            async def and_another(session: Any) -> None:
                await session.execute(text("SELECT 1"))
                await desk.database.read(lambda second: second.execute(text("SELECT 1")))

            await desk.database.read(and_another)
            return PlainTextResponse("done")

        add_route(app, "/greedy", greedy)
        with pytest.raises(AssertionError, match="/admin/greedy"):
            await look_at_everything(await visit("ada"), app, desk, scene)


class TestRemovedRoutes:
    @in_one(
        "path",
        [
            "/admin/user/{id}/password_hash/download/",
            "/admin/user/{id}/password_hash/preview/",
            "/admin/ticket/{id}/title/download/",
            "/admin/user/{id}/email/download",
            "/admin/ticket/export/csv",
            "/admin/user/export/json",
            "/admin/audit-log/export/csv",
            "/admin/ticket/action/delete-all",
        ],
    )
    async def test_what_reads_past_the_services_is_gone(self, scene: Scene, visit: Visit, path: str) -> None:
        answer = await (await visit("ada")).get(path.format(id=1), follow_redirects=True)
        assert answer.status_code == 404

    async def test_what_writes_past_the_services_is_gone(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        ada = await visit("ada")
        await ada.token()
        async with desk.nothing_written():
            for path in ("/admin/ticket/import", "/admin/user/import", "/admin/ticket/delete"):
                assert (await ada.post(path)).status_code == 404, path
            headers = {"Origin": "http://127.0.0.1"}
            data = {"form_token": await ada.token()}
            for path in ("/admin/ticket/delete?pks=1", "/admin/user/delete?pks=1"):
                answer = await ada.client.request("DELETE", path, data=data, headers=headers)
                assert answer.status_code == 404, path

    async def test_a_view_without_a_place_in_the_menu_has_no_list(self, visit: Visit) -> None:
        assert (await (await visit("ada")).get("/admin/comment/list")).status_code == 404

    @pytest.mark.parametrize("path", ["/admin/nobody/list", "/admin/pool/list", "/admin/nobody/edit/1", "/nowhere"])
    async def test_an_address_that_never_was_is_a_page_that_says_so(self, visit: Visit, path: str) -> None:
        answer = await (await visit("ada")).get(path)
        assert answer.status_code == 404
        assert "There is no such page or record." in text_of(answer)


class TestMenu:
    MENUS = {
        "sam": {"Dashboard", "Tickets", "People", "Notifications"},
        "sue": {"Dashboard", "Tickets", "Trash", "People", "Audit log", "Import", "Notifications"},
        "olaf": {"Dashboard", "Notifications", "Pool", "Errors", "Slow queries"},
        "ada": {
            "Dashboard",
            "Tickets",
            "Trash",
            "People",
            "Audit log",
            "Import",
            "Notifications",
            "Pool",
            "Errors",
            "Slow queries",
        },
    }

    @pytest.mark.parametrize("first_name", MENUS)
    async def test_everybody_sees_what_they_may_open(self, desk: Desk, visit: Visit, first_name: str) -> None:
        page = await (await visit(first_name)).get("/admin/notification/list")
        menu = page.text.split('class="navbar-nav"')[1].split("</ul>")[0]
        shown = {part.split("</span>")[0] for part in menu.split("<span>")[1:]}
        assert shown == self.MENUS[first_name]

    async def test_whoever_sees_no_tickets_starts_at_the_pool(self, visit: Visit) -> None:
        answer = await (await visit("olaf")).get("/admin/")
        assert (answer.status_code, answer.headers["location"]) == (302, "/admin/pool")
