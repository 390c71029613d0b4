"""Changing one's own password."""

from datetime import timedelta

import pytest

from admin_app import clock
from admin_app.models import AuditAction, User, UserSession
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.blocks.sign_in_sessions import hash_of
from admin_app.services.operations import own_password


@pytest.fixture
async def signed_in(desk) -> UserSession:
    """Sam, with a password, in two windows; Sid in one."""
    await desk.set(User, desk.cast.sam.id, password_hash="old")
    sam, sid, now = desk.cast.sam.id, desk.cast.sid.id, clock.now()
    rows = [
        UserSession(token_hash=name, user_id=who, last_seen_at=now, expires_at=now + timedelta(hours=1))
        for name, who in (("this", sam), ("other", sam), ("of sid", sid))
    ]
    return await desk.store(*rows)


async def change(desk, signed_in: UserSession, proven: str | None = "old"):
    this_one = own_password.ThisOne(signed_in.id, "renewed")
    return await desk.run(own_password.change, desk.cast.sam, proven_hash=proven, new_hash="new", this_one=this_one)


class TestOfActor:
    async def test_is_the_own_account_for_every_role(self, desk) -> None:
        for actor in (desk.cast.olaf, desk.cast.sam):
            assert (await desk.read(own_password.of_actor, actor)).id == actor.id


class TestChange:
    async def test_stores_it_ends_the_others_and_renews_this_one(self, desk, signed_in) -> None:
        async with desk.recorded() as written:
            await change(desk, signed_in)
        assert (await desk.stored(User, desk.cast.sam.id)).password_hash == "new"
        assert (written.entry.action, written.entry.changes) == (AuditAction.CHANGE_PASSWORD, {})
        found = [(row.token_hash, row.revoked_at is None) for row in await desk.rows(UserSession)]
        assert found == [(hash_of("renewed"), True), ("other", False), ("of sid", True)]

    async def test_a_sign_in_that_was_ended_meanwhile_stays_ended(self, desk, signed_in) -> None:
        await desk.set(UserSession, signed_in.id, revoked_at=clock.now())
        await change(desk, signed_in)
        assert [row.user_id for row in await desk.rows(UserSession) if row.revoked_at is None] == [desk.cast.sid.id]

    @pytest.mark.parametrize("proven", [None, "a hash of before"])
    async def test_a_wrong_one_is_written_down_and_changes_nothing(self, desk, signed_in, proven) -> None:
        async with desk.recorded() as written:
            assert await change(desk, signed_in, proven) is Verdict.WRONG
        assert (written.entry.action, written.entry.reason) == (AuditAction.PASSWORD_REFUSED, own_password.TO_CHANGE)
        assert (await desk.stored(User, desk.cast.sam.id)).password_hash == "old"
        assert all(row.revoked_at is None for row in await desk.rows(UserSession))

    async def test_after_ten_wrong_ones_even_the_right_one_is_not_looked_at(self, desk, signed_in) -> None:
        for _ in range(10):
            await change(desk, signed_in, None)
        async with desk.nothing_written():
            assert await change(desk, signed_in) is Verdict.TOO_MANY
