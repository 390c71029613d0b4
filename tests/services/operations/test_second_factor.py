"""A second factor is set up, confirmed, renewed, turned off or reset; each of it is written down, and no secret is."""

import contextlib
from datetime import timedelta

import pytest

from admin_app import clock
from admin_app.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from admin_app.models import AuditAction, HalfOpenSession, RecoveryCode, SecondFactor, UserSession
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.operations import second_factor
from admin_app.services.operations.second_factor import Proof, State
from admin_app.services.records import one_time_codes
from admin_app.services.records.secret_box import SecretBox
from tests.support.second_factors import RECOVERY, code, give, wrong_code

BOX = SecretBox("the secret key of this test, long enough")
LOST = SecretBox("a key that seals nothing here at all")
CODES = [f"new{n}-new{n}-new{n}-new{n}" for n in range(10)]


@pytest.fixture
async def secret(desk, stopped_clock) -> str:
    """What Sam's app knows."""
    return await give(desk, desk.cast.sam.id, BOX)


@pytest.fixture
async def begun(desk, stopped_clock) -> str:
    """The secret of what Sam has begun to set up."""
    await desk.run(second_factor.begin, desk.cast.sam, box=BOX)
    return (await state(desk)).secret


async def state(desk, box: SecretBox = BOX) -> State:
    return await desk.read(second_factor.state, desk.cast.sam, box=box)


async def confirm(desk, typed: str, box: SecretBox = BOX):
    return await desk.run(second_factor.confirm, desk.cast.sam, proof=Proof(typed, box), recovery_codes=CODES)


class TestState:
    async def test_nobody_has_one_to_begin_with(self, desk) -> None:
        assert await state(desk) == State()

    async def test_shows_the_secret_while_it_is_being_set_up(self, desk, begun) -> None:
        shown = await state(desk)
        assert shown.since is None
        assert shown.secret in shown.address
        assert "sam%40desk.example" in shown.address

    async def test_never_shows_it_afterwards(self, desk, secret, stopped_clock) -> None:
        assert await state(desk) == State(since=stopped_clock.time, codes_left=1)

    async def test_one_begun_under_a_lost_key_is_none(self, desk, begun) -> None:
        assert await state(desk, LOST) == State()


class TestBegin:
    async def test_the_database_has_no_readable_secret(self, desk) -> None:
        async with desk.recorded() as written:
            await desk.run(second_factor.begin, desk.cast.sam, box=BOX)
        assert written.entry.action is AuditAction.SECOND_FACTOR_BEGUN
        secret = (await state(desk)).secret
        assert secret not in repr(await desk.everything())
        assert (await desk.rows(SecondFactor))[0].confirmed_at is None

    async def test_beginning_again_makes_another_secret(self, desk, begun) -> None:
        await desk.run(second_factor.begin, desk.cast.sam, box=BOX)
        assert (await state(desk)).secret != begun
        assert len(await desk.rows(SecondFactor)) == 1

    async def test_one_that_counts_is_not_replaced(self, desk, secret) -> None:
        await desk.refusal(Conflict, second_factor.begin, desk.cast.sam, box=BOX)


class TestConfirm:
    async def test_counts_from_then_on_and_is_written_down(self, desk, begun, stopped_clock) -> None:
        async with desk.recorded() as written:
            await confirm(desk, code(begun))
        assert (written.entry.action, written.entry.changes) == (AuditAction.SECOND_FACTOR_ON, {})
        assert await state(desk) == State(since=stopped_clock.time, codes_left=10)
        stored = {row.code_hash for row in await desk.rows(RecoveryCode)}
        assert stored == {one_time_codes.hash_of(each) for each in CODES}

    async def test_its_code_is_used_up(self, desk, begun) -> None:
        await confirm(desk, code(begun))
        proof = Proof(code(begun), BOX)
        assert await desk.run(second_factor.turn_off, desk.cast.sam, proof=proof) is Verdict.USED

    async def test_a_wrong_code_leaves_everything_as_it_was(self, desk, begun) -> None:
        form = {"proof": Proof(wrong_code(begun), BOX), "recovery_codes": CODES}
        error = await desk.refusal(InvalidInput, second_factor.confirm, desk.cast.sam, **form)
        assert "code" in error.fields

    async def test_there_must_be_something_to_confirm(self, desk) -> None:
        form = {"proof": Proof("123456", BOX), "recovery_codes": CODES}
        await desk.refusal(Conflict, second_factor.confirm, desk.cast.sam, **form)

    async def test_what_counts_already_is_not_confirmed_again(self, desk, secret) -> None:
        form = {"proof": Proof(code(secret), BOX), "recovery_codes": CODES}
        await desk.refusal(Conflict, second_factor.confirm, desk.cast.sam, **form)

    async def test_a_key_that_was_lost_in_between_begins_anew(self, desk, begun) -> None:
        form = {"proof": Proof(code(begun), LOST), "recovery_codes": CODES}
        await desk.refusal(Conflict, second_factor.confirm, desk.cast.sam, **form)


class TestRenewRecoveryCodes:
    async def test_the_new_ones_take_the_place_of_the_old(self, desk, secret) -> None:
        form = {"proof": Proof(code(secret), BOX), "recovery_codes": CODES}
        async with desk.recorded() as written:
            await desk.run(second_factor.renew_recovery_codes, desk.cast.sam, **form)
        assert written.entry.action is AuditAction.RECOVERY_CODES_NEW
        stored = {row.code_hash for row in await desk.rows(RecoveryCode)}
        assert stored == {one_time_codes.hash_of(each) for each in CODES}

    async def test_a_wrong_code_leaves_the_old_ones_and_an_entry(self, desk, secret) -> None:
        form = {"proof": Proof(wrong_code(secret), BOX), "recovery_codes": CODES}
        async with desk.recorded() as written:
            assert await desk.run(second_factor.renew_recovery_codes, desk.cast.sam, **form) is Verdict.WRONG
        assert written.entry.action is AuditAction.CODE_REFUSED
        assert [row.code_hash for row in await desk.rows(RecoveryCode)] == [one_time_codes.hash_of(RECOVERY)]


class TestTurnOff:
    @pytest.mark.parametrize("kind", ["time-based", "recovery"])
    async def test_takes_it_away_with_its_codes(self, desk, secret, kind: str) -> None:
        typed = code(secret) if kind == "time-based" else RECOVERY
        async with desk.recorded() as written:
            await desk.run(second_factor.turn_off, desk.cast.sam, proof=Proof(typed, BOX))
        assert written.audit[-1].action is AuditAction.SECOND_FACTOR_OFF
        assert await state(desk) == State()
        assert await desk.rows(RecoveryCode) == []

    async def test_a_wrong_code_keeps_it(self, desk, secret) -> None:
        async with desk.recorded() as written:
            refused = await desk.run(second_factor.turn_off, desk.cast.sam, proof=Proof(wrong_code(secret), BOX))
        assert refused is Verdict.WRONG
        assert written.entry.action is AuditAction.CODE_REFUSED
        assert (await state(desk)).since

    async def test_where_there_is_none_there_is_nothing_to_turn_off(self, desk) -> None:
        await desk.refusal(Conflict, second_factor.turn_off, desk.cast.sam, proof=Proof("123456", BOX))


class TestOtherSignIns:
    async def sessions(self, desk) -> list[int]:
        """Two of Sam's and one of Sid's; their ids."""
        now, later = clock.now(), clock.now() + timedelta(hours=1)
        whose = (desk.cast.sam.id, desk.cast.sam.id, desk.cast.users["sid"])
        fields = {"last_seen_at": now, "expires_at": later}
        rows = [UserSession(token_hash=f"{at}", user_id=who, **fields) for at, who in enumerate(whose)]
        await desk.store(*rows, HalfOpenSession(token_hash="half", user_id=desk.cast.sam.id, expires_at=later))
        return [row.id for row in await desk.rows(UserSession)]

    @pytest.mark.parametrize("change", ["confirm", "renew_recovery_codes", "turn_off"])
    async def test_end_with_every_change_and_the_one_that_asks_goes_on(self, desk, stopped_clock, change: str) -> None:
        if change == "confirm":
            await desk.run(second_factor.begin, desk.cast.sam, box=BOX)
            secret = (await state(desk)).secret
        else:
            secret = await give(desk, desk.cast.sam.id, BOX)
        this_one, _, sids = await self.sessions(desk)
        codes = {} if change == "turn_off" else {"recovery_codes": CODES}
        wrong, right = (Proof(typed(secret), BOX, this_one) for typed in (wrong_code, code))
        with contextlib.suppress(InvalidInput):
            await desk.run(getattr(second_factor, change), desk.cast.sam, proof=wrong, **codes)
        assert [row.revoked_at for row in await desk.rows(UserSession)] == [None] * 3, "A wrong code ends nothing."
        await desk.run(getattr(second_factor, change), desk.cast.sam, proof=right, **codes)
        still_open = {row.id for row in await desk.rows(UserSession) if row.revoked_at is None}
        assert still_open == {this_one, sids}
        assert await desk.rows(HalfOpenSession) == []


class TestReset:
    async def test_an_admin_takes_it_away_and_ends_every_session(self, desk, secret) -> None:
        now = clock.now()
        await desk.store(
            UserSession(token_hash="x", user_id=desk.cast.sam.id, last_seen_at=now, expires_at=now + timedelta(hours=1))
        )
        async with desk.recorded() as written:
            await desk.run(second_factor.reset, desk.cast.ada, desk.cast.sam.id, reason=" Phone lost. ")
        entry = written.entry
        assert (entry.action, entry.record_id) == (AuditAction.SECOND_FACTOR_RESET, desk.cast.sam.id)
        assert (entry.actor_id, entry.reason) == (desk.cast.ada.id, "Phone lost.")
        assert await state(desk) == State()
        assert (await desk.rows(UserSession))[0].revoked_at == now

    @pytest.mark.parametrize("name", ["sam", "sue", "olaf"])
    async def test_nobody_else_does(self, desk, secret, name: str) -> None:
        await desk.refusal(
            PermissionDenied, second_factor.reset, getattr(desk.cast, name), desk.cast.sam.id, reason="r"
        )

    async def test_a_reason_is_needed(self, desk, secret) -> None:
        await desk.refusal(InvalidInput, second_factor.reset, desk.cast.ada, desk.cast.sam.id, reason=" ")

    async def test_there_must_be_one(self, desk) -> None:
        await desk.refusal(Conflict, second_factor.reset, desk.cast.ada, desk.cast.sam.id, reason="r")
        await desk.refusal(NotFound, second_factor.reset, desk.cast.ada, 999, reason="r")

    async def test_ones_own_is_turned_off_with_a_code(self, desk) -> None:
        await give(desk, desk.cast.ada.id, BOX)
        await desk.refusal(Conflict, second_factor.reset, desk.cast.ada, desk.cast.ada.id, reason="r")


class TestResetByAddress:
    async def test_finds_the_person_in_any_case_of_letters(self, desk, secret) -> None:
        await desk.run(second_factor.reset_by_address, desk.cast.ada, " SAM@desk.example", reason="Phone lost.")
        assert await state(desk) == State()

    async def test_nobody_is_nobody(self, desk, secret) -> None:
        form = {"reason": "r"}
        error = await desk.refusal(NotFound, second_factor.reset_by_address, desk.cast.ada, "who@desk.example", **form)
        assert "who@desk.example" in str(error)

    async def test_only_an_admin_does(self, desk, secret) -> None:
        form = {"reason": "r"}
        who = "sam@desk.example"
        await desk.refusal(PermissionDenied, second_factor.reset_by_address, desk.cast.sue, who, **form)


class TestIsOn:
    async def test_tells_those_who_may_reset_it(self, desk, secret) -> None:
        on = {
            name: await desk.read(second_factor.is_on, desk.cast.ada, desk.cast.users[name]) for name in ("sam", "sid")
        }
        assert on == {"sam": True, "sid": False}
        await desk.refusal(PermissionDenied, second_factor.is_on, desk.cast.sue, desk.cast.sam.id)
