"""Guessing passwords: so many tries and no more, whoever the account belongs to."""

from datetime import UTC, datetime, timedelta

import pytest

from admin_app import clock
from admin_app.models import AuditAction, AuditLog
from tests.web.browsing import text_of
from tests.web.conftest import PASSWORD
from tests.web.test_sign_in import is_in, sign_in_as

NOON = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def chosen_settings() -> dict[str, int]:
    """Fewer tries: checking is slow on purpose."""
    return {"sign_in_attempts": 2, "sign_in_window_minutes": 5}


class TestTooManyTries:
    @pytest.mark.parametrize("address", ["sam@desk.example", "nobody@desk.example"])
    async def test_is_told_with_the_time_to_come_back_and_the_address_stays(self, desk, window, address: str) -> None:
        visitor = window()
        with clock.at(NOON):
            statuses = [(await sign_in_as(visitor, address, "a wrong guess")).status_code for _ in range(2)]
        with clock.at(NOON + timedelta(minutes=1)):
            answer = await sign_in_as(visitor, address)
        assert [*statuses, answer.status_code] == [400, 400, 429]
        assert answer.headers["retry-after"] == "240"
        assert "Too many tries. Nothing was checked; try again in 4 minutes." in text_of(answer)
        assert f'value="{address}"' in answer.text
        assert not await is_in(visitor)
        with clock.at(NOON + timedelta(minutes=5)):
            status_code = (await sign_in_as(visitor, address)).status_code
        assert status_code == (303 if address.startswith("sam") else 400)

    async def test_a_browser_that_was_in_before_is_not_locked_out(self, desk, window) -> None:
        known, stranger = window(), window()
        assert (await sign_in_as(known, "sam@desk.example")).status_code == 303
        for _ in range(3):
            last = await sign_in_as(stranger, "sam@desk.example", "a wrong guess")
        assert last.status_code == 429
        assert (await sign_in_as(known, "sam@desk.example")).status_code == 303
        assert (await sign_in_as(known, "sue@desk.example")).status_code == 429, "the mark is Sam's alone"

    async def test_a_known_browser_has_only_so_many_tries_too(self, desk, window) -> None:
        known = window()
        await sign_in_as(known, "sam@desk.example")
        found = [(await sign_in_as(known, "sam@desk.example", "a wrong guess")).status_code for _ in range(3)]
        assert found == [400, 400, 429]

    @pytest.mark.parametrize("forged", ["", "x", "x.y.z", "ä", "W10.x.y"])
    async def test_a_forged_mark_is_none(self, desk, window, forged: str) -> None:
        visitor = window()
        headers = {"Cookie": f"desk_device={forged}".encode(), "Origin": "http://127.0.0.1"}
        data = {"username": "sam@desk.example", "password": "a wrong guess"}
        answers = [await visitor.client.post("/admin/login", data=data, headers=headers) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [400, 400, 429]

    async def test_right_passwords_lock_nobody_out(self, desk, window) -> None:
        for name in ("sam", "sue", "ada", "olaf"):
            assert (await sign_in_as(window(), f"{name}@desk.example")).status_code == 303

    async def test_the_audit_log_is_told_once(self, desk, window) -> None:
        for _ in range(6):
            await sign_in_as(window(), "sam@desk.example", "a wrong guess")
        actions = [entry.action for entry in await desk.rows(AuditLog)]
        assert actions == [AuditAction.SIGN_IN_REFUSED] * 2 + [AuditAction.SIGN_IN_THROTTLED]


class TestTheDeviceCookie:
    async def test_is_out_of_reach_and_says_nothing(self, desk, window) -> None:
        answer = await sign_in_as(window(), "sam@desk.example")
        [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith("desk_device=")]
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert "sam" not in cookie
        assert PASSWORD not in cookie

    async def test_a_new_sign_in_ends_the_one_that_the_browser_had(self, desk, window) -> None:
        visitor, copy = window(), window()
        await sign_in_as(visitor, "sam@desk.example")
        copy.client.cookies.set("desk_session", visitor.client.cookies["desk_session"], domain="127.0.0.1")
        assert await is_in(copy)
        await sign_in_as(visitor, "sam@desk.example")
        assert not await is_in(copy)
        assert await is_in(visitor)
