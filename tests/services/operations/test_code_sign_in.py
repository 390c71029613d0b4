"""Between password and code somebody is nobody; with the code, once, they are in."""

import asyncio
from datetime import timedelta

import pytest

from admin_app.models import AuditAction, HalfOpenSession, User, UserSession
from admin_app.services.blocks import sign_in_sessions
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.operations import code_sign_in, sign_in
from admin_app.services.operations.code_sign_in import Answer, SecondStep
from admin_app.services.records.secret_box import SecretBox
from tests.support.second_factors import RECOVERY, code, give, wrong_code

BOX = SecretBox("the secret key of this test, long enough")
CALLER = sign_in_sessions.Caller(ip="192.0.2.7", user_agent="Firefox", request_id="r-17")
LIFETIME = sign_in_sessions.Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
HASH = "the stored hash"


@pytest.fixture
async def secret(desk, stopped_clock) -> str:
    """What Sam's app knows; he has a password too."""
    await desk.set(User, desk.cast.sam.id, password_hash=HASH)
    return await give(desk, desk.cast.sam.id, BOX)


async def half(desk) -> str:
    """The password was right."""
    form = {"email": "sam@desk.example", "proven_hash": HASH, "rehashed": None}
    begun = await desk.run(sign_in.open_session, caller=CALLER, lifetime=LIFETIME, **form)
    assert begun.needs_code
    return begun.token


async def finish(desk, token: str, typed: str) -> Answer:
    step = SecondStep(token, typed, BOX)
    return await desk.run(code_sign_in.finish, step=step, caller=CALLER, lifetime=LIFETIME)


async def is_waiting(desk, token: str) -> bool:
    return await desk.read(code_sign_in.is_waiting, half_open_token=token)


async def recognised(desk, token: str):
    return await desk.read(sign_in.recognise, token=token, caller=CALLER, lifetime=LIFETIME)


class TestHalfOpen:
    async def test_the_password_alone_signs_nobody_in(self, desk, secret) -> None:
        async with desk.recorded() as written:
            token = await half(desk)
        assert await recognised(desk, token) is None
        assert await desk.rows(UserSession) == []
        assert written.audit == []
        assert (await desk.stored(User, desk.cast.sam.id)).last_sign_in_at is None
        assert await is_waiting(desk, token)
        assert token not in repr(await desk.everything())

    async def test_it_waits_for_five_minutes(self, desk, secret, stopped_clock) -> None:
        token = await half(desk)
        stopped_clock.forward(minutes=4, seconds=59)
        assert await is_waiting(desk, token)
        stopped_clock.forward(seconds=1)
        assert not await is_waiting(desk, token)
        async with desk.nothing_written():
            assert await finish(desk, token, code(secret)) == Answer()

    async def test_one_that_ran_out_is_swept_away_by_the_next(self, desk, secret, stopped_clock) -> None:
        await half(desk)
        stopped_clock.forward(minutes=6)
        await half(desk)
        assert len(await desk.rows(HalfOpenSession)) == 1

    async def test_ending_all_sessions_ends_it(self, desk, secret) -> None:
        token = await half(desk)
        assert await desk.run(sign_in_sessions.end_all, desk.cast.sam.id) == 0
        assert not await is_waiting(desk, token)


class TestFinish:
    @pytest.mark.parametrize("kind", ["time-based", "recovery"])
    async def test_the_code_opens_a_session_with_another_id(self, desk, secret, kind: str) -> None:
        token = await half(desk)
        typed = code(secret) if kind == "time-based" else RECOVERY
        async with desk.recorded() as written:
            answer = await finish(desk, token, typed)
        assert answer.token != token
        found = await recognised(desk, answer.token)
        assert (found.actor.id, found.has_second_factor) == (desk.cast.sam.id, True)
        assert written.audit[-1].action is AuditAction.SIGN_IN
        assert not await is_waiting(desk, token)

    async def test_a_wrong_code_leaves_it_waiting_and_an_entry(self, desk, secret) -> None:
        token = await half(desk)
        async with desk.recorded() as written:
            assert await finish(desk, token, wrong_code(secret)) == Answer(verdict=Verdict.WRONG)
        entry = written.entry
        assert (entry.action, entry.reason, entry.ip) == (AuditAction.CODE_REFUSED, "to sign in", "192.0.2.7")
        assert await is_waiting(desk, token)

    async def test_two_at_once_open_one_session(self, desk, secret) -> None:
        token = await half(desk)
        answers = await asyncio.gather(*(finish(desk, token, code(secret, steps=steps)) for steps in (-1, 0, 1)))
        assert len([answer for answer in answers if answer.token]) == 1
        assert len(await desk.rows(UserSession)) == 1

    async def test_one_code_for_two_sign_ins_at_once_lets_one_in(self, desk, secret) -> None:
        tokens = [await half(desk) for _ in range(3)]
        answers = await asyncio.gather(*(finish(desk, token, code(secret)) for token in tokens))
        verdicts = sorted(str(answer.verdict) for answer in answers)
        assert verdicts == ["right", "used", "used"]
        assert len(await desk.rows(UserSession)) == 1

    @pytest.mark.parametrize("token", ["", "made up"])
    async def test_without_a_password_before_a_code_is_not_looked_at(self, desk, secret, token: str) -> None:
        async with desk.nothing_written():
            assert await finish(desk, token, code(secret)) == Answer()

    @pytest.mark.parametrize("columns", [{"is_active": False}, {"role": "customer"}])
    async def test_whoever_was_shut_out_in_between_stays_out(self, desk, secret, columns) -> None:
        token = await half(desk)
        await desk.set(User, desk.cast.sam.id, **columns)
        async with desk.nothing_written():
            assert await finish(desk, token, code(secret)) == Answer()

    async def test_a_whole_session_is_no_half_open_one(self, desk, secret) -> None:
        answer = await finish(desk, await half(desk), code(secret))
        assert not await is_waiting(desk, answer.token)
