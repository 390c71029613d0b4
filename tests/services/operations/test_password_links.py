"""Links with which somebody sets a new password, once and soon."""

import asyncio
from datetime import timedelta

import pytest

from admin_app.actor import command_line_actor
from admin_app.errors import Conflict, InvalidInput, NotFound
from admin_app.models import AuditAction, NotificationType, PasswordLink, User, UserSession
from admin_app.permissions import Role
from admin_app.services.blocks.sign_in_sessions import Caller
from admin_app.services.operations import accounts, own_password, password_links
from admin_app.services.operations.password_links import NewLink

CALLER = Caller(ip="192.0.2.7", user_agent="Firefox", request_id="r1")
HOUR = timedelta(hours=1)


async def make(desk, token="token", whom="sam", actor=None, **options) -> User:
    link = NewLink(token, HOUR)
    actor = actor or desk.cast.ada
    return await desk.run(password_links.make, actor, desk.cast.users[whom], link=link, reason="lost", **options)


async def use(desk, token="token", password_hash="new") -> User | None:
    return await desk.run(password_links.use, token=token, password_hash=password_hash, caller=CALLER)


async def holder(desk, token="token") -> str | None:
    found = await desk.read(password_links.holder, token=token)
    return found and found.email


async def hash_of(desk, name="sam") -> str | None:
    return (await desk.stored(User, desk.cast.users[name])).password_hash


@pytest.fixture
async def signed_in(desk, stopped_clock) -> None:
    """Sam has a password and a sign-in, Sid too."""
    later = stopped_clock() + HOUR
    for name in ("sam", "sid"):
        await desk.set(User, desk.cast.users[name], password_hash="old")
        row = UserSession(token_hash=name, user_id=desk.cast.users[name], last_seen_at=later, expires_at=later)
        await desk.store(row)


class TestMake:
    async def test_only_a_hash_is_kept_and_nothing_changes_yet(self, desk, signed_in, stopped_clock) -> None:
        async with desk.recorded() as written:
            await make(desk)
        [link] = await desk.rows(PasswordLink)
        assert "token" not in {link.token_hash, str(link.used_at)}
        assert (len(link.token_hash), link.expires_at) == (64, stopped_clock() + HOUR)
        entry = written.entry
        assert (entry.action, entry.reason, entry.changes) == (AuditAction.RESET_LINK_MADE, "lost", {})
        assert list(written.told) == ["sam"]
        assert written.notifications[0].type is NotificationType.PASSWORD_LINK
        assert (await hash_of(desk), await holder(desk)) == ("old", "sam@desk.example")
        assert [row.revoked_at for row in await desk.rows(UserSession)] == [None, None]

    async def test_a_new_one_ends_the_older_one_of_that_person(self, desk, signed_in) -> None:
        for token, whom in (("first", "sam"), ("second", "sam"), ("of sid", "sid")):
            await make(desk, token, whom)
        assert [await holder(desk, token) for token in ("first", "second", "of sid")] == [
            None,
            "sam@desk.example",
            "sid@desk.example",
        ]
        assert (await use(desk, "first"), await hash_of(desk)) == (None, "old")

    async def test_not_for_those_who_never_sign_in_nor_without_a_reason(self, desk) -> None:
        await desk.set(User, desk.cast.sid.id, is_active=False)
        options = {"link": NewLink("token", HOUR), "reason": "lost"}
        for name in ("kim", "sid"):
            await desk.refusal(Conflict, password_links.make, desk.cast.ada, desk.cast.users[name], **options)
        without = {**options, "reason": " "}
        await desk.refusal(InvalidInput, password_links.make, desk.cast.ada, desk.cast.sam.id, **without)


class TestMakeByAddress:
    async def test_the_command_line_names_people_by_address(self, desk) -> None:
        options = {"link": NewLink("token", HOUR), "reason": "lost"}
        cli = command_line_actor()
        user = await desk.run(password_links.make_by_address, cli, " Ada@Desk.example", **options)
        assert (user.email, await holder(desk)) == ("ada@desk.example", "ada@desk.example")
        await desk.refusal(NotFound, password_links.make_by_address, cli, "who@desk.example", **options)


class TestUse:
    async def test_sets_the_password_ends_every_sign_in_and_says_so(self, desk, signed_in) -> None:
        await make(desk)
        assert await holder(desk) == await holder(desk) == "sam@desk.example", "looking uses nothing up"
        async with desk.recorded() as written:
            assert (await use(desk)).id == desk.cast.sam.id
        assert (await hash_of(desk), await hash_of(desk, "sid")) == ("new", "old")
        assert [row.revoked_at is None for row in await desk.rows(UserSession)] == [False, True]
        entry = written.entry
        assert (entry.action, entry.actor_id, entry.ip) == (
            AuditAction.RESET_LINK_USED,
            desk.cast.sam.id,
            "192.0.2.7",
        )
        assert (entry.changes, list(written.told)) == ({}, ["sam"])

    async def test_of_ten_at_once_exactly_one_wins(self, desk, signed_in) -> None:
        await make(desk)
        found = await asyncio.gather(*[use(desk, password_hash=f"new {number}") for number in range(10)])
        [winner] = [number for number, user in enumerate(found) if user is not None]
        assert await hash_of(desk) == f"new {winner}"

    async def test_one_that_is_replaced_while_it_is_used_is_not_used(self, desk, signed_in, monkeypatch) -> None:
        await make(desk)
        locked = password_links.second_factor.locked_person

        async def replaced(session, user_id):
            monkeypatch.undo()
            user = await locked(session, user_id)
            await password_links.make(session, desk.cast.ada, user.id, link=NewLink("newer", HOUR), reason="again")
            return user

        monkeypatch.setattr(password_links.second_factor, "locked_person", replaced)
        assert await use(desk) is None
        assert await hash_of(desk) == "old"

    async def test_what_works_no_more_is_refused_and_written_down_once(self, desk, signed_in, stopped_clock) -> None:
        found = {}
        for why in ("it was used already", "it was too old", "this account cannot sign in"):
            await make(desk)
            if "used" in why:
                await use(desk)
            elif "old" in why:
                stopped_clock.forward(minutes=60)
            else:
                await desk.set(User, desk.cast.sam.id, role=Role.CUSTOMER)
            before = await hash_of(desk)
            async with desk.recorded() as written:
                tried = [await holder(desk), await use(desk, password_hash="x"), await use(desk, password_hash="x")]
                tried.append(await desk.run(password_links.refuse, token="token", caller=CALLER))
            found[why] = (tried, written.entry.action, written.entry.reason, await hash_of(desk) == before)
        wanted = AuditAction.RESET_LINK_REFUSED
        assert found == {why: ([None] * 4, wanted, why, True) for why in found}

    async def test_one_that_nobody_knows_leaves_nothing_behind(self, desk, signed_in) -> None:
        await make(desk)
        async with desk.nothing_written():
            assert await use(desk, "made up") is None
            assert await desk.run(password_links.refuse, token="made up", caller=CALLER) is None
            assert await desk.run(password_links.refuse, token="token", caller=CALLER) is None, "it works still"


class TestWhatEndsALink:
    async def test_the_own_change_and_deactivation_do(self, desk, signed_in) -> None:
        await make(desk, "of sam")
        await make(desk, "of sid", "sid")
        this_one = own_password.ThisOne(1, "renewed")
        await desk.run(own_password.change, desk.cast.sam, proven_hash="old", new_hash="own", this_one=this_one)
        await desk.run(accounts.deactivate, desk.cast.ada, desk.cast.sid.id, reason="left")
        await desk.run(accounts.reactivate, desk.cast.ada, desk.cast.sid.id)
        assert [await holder(desk, token) for token in ("of sam", "of sid")] == [None, None]
