"""Before what cannot be taken back, the person proves once more who they are."""

import asyncio
from datetime import timedelta

import pytest

from admin_app import clock
from admin_app.models import AuditAction, User, UserSession
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.operations import step_up
from admin_app.services.operations.step_up import Fresh
from admin_app.services.records.secret_box import SecretBox
from tests.support.second_factors import RECOVERY, code, give, wrong_code

BOX = SecretBox("the secret key of this test, long enough")
TEN_MINUTES = timedelta(minutes=10)
HASH = "the stored hash"


@pytest.fixture
async def fresh(desk, stopped_clock) -> Fresh:
    """Ada's sign-in of an hour ago."""
    now = clock.now()
    stored = await desk.store(
        UserSession(
            token_hash="x",
            user_id=desk.cast.ada.id,
            last_seen_at=now,
            expires_at=now + timedelta(hours=11),
            stepped_up_at=now - timedelta(hours=1),
        )
    )
    await desk.set(User, desk.cast.ada.id, password_hash=HASH)
    return Fresh(stored.id, TEN_MINUTES)


async def with_code(desk, fresh: Fresh, typed: str, name: str = "ada") -> Verdict:
    actor = getattr(desk.cast, name)
    return await desk.run(step_up.confirm_with_code, actor, fresh=fresh, typed=typed, box=BOX)


async def with_password(desk, fresh: Fresh, proven_hash: str | None = HASH) -> Verdict:
    return await desk.run(step_up.confirm_with_password, desk.cast.ada, fresh=fresh, proven_hash=proven_hash)


async def is_fresh(desk, fresh: Fresh) -> bool:
    stored = await desk.stored(UserSession, fresh.session_id)
    return step_up.is_fresh(stored.stepped_up_at, TEN_MINUTES)


class TestIsFresh:
    @pytest.mark.parametrize(("minutes", "expected"), [(0, True), (9, True), (10, False), (60, False)])
    async def test_for_as_long_as_the_settings_say(self, stopped_clock, minutes: int, expected: bool) -> None:
        assert step_up.is_fresh(clock.now() - timedelta(minutes=minutes), TEN_MINUTES) is expected

    def test_not_without_any_confirmation(self) -> None:
        assert not step_up.is_fresh(None, TEN_MINUTES)


class TestOwnPasswordHash:
    async def test_is_ones_own(self, desk, fresh) -> None:
        assert await desk.read(step_up.own_password_hash, desk.cast.ada) == HASH
        assert await desk.read(step_up.own_password_hash, desk.cast.sam) is None


class TestConfirmWithCode:
    @pytest.mark.parametrize("kind", ["time-based", "recovery"])
    async def test_makes_this_session_fresh(self, desk, fresh, kind: str) -> None:
        secret = await give(desk, desk.cast.ada.id, BOX)
        assert await with_code(desk, fresh, code(secret) if kind == "time-based" else RECOVERY) is Verdict.RIGHT
        assert await is_fresh(desk, fresh)

    async def test_a_wrong_code_does_not(self, desk, fresh) -> None:
        secret = await give(desk, desk.cast.ada.id, BOX)
        async with desk.recorded() as written:
            assert await with_code(desk, fresh, wrong_code(secret)) is Verdict.WRONG
        assert (written.entry.action, written.entry.reason) == (AuditAction.CODE_REFUSED, "to confirm that it is them")
        assert not await is_fresh(desk, fresh)

    async def test_a_form_sent_twice_at_once_needs_one_code(self, desk, fresh) -> None:
        secret = await give(desk, desk.cast.ada.id, BOX)
        verdicts = await asyncio.gather(*(with_code(desk, fresh, code(secret)) for _ in range(2)))
        assert verdicts == [Verdict.RIGHT] * 2

    async def test_nobody_makes_the_session_of_somebody_else_fresh(self, desk, fresh) -> None:
        secret = await give(desk, desk.cast.sam.id, BOX)
        await with_code(desk, fresh, code(secret), "sam")
        assert not await is_fresh(desk, fresh)

    async def test_a_session_that_has_ended_stays_as_it_is(self, desk, fresh) -> None:
        secret = await give(desk, desk.cast.ada.id, BOX)
        await desk.set(UserSession, fresh.session_id, revoked_at=clock.now())
        await with_code(desk, fresh, code(secret))
        assert not await is_fresh(desk, fresh)


class TestConfirmWithPassword:
    async def test_makes_this_session_fresh(self, desk, fresh) -> None:
        async with desk.recorded() as written:
            assert await with_password(desk, fresh) is Verdict.RIGHT
        assert await is_fresh(desk, fresh)
        assert written.audit == []

    @pytest.mark.parametrize("proven_hash", [None, "the hash before the password was changed"])
    async def test_a_wrong_password_does_not(self, desk, fresh, proven_hash: str | None) -> None:
        async with desk.recorded() as written:
            assert await with_password(desk, fresh, proven_hash) is Verdict.WRONG
        assert (written.entry.action, written.entry.record_id) == (AuditAction.PASSWORD_REFUSED, desk.cast.ada.id)
        assert not await is_fresh(desk, fresh)

    async def test_is_not_enough_for_somebody_who_has_a_second_factor(self, desk, fresh) -> None:
        await give(desk, desk.cast.ada.id, BOX)
        assert await with_password(desk, fresh) is Verdict.WRONG
        assert not await is_fresh(desk, fresh)

    async def test_a_form_sent_twice_needs_it_once(self, desk, fresh) -> None:
        assert await with_password(desk, fresh) is Verdict.RIGHT
        async with desk.nothing_written():
            assert await with_password(desk, fresh, None) is Verdict.RIGHT

    async def test_guesses_are_counted_with_those_of_codes(self, desk, fresh) -> None:
        for _ in range(10):
            await with_password(desk, fresh, None)
        async with desk.nothing_written():
            assert await with_password(desk, fresh) is Verdict.TOO_MANY
