"""How often somebody may try a password."""

from datetime import timedelta

import pytest

from admin_app.models import AuditAction
from admin_app.services.blocks.sign_in_sessions import Caller
from admin_app.services.operations import sign_in_attempts
from admin_app.services.operations.sign_in_attempts import Attempt, Limit

LIMIT = Limit(tries=3, within=timedelta(minutes=5))
HERE, ELSEWHERE = Caller("192.0.2.7", "Firefox", "r-1"), Caller("192.0.2.8", "Firefox", "r-2")


async def refused(desk, attempt: Attempt, caller: Caller = HERE, count: int = 1) -> list[bool]:
    run = [await desk.run(sign_in_attempts.admit, attempt, caller=caller, limit=LIMIT) for _ in range(count)]
    return [one.is_refused for one in run]


class TestAdmit:
    @pytest.mark.parametrize("email", ["sam@desk.example", "nobody@desk.example"])
    async def test_an_account_has_its_tries_from_wherever_known_or_not(self, desk, email: str) -> None:
        assert await refused(desk, Attempt(email), count=4) == [False, False, False, True]
        assert await refused(desk, Attempt(f" {email.upper()} "), ELSEWHERE) == [True]

    async def test_an_address_has_its_tries_for_whatever_account(self, desk) -> None:
        ends = [(await refused(desk, Attempt(f"p{number}@desk.example")))[0] for number in range(4)]
        assert ends == [False, False, False, True]
        assert await refused(desk, Attempt("p9@desk.example"), ELSEWHERE) == [False]

    @pytest.mark.parametrize(
        ("places", "expected"),
        [
            (
                ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:3::4", "2001:db8:1:2:f::", "2001:db8:1:3::1"],
                "...x.",
            ),
            ([f"::ffff:192.0.2.{number}" for number in range(5)], "....."),
            ([None] * 4, "...x"),
            (["somewhere"] * 4, "...x"),
        ],
        ids=["a street of addresses", "old addresses in new clothes", "none", "no address"],
    )
    async def test_what_counts_as_one_address(self, desk, places: list[str | None], expected: str) -> None:
        tries = [(Attempt(f"p{number}@desk.example"), Caller(ip, "", "")) for number, ip in enumerate(places)]
        found = [await refused(desk, *each) for each in tries]
        assert "".join("x" if is_refused else "." for [is_refused] in found) == expected

    async def test_a_known_device_is_not_locked_out_and_has_its_own_tries(self, desk) -> None:
        await refused(desk, Attempt("sam@desk.example"), count=5)
        known = Attempt("sam@desk.example", device="a laptop")
        assert await refused(desk, known, count=4) == [False, False, False, True]

    @pytest.mark.parametrize(("email", "label"), [("sam@desk.example", "sam@"), ("correct-horse-battery", "somebody")])
    async def test_the_audit_log_hears_of_it_once(self, desk, email: str, label: str) -> None:
        async with desk.recorded() as written:
            await refused(desk, Attempt(email), count=9)
        assert written.entry.action is AuditAction.SIGN_IN_THROTTLED
        assert written.entry.record_label.startswith(label)
        assert written.entry.ip == HERE.ip


class TestSucceeded:
    async def succeed(self, desk, attempt: Attempt) -> None:
        admission = await desk.run(sign_in_attempts.admit, attempt, caller=HERE, limit=LIMIT)
        assert not admission.is_refused
        await desk.run(sign_in_attempts.succeeded, attempt, admission, caller=HERE)

    async def test_a_right_password_uses_up_nothing(self, desk) -> None:
        for _ in range(5):
            await self.succeed(desk, Attempt("sam@desk.example"))

    async def test_but_wrong_ones_before_it_still_count(self, desk) -> None:
        sam = Attempt("sam@desk.example")
        await refused(desk, sam, count=2)
        await self.succeed(desk, sam)
        assert await refused(desk, sam, count=2) == [False, True]

    async def test_a_known_device_begins_anew_alone(self, desk) -> None:
        known, stranger = Attempt("sam@desk.example", "a laptop"), Attempt("sam@desk.example")
        await refused(desk, stranger, count=3)
        await refused(desk, known, count=2)
        await self.succeed(desk, known)
        assert await refused(desk, known, count=3) == [False] * 3
        assert await refused(desk, stranger) == [True]
