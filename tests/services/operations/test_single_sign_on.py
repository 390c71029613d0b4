"""Signing in through a provider: who is let in as whom, and what is written of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from admin_app.models import (
    AuditAction,
    AuditLog,
    ExternalIdentity,
    HalfOpenSession,
    SecondFactor,
    SignInFlow,
    User,
    UserSession,
)
from admin_app.permissions import Role
from admin_app.services.blocks.sign_in_sessions import Begun, Caller, Lifetime
from admin_app.services.operations import single_sign_on
from admin_app.services.operations.single_sign_on import Flow, Identity, Refusal, Rules
from tests.services.scenes import Desk

CALLER = Caller(ip="192.0.2.7", user_agent="Firefox", request_id="r1")
LIFETIME = Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
ISSUER = "https://login.example.com"
SAM = Identity(ISSUER, "s-1", "Sam@Desk.example", "Sam")
ROLES = Rules(roles={"boss": Role.ADMIN, "desk": Role.STAFF, "operators": Role.OPS})


def someone(subject: str, email: str | None = None, *groups: str, name: str = "") -> Identity:
    return Identity(ISSUER, subject, email, name, groups)


async def enter(desk: Desk, identity: Identity = SAM, rules: Rules | None = None) -> Any:
    return await desk.run(single_sign_on.sign_in, identity, rules=rules or Rules(), caller=CALLER, lifetime=LIFETIME)


async def refused(desk: Desk, identity: Identity, rules: Rules | None = None) -> tuple[Refusal, AuditLog]:
    """Why somebody was not let in; the entry about it is all that was written."""
    before = await desk.everything()
    refusal = await enter(desk, identity, rules)
    after = await desk.everything()
    assert [name for name in before if before[name] != after[name]] == ["audit_logs"]
    entry = (await desk.rows(AuditLog))[-1]
    assert (entry.action, entry.ip) == (AuditAction.SIGN_IN_REFUSED, "192.0.2.7")
    assert entry.reason == f"single sign-on: {refusal}"
    return refusal, entry


class TestSignIn:
    async def test_the_first_time_the_address_finds_the_account_and_links_it(self, desk: Desk) -> None:
        begun = await enter(desk)
        assert isinstance(begun, Begun)
        assert not begun.needs_code
        [identity] = await desk.rows(ExternalIdentity)
        assert (identity.user_id, identity.issuer, identity.subject) == (desk.cast.sam.id, ISSUER, "s-1")
        [session] = await desk.rows(UserSession)
        assert (session.user_id, session.ip, session.by_provider) == (desk.cast.sam.id, "192.0.2.7", True)
        linked, signed_in = await desk.rows(AuditLog)
        assert (linked.action, linked.actor_kind, linked.record_id) == ("LINK_IDENTITY", "system", desk.cast.sam.id)
        assert linked.changes == {"identity": [None, f"s-1 at {ISSUER}"]}
        assert (signed_in.action, signed_in.actor_id) == ("SIGN_IN", desk.cast.sam.id)

    async def test_nobody_needs_a_password(self, desk: Desk) -> None:
        assert (await desk.stored(User, desk.cast.sam.id)).password_hash is None
        assert isinstance(await enter(desk), Begun)

    async def test_afterwards_the_subject_counts_and_not_the_address(self, desk: Desk) -> None:
        await enter(desk)
        assert isinstance(await enter(desk, someone("s-1", "sue@desk.example")), Begun)
        assert {session.user_id for session in await desk.rows(UserSession)} == {desk.cast.sam.id}
        assert len(await desk.rows(ExternalIdentity)) == 1

    async def test_two_first_times_at_once_link_once(self, desk: Desk) -> None:
        both = await asyncio.gather(enter(desk), enter(desk))
        assert [type(begun) for begun in both] == [Begun, Begun]
        assert len(await desk.rows(ExternalIdentity)) == 1

    async def test_the_same_subject_of_another_issuer_is_somebody_else(self, desk: Desk) -> None:
        await enter(desk)
        other = Identity("https://other.example", "s-1", None)
        assert (await refused(desk, other))[0] is Refusal.UNVERIFIED

    async def test_an_address_that_changed_hands_opens_nothing(self, desk: Desk) -> None:
        await enter(desk)
        refusal, entry = await refused(desk, someone("s-2", "sam@desk.example"))
        assert (refusal, entry.record_id) == (Refusal.OTHER_IDENTITY, desk.cast.sam.id)

    async def test_an_unverified_address_finds_nobody(self, desk: Desk) -> None:
        refusal, entry = await refused(desk, someone("s-1"))
        assert (refusal, entry.record_id, entry.record_label) == (Refusal.UNVERIFIED, None, "")

    async def test_an_unknown_address_gets_no_account(self, desk: Desk) -> None:
        refusal, entry = await refused(desk, someone("s-9", "new@desk.example", "desk"), ROLES)
        assert (refusal, entry.record_label) == (Refusal.NO_ACCOUNT, "new@desk.example")

    @pytest.mark.parametrize("is_linked", [True, False])
    @pytest.mark.parametrize("columns", [{"is_active": False}, {"role": "customer"}], ids=["inactive", "customer"])
    async def test_those_who_may_not_sign_in_never_get_in(
        self, desk: Desk, columns: dict[str, Any], is_linked: bool
    ) -> None:
        if is_linked:
            await enter(desk)
        await desk.set(User, desk.cast.sam.id, **columns)
        identity = someone("s-1", "sam@desk.example", "desk")
        refusal, entry = await refused(desk, identity, Rules(ROLES.roles, creates_accounts=True))
        assert (refusal, entry.record_id) == (Refusal.NOT_LET_IN, desk.cast.sam.id)


class TestSecondFactor:
    @pytest.mark.parametrize("asks_code", [True, False])
    async def test_is_asked_for_only_where_the_rules_say_so(self, desk: Desk, stopped_clock, asks_code: bool) -> None:
        await desk.store(SecondFactor(user_id=desk.cast.sam.id, sealed_secret="…", confirmed_at=stopped_clock()))
        begun = await enter(desk, rules=Rules(asks_code=asks_code))
        assert begun.needs_code is asks_code
        assert len(await desk.rows(HalfOpenSession)) == int(asks_code)
        assert len(await desk.rows(UserSession)) == int(not asks_code)

    async def test_who_has_none_comes_in_as_by_password(self, desk: Desk) -> None:
        await enter(desk, rules=Rules(asks_code=True))
        [session] = await desk.rows(UserSession)
        assert not session.by_provider, "so that whoever must set one up is led there"


class TestRoles:
    async def test_follow_the_provider_and_end_what_was_open(self, desk: Desk) -> None:
        await enter(desk)
        before = len(await desk.rows(AuditLog))
        await enter(desk, someone("s-1", None, "nothing", "desk", "boss"), ROLES)
        assert (await desk.stored(User, desk.cast.sam.id)).role is Role.ADMIN, "the first of the mapping counts"
        old, new = await desk.rows(UserSession)
        assert (old.revoked_at is None, new.revoked_at is None) == (False, True)
        changed, signed_in = (await desk.rows(AuditLog))[before:]
        assert (changed.action, changed.actor_kind, changed.actor_name) == ("CHANGE_ROLE", "system", "Single sign-on")
        assert changed.changes == {"role": ["staff", "admin"]}
        assert (signed_in.action, signed_in.actor_role) == ("SIGN_IN", "admin")

    async def test_that_stay_leave_other_sign_ins_alone(self, desk: Desk) -> None:
        await enter(desk, someone("s-1", "sam@desk.example", "desk"), ROLES)
        await enter(desk, someone("s-1", None, "desk"), ROLES)
        assert [session.revoked_at for session in await desk.rows(UserSession)] == [None, None]
        assert "CHANGE_ROLE" not in [entry.action for entry in await desk.rows(AuditLog)]

    async def test_that_nobody_has_mapped_are_refused(self, desk: Desk) -> None:
        refusal, entry = await refused(desk, someone("s-1", "sam@desk.example", "strangers"), ROLES)
        assert (refusal, entry.record_id) == (Refusal.NO_ROLE, desk.cast.sam.id)

    async def test_that_would_orphan_open_work_are_refused(self, desk: Desk) -> None:
        ticket = await desk.ticket(owner="sam@desk.example")
        identity = someone("s-1", "sam@desk.example", "operators")
        assert (await refused(desk, identity, ROLES))[0] is Refusal.OPEN_WORK
        await desk.set(type(ticket), ticket.id, owner_id=desk.cast.sid.id)
        assert isinstance(await enter(desk, identity, ROLES), Begun)
        assert (await desk.stored(User, desk.cast.sam.id)).role is Role.OPS


class TestNewAccounts:
    RULES = Rules(ROLES.roles, creates_accounts=True)

    async def test_are_made_where_the_rules_allow_it(self, desk: Desk) -> None:
        begun = await enter(desk, someone("n-1", " New@Desk.example ", "desk", name="Nell\x00 New\u202e"), self.RULES)
        assert isinstance(begun, Begun)
        user = (await desk.rows(User))[-1]
        assert (user.email, user.full_name, user.role) == ("new@desk.example", "Nell New", Role.STAFF)
        assert user.password_hash is None
        assert [entry.action for entry in await desk.rows(AuditLog)] == ["CREATE", "LINK_IDENTITY", "SIGN_IN"]

    async def test_without_a_name_are_called_by_their_address(self, desk: Desk) -> None:
        await enter(desk, someone("n-1", "new@desk.example", "desk"), self.RULES)
        assert (await desk.rows(User))[-1].full_name == "new@desk.example"

    async def test_need_a_role(self, desk: Desk) -> None:
        assert (await refused(desk, someone("n-1", "new@desk.example"), self.RULES))[0] is Refusal.NO_ROLE

    async def test_need_an_address_that_can_be_stored(self, desk: Desk) -> None:
        endless = someone("n-1", f"{'x' * 250}@desk.example", "desk")
        assert (await refused(desk, endless, self.RULES))[0] is Refusal.NO_ACCOUNT


class TestFlow:
    async def begun(self, desk: Desk, caller: Caller = CALLER) -> Flow:
        flow = Flow("/admin/user/list")
        assert await desk.run(single_sign_on.begin, flow, caller=caller)
        return flow

    async def take(self, desk: Desk, flow: Flow, **other: str) -> Flow | None:
        asked = {"state": flow.state, "browser": flow.browser, **other}
        return await desk.run(single_sign_on.take, **asked)

    async def test_comes_back_as_it_went(self, desk: Desk) -> None:
        flow = await self.begun(desk)
        assert await self.take(desk, flow) == flow
        assert await desk.rows(SignInFlow) == []

    async def test_no_two_are_alike(self) -> None:
        one, other = Flow("/"), Flow("/")
        secrets = {one.state, one.browser, one.nonce, one.code_verifier}
        assert len(secrets) == 4
        assert secrets.isdisjoint({other.state, other.browser, other.nonce, other.code_verifier})

    async def test_counts_once(self, desk: Desk) -> None:
        flow = await self.begun(desk)
        found = await asyncio.gather(*(self.take(desk, flow) for _ in range(5)))
        assert [taken for taken in found if taken is not None] == [flow]

    @pytest.mark.parametrize("other", [{"state": "another"}, {"browser": "another"}, {"browser": ""}])
    async def test_needs_its_state_and_its_browser(self, desk: Desk, other: dict[str, str]) -> None:
        flow = await self.begun(desk)
        assert await self.take(desk, flow, **other) is None
        assert await self.take(desk, flow) == flow

    async def test_ends_after_ten_minutes(self, desk: Desk, stopped_clock) -> None:
        flow = await self.begun(desk)
        stopped_clock.forward(minutes=10)
        assert await self.take(desk, flow) is None
        await self.begun(desk)
        assert len(await desk.rows(SignInFlow)) == 1, "what is too old is swept away"

    async def test_an_address_begins_only_so_many(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, stopped_clock
    ) -> None:
        monkeypatch.setattr(single_sign_on, "MOST_UNFINISHED", 2)
        await self.begun(desk)
        await self.begun(desk)
        async with desk.nothing_written():
            assert not await desk.run(single_sign_on.begin, Flow("/"), caller=CALLER)
        await self.begun(desk, Caller("192.0.2.8", None, None))
        stopped_clock.forward(minutes=10)
        await self.begun(desk)


class TestRefuse:
    async def test_writes_down_why(self, desk: Desk) -> None:
        await desk.run(single_sign_on.refuse, reason="another issuer", caller=CALLER)
        [entry] = await desk.rows(AuditLog)
        assert (entry.action, entry.reason) == ("SIGN_IN_REFUSED", "single sign-on: another issuer")
        assert (entry.actor_id, entry.actor_name, entry.ip) == (None, "Unknown", "192.0.2.7")
