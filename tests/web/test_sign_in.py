"""Signing in and out, and every way in which a sign-in ends."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from admin_app import clock
from admin_app.errors import TimedOut
from admin_app.models import AuditAction, AuditLog, User, UserSession
from admin_app.services.operations import accounts, password_links, sign_in
from admin_app.services.records import passwords
from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN, Visitor, text_of
from tests.web.conftest import PASSWORD
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]
Window = Callable[..., Visitor]

WRONG = "This address and password do not open an account."
NOON = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)


async def sign_in_as(visitor: Visitor, address: str, password: str = PASSWORD, **typed: str) -> httpx.Response:
    """Fill in the sign-in form."""
    data = {"username": address, "password": password, **typed}
    return await visitor.client.post("/admin/login", data=data, headers={"Origin": ORIGIN})


async def is_in(visitor: Visitor) -> bool:
    """Whether the very next request is recognised."""
    return (await visitor.get("/admin/notification/list")).status_code == 200


class TestLogin:
    async def test_the_right_password_opens_a_session(self, desk: Desk, window: Window) -> None:
        visitor = window()
        answer = await sign_in_as(visitor, "Sam@Desk.Example ")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/")
        assert await is_in(visitor)
        [session] = await desk.rows(UserSession)
        assert session.user_id == desk.cast.sam.id
        [entry] = await desk.rows(AuditLog)
        assert (entry.action, entry.actor_id, entry.ip) == (AuditAction.SIGN_IN, desk.cast.sam.id, "127.0.0.1")

    async def test_the_cookie_is_out_of_reach_and_says_nothing(self, desk: Desk, window: Window) -> None:
        answer = await sign_in_as(window(), "sam@desk.example")
        [cookie] = [one for one in answer.headers.get_list("set-cookie") if "desk_session=" in one]
        name, token = cookie.split(";")[0].split("=", 1)
        assert name == "desk_session"
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=43200"} <= set(cookie.split("; "))
        [session] = await desk.rows(UserSession)
        assert len(token) >= 43
        assert token not in (session.token_hash, str(session.id))

    async def test_over_https_the_cookie_is_bound_to_the_host(self, desk: Desk, window: Window) -> None:
        visitor = window()
        visitor.client.base_url = "https://127.0.0.1"
        answer = await visitor.client.post(
            "/admin/login",
            data={"username": "sam@desk.example", "password": PASSWORD},
            headers={"Origin": "https://127.0.0.1"},
        )
        cookie, mark = answer.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-desk_session=")
        assert mark.startswith("__Host-desk_device=")
        assert "Secure" in mark.split("; ")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        assert await is_in(visitor)

    @pytest.mark.parametrize(
        ("address", "password"),
        [
            ("sam@desk.example", "a wrong guess"),
            ("sam@desk.example", ""),
            ("sam@desk.example", "x" * 5000),
            ("nobody@desk.example", PASSWORD),
            ("", PASSWORD),
            ("\x00", "\x00"),
            ("mallory@desk.example", PASSWORD),
            ("sid@desk.example", PASSWORD),
        ],
        ids=["wrong", "empty", "long", "unknown", "no address", "nul", "customer", "deactivated"],
    )
    async def test_whoever_may_not_in_is_told_nothing_about_why(
        self, desk: Desk, window: Window, address: str, password: str
    ) -> None:
        await desk.set(User, desk.cast.users["sid"], is_active=False)
        visitor = window()
        answer = await sign_in_as(visitor, address, password)
        assert answer.status_code == 400
        assert WRONG in text_of(answer)
        assert "set-cookie" not in answer.headers
        assert await desk.rows(UserSession) == []
        assert not await is_in(visitor)
        [entry] = await desk.rows(AuditLog)
        assert entry.action is AuditAction.SIGN_IN_REFUSED

    async def test_somebody_without_a_password_does_not_get_in(self, desk: Desk, window: Window) -> None:
        await desk.set(User, desk.cast.users["sam"], password_hash=None)
        assert (await sign_in_as(window(), "sam@desk.example", "")).status_code == 400

    async def test_the_address_stays_in_the_form_and_the_password_does_not(self, desk: Desk, window: Window) -> None:
        answer = await sign_in_as(window(), 'sam"<b>@desk.example', "a wrong guess")
        assert 'value="sam&#34;&lt;b&gt;@desk.example"' in answer.text
        assert "a wrong guess" not in answer.text

    async def test_every_sign_in_has_an_id_of_its_own(self, desk: Desk, window: Window) -> None:
        visitor = window()
        await sign_in_as(visitor, "sam@desk.example")
        first = visitor.client.cookies["desk_session"]
        await sign_in_as(visitor, "sam@desk.example")
        assert visitor.client.cookies["desk_session"] != first
        assert len(await desk.rows(UserSession)) == 2

    async def test_an_id_that_a_stranger_planted_is_not_taken_over(self, desk: Desk, window: Window) -> None:
        visitor = window()
        visitor.client.cookies.set("desk_session", "planted")
        answer = await sign_in_as(visitor, "sam@desk.example")
        assert "planted" not in answer.headers["set-cookie"]

    async def test_an_old_hash_is_made_anew_at_the_next_sign_in(
        self, desk: Desk, window: Window, password_hash: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(passwords, "needs_rehash", lambda stored: True)
        visitor = window()
        assert (await sign_in_as(visitor, "sam@desk.example")).status_code == 303
        stored = (await desk.stored(User, desk.cast.users["sam"])).password_hash
        assert stored != password_hash
        assert passwords.is_right(PASSWORD, stored)
        assert await is_in(visitor)

    async def test_an_old_password_that_no_rule_would_allow_today_still_opens_and_is_hashed_anew(
        self, desk: Desk, window: Window, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(passwords, "needs_rehash", lambda stored: True)
        old = passwords.hash_password("sam")
        await desk.set(User, desk.cast.users["sam"], password_hash=old)
        assert (await sign_in_as(window(), "sam@desk.example", "sam")).status_code == 303
        stored = (await desk.stored(User, desk.cast.users["sam"])).password_hash
        assert (stored != old, passwords.is_right("sam", stored)) == (True, True)


class TestNext:
    @pytest.mark.parametrize(
        "path", ["/admin/ticket/details/7", "/admin/ticket/list?search=a%20b&at=end", "/admin/user/list"]
    )
    async def test_after_signing_in_one_is_where_one_wanted_to_be(self, desk: Desk, window: Window, path: str) -> None:
        visitor = window()
        asked = await visitor.get(path)
        assert asked.status_code == 302
        page = await visitor.get(asked.headers["location"])
        shown = page.text.split('name="next" value="')[1].split('"')[0].replace("&amp;", "&")
        answer = await sign_in_as(visitor, "sam@desk.example", next=shown)
        assert answer.headers["location"] == path

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example/",
            "//evil.example/admin/",
            "/\\evil.example",
            "/admin/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/admin",
            "/health/live",
            "/admin/login?next=/admin/",
            "/admin/\r\nSet-Cookie: a=b",
            "/admin/\x00",
            " /admin/",
            "http:/admin/",
        ],
    )
    async def test_nobody_is_sent_to_another_site(self, desk: Desk, window: Window, elsewhere: str) -> None:
        visitor = window()
        answer = await sign_in_as(visitor, "sam@desk.example", next=elsewhere)
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/")
        page = await visitor.get("/admin/login", params={"next": elsewhere})
        assert 'name="next" value="/admin/"' in page.text


class TestAuthenticate:
    async def test_a_visitor_is_asked_to_sign_in(self, desk: Desk, window: Window) -> None:
        answer = await window().get("/admin/")
        assert (answer.status_code, answer.headers["location"]) == (302, "/admin/login")

    async def test_a_made_up_cookie_opens_nothing(self, desk: Desk, window: Window) -> None:
        visitor = window()
        visitor.client.cookies.set("desk_session", "x" * 43)
        assert not await is_in(visitor)

    async def test_a_script_is_told_in_json_and_not_sent_to_a_page(self, desk: Desk, window: Window) -> None:
        answer = await window().get("/admin/ticket/ajax/lookup", headers={"Accept": "application/json"})
        assert answer.status_code == 401
        assert answer.json() == {"error": "Your sign-in has ended. Sign in again."}

    async def test_last_seen_is_written_once_a_minute(self, desk: Desk, visit: Visit) -> None:
        with clock.at(NOON):
            sam = await visit("sam")
        for seconds, expected in ((59, 0), (61, 61), (90, 61), (122, 122)):
            with clock.at(NOON + timedelta(seconds=seconds)):
                assert await is_in(sam)
            [session] = await desk.rows(UserSession)
            assert session.last_seen_at == NOON + timedelta(seconds=expected)

    async def test_a_mark_that_cannot_be_written_keeps_nobody_from_a_page(
        self, desk: Desk, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(*args: Any) -> None:
            raise TimedOut

        monkeypatch.setattr(sign_in, "note_seen", fail)
        with clock.at(NOON):
            sam = await visit("sam")
        with clock.at(NOON + timedelta(minutes=5)):
            assert await is_in(sam)


class TestEndOfASignIn:
    async def test_after_half_an_hour_without_a_click(self, desk: Desk, visit: Visit) -> None:
        with clock.at(NOON):
            sam = await visit("sam")
        with clock.at(NOON + timedelta(minutes=29)):
            assert await is_in(sam)
        with clock.at(NOON + timedelta(minutes=58)):
            assert await is_in(sam)
        with clock.at(NOON + timedelta(minutes=88)):
            assert not await is_in(sam)

    async def test_after_twelve_hours_in_any_case(self, desk: Desk, visit: Visit) -> None:
        with clock.at(NOON):
            sam = await visit("sam")
        for minutes in range(20, 720, 20):
            with clock.at(NOON + timedelta(minutes=minutes)):
                assert await is_in(sam)
        with clock.at(NOON + timedelta(hours=12)):
            assert not await is_in(sam)

    async def test_by_signing_out_even_for_a_copy_of_the_cookie(self, desk: Desk, visit: Visit, window: Window) -> None:
        sam, thief = await visit("sam"), window()
        thief.client.cookies.set("desk_session", sam.client.cookies["desk_session"])
        assert await is_in(thief)
        answer = await sam.post("/admin/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/login")
        assert answer.headers["clear-site-data"] == '"cache"'
        assert "desk_session" not in sam.client.cookies
        page = await sam.get("/admin/login")
        assert ("You are signed out." in text_of(page), "data-signed-out" in page.text) == (True, True)
        assert "data-signed-out" not in (await sam.get("/admin/login")).text
        assert not await is_in(thief)
        assert [entry.action for entry in await desk.rows(AuditLog)] == [AuditAction.SIGN_OUT]

    async def test_signing_out_here_leaves_the_other_window_signed_in(self, desk: Desk, visit: Visit) -> None:
        here, there = await visit("sam"), await visit("sam")
        await here.post("/admin/logout")
        assert await is_in(there)

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_no_link_signs_anybody_out(self, desk: Desk, visit: Visit, method: str) -> None:
        sam = await visit("sam")
        assert (await sam.client.request(method, "/admin/logout")).status_code == 405
        assert await is_in(sam)

    @pytest.mark.parametrize("how", ["deactivated", "password", "role", "ended"])
    async def test_by_what_an_admin_does_from_the_very_next_request(
        self, desk: Desk, visit: Visit, password_hash: str, how: str
    ) -> None:
        windows = [await visit("sid"), await visit("sid")]
        sam, sid = await visit("sam"), desk.cast.users["sid"]
        assert all([await is_in(one) for one in windows])
        if how == "deactivated":
            await desk.run(accounts.deactivate, desk.cast.ada, sid, reason="left us")
        elif how == "password":
            link = password_links.NewLink("token", timedelta(hours=1))
            await desk.run(password_links.make, desk.cast.ada, sid, link=link, reason="forgotten")
            assert all([await is_in(one) for one in windows]), "a link alone ends nothing"
            await desk.run(
                password_links.use, token="token", password_hash=password_hash, caller=sign_in.Caller(None, None, None)
            )
        elif how == "role":
            await desk.run(accounts.change_role, desk.cast.ada, sid, role="supervisor")
        else:
            await desk.run(sign_in.end_sessions_of, desk.cast.ada, sid)
        assert not any([await is_in(one) for one in windows])
        assert await is_in(sam), "Sam had nothing to do with it"

    @pytest.mark.parametrize("columns", [{"is_active": False}, {"role": "customer"}, {"password_hash": None}])
    async def test_by_a_change_that_went_past_the_desk(self, desk: Desk, visit: Visit, columns: dict[str, Any]) -> None:
        sid = await visit("sid")
        statement = update(User).where(User.id == desk.cast.users["sid"]).values(**columns)
        await desk.database.run(lambda session: session.execute(statement))
        assert not await is_in(sid)

    async def test_mallory_is_not_let_in_even_with_a_session(self, visit: Visit) -> None:
        assert not await is_in(await visit("mallory"))


class TestTypedTextAfterTheEnd:
    async def test_a_form_that_comes_too_late_keeps_its_text(
        self, desk: Desk, scene: Scene, visit: Visit, window: Window
    ) -> None:
        sam = await visit("sam")
        form = await sam.form_at(f"/admin/ticket/edit/{scene.ticket.id}")
        await desk.run(sign_in.end_sessions_of, desk.cast.ada, desk.cast.users["sam"])
        async with desk.nothing_written():
            answer = await sam.submit(form, description="Two pages of careful <b>observations</b>.")
        assert answer.status_code == 401
        assert "Your sign-in has ended, so nothing was saved." in text_of(answer)
        assert "Two pages of careful <b>observations</b>." in text_of(answer)
        assert "<b>observations" not in answer.text
        assert form.fields["form_token"] not in answer.text

    async def test_a_password_is_never_shown_again(self, desk: Desk, visit: Visit) -> None:
        ada = await visit("ada")
        form = await ada.form_at(f"/admin/user/password/{desk.cast.users['sid']}")
        await desk.run(sign_in.end_sessions_of, desk.cast.ada, desk.cast.users["ada"])
        answer = await ada.submit(form, password="a secret of Sid's own")
        assert answer.status_code == 401
        assert "a secret of Sid" not in answer.text

    async def test_a_script_is_told_in_json(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        await sam.token()
        await desk.run(sign_in.end_sessions_of, desk.cast.ada, desk.cast.users["sam"])
        answer = await sam.post(f"/admin/ticket/tag/{scene.ticket.id}", {"tags": "vip"}, Accept="application/json")
        assert answer.status_code == 401
        assert "Sign in again" in answer.json()["error"]

    async def test_signing_out_twice_is_no_error_of_ours(self, desk: Desk, visit: Visit) -> None:
        sam = await visit("sam")
        await sam.token()
        await desk.run(sign_in.end_sessions_of, desk.cast.ada, desk.cast.users["sam"])
        assert (await sam.post("/admin/logout")).status_code == 401
