"""Codes are good once, for their own account, and only so many may be guessed."""

import asyncio

import pytest

from admin_app.models import AuditAction, RecoveryCode, SecondFactor
from admin_app.services.blocks import second_factor
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.records.secret_box import SecretBox
from tests.support.second_factors import RECOVERY, code, give, wrong_code

BOX = SecretBox("the secret key of this test, long enough")


@pytest.fixture
async def secret(desk, stopped_clock) -> str:
    """What Sam's app knows."""
    return await give(desk, desk.cast.sam.id, BOX)


async def check(desk, typed: str, *, name: str = "sam", box: SecretBox = BOX) -> Verdict:
    actor = getattr(desk.cast, name)

    async def work(session) -> Verdict:
        user = await second_factor.locked_person(session, actor.id)
        return await second_factor.check(session, actor, user, typed, box=box, purpose="to test")

    return await desk.run(work)


class TestCheck:
    @pytest.mark.parametrize("steps", [-1, 0, 1])
    async def test_the_code_of_now_and_of_its_neighbours_is_right_and_leaves_no_entry(
        self, desk, secret, steps: int
    ) -> None:
        async with desk.recorded() as written:
            assert await check(desk, code(secret, steps=steps)) is Verdict.RIGHT
        assert written.audit == []

    @pytest.mark.parametrize("steps", [-2, 2])
    async def test_an_older_or_a_later_one_is_wrong(self, desk, secret, steps: int) -> None:
        assert await check(desk, code(secret, steps=steps)) is Verdict.WRONG

    async def test_a_code_is_good_once(self, desk, secret) -> None:
        typed = code(secret)
        assert [await check(desk, typed) for _ in range(2)] == [Verdict.RIGHT, Verdict.USED]

    async def test_after_a_later_code_an_earlier_one_is_used_up(self, desk, secret) -> None:
        assert await check(desk, code(secret, steps=1)) is Verdict.RIGHT
        assert await check(desk, code(secret)) is Verdict.USED

    async def test_the_next_code_is_right_again(self, desk, secret, stopped_clock) -> None:
        assert await check(desk, code(secret)) is Verdict.RIGHT
        stopped_clock.forward(seconds=30)
        assert await check(desk, code(secret)) is Verdict.RIGHT

    @pytest.mark.parametrize("kind", ["time-based", "recovery"])
    async def test_of_many_at_once_exactly_one_wins(self, desk, secret, kind: str) -> None:
        typed = code(secret) if kind == "time-based" else RECOVERY
        verdicts = await asyncio.gather(*(check(desk, typed) for _ in range(5)))
        assert sorted(verdicts) == [Verdict.RIGHT, *[Verdict.USED] * 4]

    async def test_a_refused_code_is_written_down_without_the_code(self, desk, secret) -> None:
        typed = wrong_code(secret)
        async with desk.recorded() as written:
            assert await check(desk, typed) is Verdict.WRONG
        entry = written.entry
        assert (entry.action, entry.record_id, entry.reason) == (AuditAction.CODE_REFUSED, desk.cast.sam.id, "to test")
        assert typed not in repr(await desk.everything())

    async def test_a_recovery_code_is_good_once_and_counted(self, desk, secret) -> None:
        async with desk.recorded() as written:
            assert await check(desk, RECOVERY.upper().replace("-", " ")) is Verdict.RIGHT
        assert written.entry.action is AuditAction.RECOVERY_CODE_USED
        assert written.entry.changes == {"recovery_codes": [1, 0]}
        assert await check(desk, RECOVERY) is Verdict.USED
        assert RECOVERY not in repr(await desk.everything())

    async def test_codes_of_somebody_else_are_wrong(self, desk, secret) -> None:
        await give(desk, desk.cast.sid.id, BOX)
        assert await check(desk, code(secret), name="sid") is Verdict.WRONG
        await desk.set(RecoveryCode, 1, used_at=None)
        [of_sam, of_sid] = await desk.rows(RecoveryCode)
        await desk.run(lambda session: session.delete(of_sid))
        assert await check(desk, RECOVERY, name="sid") is Verdict.WRONG
        assert (await desk.stored(RecoveryCode, of_sam.id)).used_at is None

    async def test_without_a_second_factor_every_code_is_wrong(self, desk) -> None:
        assert await check(desk, "123456") is Verdict.WRONG

    async def test_one_that_is_only_being_set_up_does_not_count(self, desk, secret) -> None:
        await desk.set(SecondFactor, 1, confirmed_at=None)
        assert await check(desk, code(secret)) is Verdict.WRONG


class TestSecretKeys:
    async def test_after_a_change_of_the_key_the_next_code_seals_anew(self, desk, secret, stopped_clock) -> None:
        new = "the secret key after this test's own"
        both = SecretBox(new, "the secret key of this test, long enough")
        assert await check(desk, code(secret), box=both) is Verdict.RIGHT
        stopped_clock.forward(seconds=30)
        assert await check(desk, code(secret), box=SecretBox(new)) is Verdict.RIGHT

    async def test_without_the_key_no_code_is_right_but_a_recovery_code_is(self, desk, secret) -> None:
        lost = SecretBox("a key that seals nothing here at all")
        assert await check(desk, code(secret), box=lost) is Verdict.WRONG
        assert await check(desk, RECOVERY, box=lost) is Verdict.RIGHT


class TestGuesses:
    async def test_after_ten_even_the_right_code_is_not_looked_at(self, desk, secret) -> None:
        for _ in range(10):
            assert await check(desk, wrong_code(secret)) is Verdict.WRONG
        async with desk.nothing_written():
            assert await check(desk, code(secret)) is Verdict.TOO_MANY
            assert await check(desk, RECOVERY) is Verdict.TOO_MANY

    async def test_five_minutes_later_it_is(self, desk, secret, stopped_clock) -> None:
        for _ in range(10):
            await check(desk, wrong_code(secret))
        stopped_clock.forward(minutes=5)
        assert await check(desk, code(secret)) is Verdict.RIGHT

    async def test_of_thirty_at_once_ten_are_looked_at(self, desk, secret) -> None:
        verdicts = await asyncio.gather(*(check(desk, wrong_code(secret)) for _ in range(30)))
        assert verdicts.count(Verdict.WRONG) == 10
        assert verdicts.count(Verdict.TOO_MANY) == 20

    async def test_another_account_has_guesses_of_its_own(self, desk, secret) -> None:
        of_sid = await give(desk, desk.cast.sid.id, BOX)
        for _ in range(10):
            await check(desk, wrong_code(secret))
        assert await check(desk, code(of_sid), name="sid") is Verdict.RIGHT
