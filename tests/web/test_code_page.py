"""After the password, the code: until it is right, the browser holds nothing that opens a page."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from admin_app import clock
from admin_app.errors import Unavailable
from admin_app.models import AuditAction, AuditLog, HalfOpenSession, UserSession
from admin_app.services.blocks import sign_in_sessions
from admin_app.services.operations import code_sign_in
from tests.services.scenes import Desk
from tests.support.second_factors import RECOVERY, code, give, wrong_code
from tests.web.browsing import ORIGIN, Visitor, form_on, text_of
from tests.web.conftest import PASSWORD
from tests.web.routes import every_address
from tests.web.scene import BOX, Scene
from tests.web.test_authorization import FOR_ANYBODY, FOR_MACHINES

Window = Callable[..., Visitor]
Visit = Callable[..., Awaitable[Visitor]]

CODE_PATH = "/admin/login/code"
NOON = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
async def secret(desk: Desk) -> str:
    """What Sam's app knows."""
    return await give(desk, desk.cast.sam.id, BOX)


async def type_password(visitor: Visitor, **typed: str) -> httpx.Response:
    data = {"username": "sam@desk.example", "password": PASSWORD, **typed}
    return await visitor.client.post("/admin/login", data=data, headers={"Origin": ORIGIN})


async def type_code(visitor: Visitor, typed: str, path: str = CODE_PATH) -> httpx.Response:
    return await visitor.submit(form_on(await visitor.get(path), CODE_PATH), code=typed)


async def is_in(visitor: Visitor) -> bool:
    return (await visitor.get("/admin/notification/list")).status_code == 200


class TestThePassword:
    async def test_leads_to_the_code_and_opens_nothing_else(
        self, app: Starlette, desk: Desk, scene: Scene, window: Window, secret: str
    ) -> None:
        visitor, sign_ins = window(), [row.id for row in await desk.rows(UserSession)]
        answer = await type_password(visitor, next="/admin/ticket/list?page=2")
        assert answer.headers["location"] == f"{CODE_PATH}?next=/admin/ticket/list%3Fpage%3D2"
        for address in every_address(app, desk, scene):
            if address.template not in FOR_ANYBODY | FOR_MACHINES | {CODE_PATH} and "GET" in address.methods:
                found = await visitor.get(address.path)
                assert found.headers.get("location", "").startswith("/admin/login"), address.path
        token = form_on(await visitor.get(CODE_PATH)).fields["form_token"]
        data = {"form_token": token, "body": "hello"}
        path = f"/admin/ticket/comment/{scene.ticket.id}"
        assert (await visitor.client.post(path, data=data, headers={"Origin": ORIGIN})).status_code == 401
        assert [row.id for row in await desk.rows(UserSession)] == sign_ins

    async def test_a_wrong_one_does_not_lead_there(self, desk: Desk, window: Window, secret: str) -> None:
        visitor = window()
        assert (await type_password(visitor, password="a wrong guess")).status_code == 400
        assert await desk.rows(HalfOpenSession) == []
        assert (await visitor.get(CODE_PATH)).headers["location"] == "/admin/login"

    async def test_is_enough_for_those_without_a_second_factor(self, desk: Desk, window: Window, secret: str) -> None:
        visitor = window()
        await type_password(visitor, username="sid@desk.example")
        assert await is_in(visitor)


class TestTheCode:
    @pytest.mark.parametrize("kind", ["time-based", "with a blank", "recovery"])
    async def test_opens_the_page_that_was_wanted_with_a_new_id(
        self, desk: Desk, window: Window, secret: str, kind: str
    ) -> None:
        visitor = window()
        page = (await type_password(visitor, next="/admin/user/list")).headers["location"]
        half_open = visitor.client.cookies["desk_session"]
        right = code(secret)
        typed = {"time-based": right, "with a blank": f"{right[:3]} {right[3:]}", "recovery": RECOVERY}[kind]
        answer = await type_code(visitor, typed, page)
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/user/list")
        assert await is_in(visitor)
        whole = visitor.client.cookies["desk_session"]
        assert whole != half_open
        [stored] = await desk.rows(UserSession)
        assert stored.token_hash == sign_in_sessions.hash_of(whole)

    async def test_the_half_open_id_is_worth_nothing_afterwards(self, desk: Desk, window: Window, secret: str) -> None:
        visitor, thief = window(), window()
        await type_password(visitor)
        thief.client.cookies.set("desk_session", visitor.client.cookies["desk_session"])
        await type_code(visitor, code(secret))
        assert not await is_in(thief)
        assert (await thief.get(CODE_PATH)).headers["location"] == "/admin/login"

    async def test_a_wrong_one_asks_again_and_is_never_shown(self, desk: Desk, window: Window, secret: str) -> None:
        visitor, typed = window(), wrong_code(secret)
        page = (await type_password(visitor, next="/admin/user/list")).headers["location"]
        answer = await type_code(visitor, typed, page)
        assert answer.status_code == 400
        assert "This code is not right." in text_of(answer)
        assert typed not in answer.text
        assert form_on(answer).fields["next"] == "/admin/user/list"
        [entry] = await desk.rows(AuditLog)
        assert (entry.action, entry.actor_id) == (AuditAction.CODE_REFUSED, desk.cast.sam.id)
        assert not await is_in(visitor)

    async def test_one_that_was_used_is_told_apart(self, desk: Desk, window: Window, secret: str) -> None:
        for says in ("", "This code was used already."):
            visitor = window()
            await type_password(visitor)
            assert says in text_of(await type_code(visitor, code(secret)))
        assert not await is_in(visitor)

    async def test_of_two_who_type_the_same_one_at_once_one_is_in(
        self, desk: Desk, window: Window, secret: str
    ) -> None:
        visitors = [window(), window()]
        forms = []
        for visitor in visitors:
            await type_password(visitor)
            forms.append(form_on(await visitor.get(CODE_PATH)))
        typed = code(secret)
        answers = await asyncio.gather(
            *(visitor.submit(form, code=typed) for visitor, form in zip(visitors, forms, strict=True))
        )
        assert sorted(answer.status_code for answer in answers) == [303, 400]
        assert sorted([await is_in(visitor) for visitor in visitors]) == [False, True]
        assert len(await desk.rows(UserSession)) == 1

    async def test_after_ten_wrong_ones_nobody_is_let_in_for_a_while(
        self, desk: Desk, window: Window, secret: str
    ) -> None:
        visitor = window()
        with clock.at(NOON):
            await type_password(visitor)
            form = form_on(await visitor.get(CODE_PATH))
            for _ in range(10):
                assert (await visitor.submit(form, code=wrong_code(secret))).status_code == 400
            answer = await visitor.submit(form, code=code(secret))
            assert (answer.status_code, "Too many wrong codes." in text_of(answer)) == (429, True)
        with clock.at(NOON + timedelta(minutes=6)):
            await type_password(visitor)
            await type_code(visitor, code(secret))
            assert await is_in(visitor)

    async def test_after_five_minutes_the_password_is_asked_again(
        self, desk: Desk, window: Window, secret: str
    ) -> None:
        visitor = window()
        with clock.at(NOON):
            await type_password(visitor)
            form = form_on(await visitor.get(CODE_PATH))
        with clock.at(NOON + timedelta(minutes=5)):
            answer = await visitor.submit(form, code=code(secret))
            assert (answer.status_code, answer.headers["location"]) == (303, "/admin/login")
        assert await desk.rows(UserSession) == []

    async def test_nobody_is_sent_to_another_site(self, desk: Desk, window: Window, secret: str) -> None:
        visitor = window()
        await type_password(visitor)
        answer = await type_code(visitor, code(secret), f"{CODE_PATH}?next=//evil.example/admin/")
        assert answer.headers["location"] == "/admin/"

    async def test_a_form_of_another_half_open_sign_in_is_refused(
        self, desk: Desk, window: Window, secret: str
    ) -> None:
        visitor, other = window(), window()
        await type_password(visitor)
        await type_password(other)
        foreign = form_on(await other.get(CODE_PATH))
        async with desk.nothing_written():
            assert (await visitor.submit(foreign, code=code(secret))).status_code == 403

    async def test_neither_code_nor_secret_gets_into_the_log(
        self, desk: Desk, window: Window, secret: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(0)
        visitor, typed = window(), [wrong_code(secret), code(secret)]
        await type_password(visitor)
        for each in typed:
            await type_code(visitor, each)
        assert [each for each in (*typed, secret) if each in caplog.text] == []

    async def test_while_the_desk_is_busy_the_code_is_not_repeated_on_the_page(
        self, desk: Desk, window: Window, secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        visitor, typed = window(), code(secret)
        await type_password(visitor)
        form = form_on(await visitor.get(CODE_PATH))

        async def busy(*args: object, **options: object) -> None:
            raise Unavailable

        monkeypatch.setattr(code_sign_in, "finish", busy)
        answer = await visitor.submit(form, code=typed)
        assert (answer.status_code, typed in answer.text) == (503, False)
