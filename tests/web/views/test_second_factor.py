"""The person's own page of the second factor, and what those must do whose role needs one."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette

from admin_app.models import AuditAction, AuditLog, RecoveryCode, SecondFactor
from admin_app.services.records import one_time_codes
from admin_app.web.views.second_factor import PATH, qr_code
from tests.services.scenes import Desk
from tests.support.second_factors import RECOVERY, code, give, wrong_code
from tests.web.browsing import ORIGIN, Visitor, form_on, text_of
from tests.web.routes import every_address
from tests.web.scene import BOX, Scene
from tests.web.test_authorization import FOR_ANYBODY, FOR_MACHINES

Visit = Callable[..., Awaitable[Visitor]]

OFF, RENEW = f"{PATH}/off", f"{PATH}/recovery-codes"


async def secret_of(desk: Desk) -> str:
    """The newest secret, past every page."""
    newest = (await desk.rows(SecondFactor))[-1]
    secret = BOX.open(newest.sealed_secret, owner_id=newest.user_id)
    assert secret
    return secret


@pytest.fixture
async def sam(desk: Desk, visit: Visit) -> Visitor:
    """He has begun to set up his second factor."""
    visitor = await visit("sam")
    assert (await visitor.fill_in(PATH)).headers["location"] == PATH
    return visitor


@pytest.fixture
async def sid(desk: Desk, visit: Visit) -> Visitor:
    """He has one."""
    await give(desk, desk.cast.sid.id, BOX)
    return await visit("sid")


class TestSetUp:
    async def test_the_page_shows_the_key_as_picture_and_as_text(self, desk: Desk, sam: Visitor) -> None:
        page, secret = await sam.get(PATH), await secret_of(desk)
        assert secret in text_of(page).replace(" ", "")
        address = one_time_codes.address(secret, "sam@desk.example")
        assert qr_code(address).replace("&", "&amp;").replace("'", "&#39;") in page.text
        assert page.headers["cache-control"] == "no-store"

    async def test_a_right_code_turns_it_on_and_shows_ten_codes_once(
        self, desk: Desk, sam: Visitor, visit: Visit
    ) -> None:
        secret, elsewhere = await secret_of(desk), await visit("sam")
        assert "Your other sign-ins end" in text_of(await elsewhere.get(PATH))
        answer = await sam.fill_in(PATH, action=f"{PATH}/confirm", code=code(secret))
        assert answer.status_code == 200
        stored = [row.code_hash for row in await desk.rows(RecoveryCode)]
        shown = [word for word in text_of(answer).split() if one_time_codes.hash_of(word) in stored]
        assert len(shown) == len(set(shown)) == 10
        again = await sam.get(PATH)
        assert [word for word in (*shown, secret) if word in again.text.replace(" ", "")] == []
        assert "10 left" in text_of(again)
        assert (await elsewhere.get(PATH)).status_code == 302
        assert "Your other sign-ins are ended." in text_of(answer)
        assert [entry.action for entry in await desk.rows(AuditLog)] == [
            AuditAction.SECOND_FACTOR_BEGUN,
            AuditAction.SECOND_FACTOR_ON,
        ]

    async def test_a_wrong_code_is_told_at_its_field(self, desk: Desk, sam: Visitor) -> None:
        typed = wrong_code(await secret_of(desk))
        answer = await sam.fill_in(PATH, action=f"{PATH}/confirm", code=typed)
        assert (answer.status_code, "This is not the code" in text_of(answer)) == (422, True)
        assert typed not in answer.text

    async def test_a_form_that_comes_too_late_is_told_so(self, desk: Desk, sam: Visitor) -> None:
        form = await sam.form_at(PATH, f"{PATH}/confirm")
        await sam.submit(form, code=code(await secret_of(desk)))
        answer = await sam.submit(form, code="000000")
        assert (answer.status_code, "Begin again" in text_of(answer)) == (409, True)

    async def test_another_key_can_be_asked_for(self, desk: Desk, sam: Visitor) -> None:
        before = await secret_of(desk)
        await sam.fill_in(PATH, action=f"{PATH}/begin")
        assert await secret_of(desk) != before

    def test_the_picture_needs_no_address_of_ours(self) -> None:
        assert qr_code("otpauth://totp/x?secret=ABC").startswith("data:image/svg+xml")


class TestRenew:
    async def test_a_code_makes_ten_new_ones(self, desk: Desk, sid: Visitor) -> None:
        answer = await sid.fill_in(PATH, action=RENEW, code=RECOVERY)
        assert "Your earlier codes no longer work." in text_of(answer)
        stored = [row.code_hash for row in await desk.rows(RecoveryCode)]
        assert len(stored) == 10
        assert one_time_codes.hash_of(RECOVERY) not in stored

    async def test_sent_twice_the_codes_are_not_shown_again(self, desk: Desk, sid: Visitor) -> None:
        form = await sid.form_at(PATH, RENEW)
        await sid.submit(form, code=RECOVERY)
        async with desk.nothing_written():
            assert (await sid.submit(form, code=RECOVERY)).headers["location"] == PATH


class TestTurnOff:
    async def test_a_code_turns_it_off(self, desk: Desk, sid: Visitor) -> None:
        answer = await sid.fill_in(PATH, action=OFF, code=code(await secret_of(desk)))
        assert answer.headers["location"] == PATH
        assert "Your second factor is off; your other sign-ins are ended." in text_of(await sid.get(PATH))
        assert await desk.rows(SecondFactor) == []

    @pytest.mark.parametrize("action", [OFF, RENEW])
    async def test_a_wrong_one_does_not_and_is_told_at_its_own_form(
        self, desk: Desk, sid: Visitor, action: str
    ) -> None:
        form = await sid.form_at(PATH, action)
        for _ in range(2):  # the same form once more is refused once more
            answer = await sid.submit(form, code=wrong_code(await secret_of(desk)))
            assert answer.status_code == 422
            assert answer.text.count("This is not right.") == 1
        assert len(await desk.rows(SecondFactor)) == 1
        assert [entry.action for entry in await desk.rows(AuditLog)] == [AuditAction.CODE_REFUSED]

    async def test_after_ten_wrong_ones_the_right_one_waits(self, desk: Desk, sid: Visitor) -> None:
        secret = await secret_of(desk)
        for _ in range(10):
            await sid.post(OFF, {"code": wrong_code(secret)})
        answer = await sid.post(OFF, {"code": code(secret)})
        assert (answer.status_code, "Too many wrong tries." in text_of(answer)) == (429, True)


class TestReset:
    async def test_an_admin_finds_the_button_and_it_ends_their_sessions(
        self, desk: Desk, sid: Visitor, visit: Visit
    ) -> None:
        ada, number = await visit("ada"), desk.cast.users["sid"]
        assert f"/admin/user/second-factor/{number}" in (await ada.get(f"/admin/user/details/{number}")).text
        answer = await ada.fill_in(f"/admin/user/second-factor/{number}", reason="Her phone is gone.")
        page = await ada.get(answer.headers["location"])
        assert "The second factor of Sid Staff is reset" in text_of(page)
        assert f"/admin/user/second-factor/{number}" not in page.text
        assert (await sid.get(PATH)).status_code == 302

    async def test_for_nobody_else_is_there_a_button(self, desk: Desk, sid: Visitor, visit: Visit) -> None:
        sue, number = await visit("sue"), desk.cast.users["sid"]
        assert "/admin/user/second-factor/" not in (await sue.get(f"/admin/user/details/{number}")).text


class TestRequired:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """Staff must have one."""
        return {"second_factor_required_for": "staff, admin"}

    async def test_nothing_opens_but_the_set_up_and_the_door(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit
    ) -> None:
        sam, open_pages = await visit("sam"), []
        for address in every_address(app, desk, scene):
            if "GET" not in address.methods or address.template in FOR_ANYBODY | FOR_MACHINES:
                continue
            answer = await sam.get(address.path)
            if answer.headers.get("location") != PATH:
                open_pages.append((address.template, answer.status_code))
        ways_in = [("/admin/login/code", 302), ("/admin/login/provider", 302)]
        assert open_pages == [*ways_in, ("/admin/second-factor", 200)]
        assert "Your role needs a second factor." in text_of(await sam.get(PATH))
        hidden = {"form_token": form_on(await sam.get(PATH)).fields["form_token"]}
        left = await sam.client.post("/admin/logout", data=hidden, headers={"Origin": ORIGIN})
        assert left.headers["location"] == "/admin/login"

    async def test_a_form_is_refused_and_keeps_its_text(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        token = form_on(await sam.get(PATH)).fields["form_token"]
        data = {"body": "a long answer", "form_token": token}
        async with desk.nothing_written():
            path = f"/admin/ticket/comment/{scene.ticket.id}"
            answer = await sam.client.post(path, data=data, headers={"Origin": ORIGIN})
        assert answer.status_code == 403
        assert "Set up your second factor first" in text_of(answer)
        assert "a long answer" in text_of(answer)

    async def test_once_set_up_everything_opens(self, desk: Desk, visit: Visit) -> None:
        sam = await visit("sam")
        await sam.fill_in(PATH)
        await sam.fill_in(PATH, action=f"{PATH}/confirm", code=code(await secret_of(desk)))
        assert (await sam.get("/admin/ticket/list")).status_code == 200

    async def test_other_roles_are_free_to_choose(self, desk: Desk, visit: Visit) -> None:
        assert (await (await visit("sue")).get("/admin/ticket/list")).status_code == 200
