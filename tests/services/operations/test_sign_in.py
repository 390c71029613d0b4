"""Sign-in sessions: opaque to the browser, rows on our side, so that they can be ended."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from admin_app import clock
from admin_app.errors import NotFound, PermissionDenied
from admin_app.models import (
    AuditAction,
    ExternalIdentity,
    IdempotencyKey,
    Notification,
    NotificationType,
    User,
    UserSession,
)
from admin_app.permissions import Role
from admin_app.services.operations import accounts, own_password, sign_in

CALLER = sign_in.Caller(ip="192.0.2.7", user_agent="Firefox", request_id="r-17")
LIFETIME = sign_in.Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
HASH = "the stored hash"


@pytest.fixture
async def passwords(desk) -> None:
    """Everybody has one, the customers too."""
    for user_id in desk.cast.users.values():
        await desk.set(User, user_id, password_hash=HASH)


async def sign_in_as(desk, name: str, **changed) -> str | None:
    form = {"email": f"{name}@desk.example", "proven_hash": HASH, "rehashed": None, **changed}
    begun = await desk.run(sign_in.open_session, caller=CALLER, lifetime=LIFETIME, **form)
    return begun and begun.token


async def recognised(desk, token: str) -> sign_in.SignedIn | None:
    return await desk.read(sign_in.recognise, token=token, caller=CALLER, lifetime=LIFETIME)


class TestStoredHash:
    @pytest.mark.parametrize("typed", ["sam@desk.example", " SAM@desk.example "])
    async def test_is_found_by_address_in_any_case(self, desk, passwords, typed: str) -> None:
        assert await desk.read(sign_in.stored_hash, email=typed) == HASH

    @pytest.mark.parametrize("typed", ["", "who@desk.example", "%", "\x00", "x" * 10_000])
    async def test_is_none_for_nobody(self, desk, passwords, typed: str) -> None:
        assert await desk.read(sign_in.stored_hash, email=typed) is None

    async def test_is_none_for_somebody_without_a_password(self, desk) -> None:
        assert await desk.read(sign_in.stored_hash, email="sam@desk.example") is None


class TestOpenSession:
    async def test_a_password_that_changes_at_the_same_moment_opens_nothing(self, desk, passwords) -> None:
        """What somebody ends because others know the password must not be begun anew while it ends."""
        sam, begun = desk.cast.sam, []

        async def change(session) -> None:
            how = {"proven_hash": HASH, "new_hash": "new", "this_one": own_password.ThisOne(0, "renewed")}
            await own_password.change(session, sam, **how)
            await session.flush()
            begun.append(asyncio.ensure_future(sign_in_as(desk, "sam")))
            await asyncio.wait(begun, timeout=0.3)

        await desk.database.run(change)
        assert await begun[0] is None
        assert [row for row in await desk.rows(UserSession) if row.revoked_at is None] == []

    async def test_gives_a_token_of_which_the_database_has_only_the_hash(self, desk, passwords) -> None:
        token = await sign_in_as(desk, "sam")
        [stored] = await desk.rows(UserSession)
        assert len(token) >= 43, "256 random bits"
        assert stored.token_hash == sign_in.hash_of(token)
        assert token not in repr(await desk.everything())

    async def test_a_password_of_years_ago_still_opens(self, desk, passwords) -> None:
        with clock.at(datetime(2046, 1, 15, 12, 0, tzinfo=UTC)):
            assert await sign_in_as(desk, "sam")

    async def test_every_session_has_a_token_of_its_own(self, desk, passwords) -> None:
        assert len({await sign_in_as(desk, "sam") for _ in range(3)}) == 3

    async def test_remembers_from_where_and_until_when(self, desk, passwords, stopped_clock) -> None:
        now = stopped_clock.time
        await sign_in_as(desk, "sam")
        [stored] = await desk.rows(UserSession)
        assert (stored.ip, stored.user_agent, stored.revoked_at) == ("192.0.2.7", "Firefox", None)
        assert (stored.last_seen_at, stored.expires_at) == (now, now + timedelta(hours=12))
        assert (await desk.stored(User, desk.cast.sam.id)).last_sign_in_at == now

    @pytest.mark.parametrize(("sent", "kept"), [(None, None), ("", None), ("x" * 1000, "x" * 300)])
    async def test_takes_any_name_of_a_browser(self, desk, passwords, sent: str | None, kept: str | None) -> None:
        caller = sign_in.Caller(ip=None, user_agent=sent, request_id=None)
        form = {"email": "sam@desk.example", "proven_hash": HASH, "rehashed": None}
        await desk.run(sign_in.open_session, caller=caller, lifetime=LIFETIME, **form)
        assert (await desk.rows(UserSession))[0].user_agent == kept

    async def test_writes_one_entry_in_the_name_of_the_person(self, desk, passwords) -> None:
        async with desk.recorded() as written:
            await sign_in_as(desk, "sam")
        entry = written.entry
        assert (entry.action, entry.actor_id, entry.record_id) == (AuditAction.SIGN_IN, *[desk.cast.sam.id] * 2)
        assert (entry.ip, entry.request_id, entry.changes) == ("192.0.2.7", "r-17", {})

    async def test_a_stronger_hash_replaces_the_old_one(self, desk, passwords) -> None:
        await sign_in_as(desk, "sam", rehashed="a stronger hash")
        assert (await desk.stored(User, desk.cast.sam.id)).password_hash == "a stronger hash"

    async def test_keys_of_old_forms_are_forgotten_on_the_way(self, desk, passwords) -> None:
        await desk.store(IdempotencyKey(key_hash="old", created_at=clock.now() - timedelta(days=2)))
        await sign_in_as(desk, "sam")
        assert await desk.rows(IdempotencyKey) == []

    @pytest.mark.parametrize(
        ("name", "changed"),
        [
            ("sam", {"proven_hash": None}),
            ("sam", {"proven_hash": "the hash before the password was changed"}),
            ("kim", {}),
            ("nobody", {}),
            ("nobody", {"proven_hash": None}),
            ("sam", {"email": "sam\x00@" + "x" * 10_000}),
        ],
    )
    async def test_is_refused_and_only_the_audit_log_knows(self, desk, passwords, name: str, changed) -> None:
        async with desk.recorded() as written:
            assert await sign_in_as(desk, name, **changed) is None
        assert written.entry.action is AuditAction.SIGN_IN_REFUSED
        assert written.entry.record_label.startswith(name)
        assert written.entry.ip == "192.0.2.7"
        assert await desk.rows(UserSession) == []
        assert {person.last_sign_in_at for person in await desk.rows(User)} == {None}

    @pytest.mark.parametrize("typed", ["correct-horse-battery", "my p@ss word", "", "sam"])
    async def test_what_is_no_address_may_be_a_password_so_the_audit_log_does_not_hold_it(
        self, desk, passwords, typed: str
    ) -> None:
        async with desk.recorded() as written:
            assert await sign_in_as(desk, "sam", email=typed) is None
        assert written.entry.record_label == sign_in.NO_ADDRESS
        assert written.entry.actor_name == "Unknown"

    @pytest.mark.parametrize("columns", [{"is_active": False}, {"password_hash": None}])
    async def test_is_refused_to_somebody_deactivated_or_without_password(self, desk, passwords, columns) -> None:
        await desk.set(User, desk.cast.sam.id, **columns)
        assert await sign_in_as(desk, "sam") is None

    async def test_a_refusal_names_an_unknown_address_but_nobody_of_the_desk(self, desk, passwords) -> None:
        async with desk.recorded() as written:
            await sign_in_as(desk, "nobody")
        entry = written.entry
        assert (entry.record_label, entry.record_id) == ("nobody@desk.example", None)
        assert (entry.actor_id, entry.actor_name) == (None, "Unknown")

    @pytest.mark.parametrize("name", ["sam", "sue", "olaf", "ada"])
    async def test_every_role_of_the_desk_gets_in(self, desk, passwords, name: str) -> None:
        assert await sign_in_as(desk, name)


class TestRecognise:
    async def test_says_who_it_is_in_one_statement(self, desk, passwords, stopped_clock, statement_counter) -> None:
        await desk.set(User, desk.cast.sam.id, timezone="Europe/Berlin")
        token = await sign_in_as(desk, "sam")
        with statement_counter() as counted:
            found = await recognised(desk, token)
        assert counted.total == 1
        [stored] = await desk.rows(UserSession)
        assert (found.session_id, found.last_seen_at, found.unread) == (stored.id, stopped_clock.time, 0)
        actor = found.actor
        assert (actor.id, actor.name, actor.role) == (desk.cast.sam.id, "Sam Staff", Role.STAFF)
        assert (actor.timezone, actor.ip, actor.request_id) == ("Europe/Berlin", "192.0.2.7", "r-17")

    async def test_counts_this_persons_unread_notifications_up_to_a_hundred(self, desk, passwords) -> None:
        token = await sign_in_as(desk, "sam")

        def told(user_id: int, **columns) -> Notification:
            return Notification(user_id=user_id, type=NotificationType.COMMENTED, message="m", **columns)

        sam, sid = desk.cast.sam.id, desk.cast.sid.id
        await desk.store(told(sam), told(sam), told(sam, read_at=clock.now()), told(sid))
        assert (await recognised(desk, token)).unread == 2
        await desk.store(*(told(sam) for _ in range(200)))
        assert (await recognised(desk, token)).unread == 100

    async def test_a_changed_role_acts_on_the_next_request(self, desk, passwords) -> None:
        token = await sign_in_as(desk, "sam")
        await desk.set(User, desk.cast.sam.id, role=Role.OPS)
        assert (await recognised(desk, token)).actor.role is Role.OPS

    @pytest.mark.parametrize("token", ["", "guess", "\x00", "ä" * 1000])
    async def test_a_guess_is_nobody(self, desk, passwords, token: str) -> None:
        await sign_in_as(desk, "sam")
        assert await recognised(desk, token) is None

    async def test_the_stored_hash_is_no_token(self, desk, passwords) -> None:
        await sign_in_as(desk, "sam")
        [stored] = await desk.rows(UserSession)
        assert await recognised(desk, stored.token_hash) is None

    async def test_ends_after_half_an_hour_without_a_click(self, desk, passwords, stopped_clock) -> None:
        token = await sign_in_as(desk, "sam")
        stopped_clock.forward(minutes=29, seconds=59)
        assert await recognised(desk, token)
        stopped_clock.forward(seconds=1)
        assert await recognised(desk, token) is None

    async def test_ends_after_twelve_hours_in_any_case(self, desk, passwords, stopped_clock) -> None:
        token = await sign_in_as(desk, "sam")
        [stored] = await desk.rows(UserSession)
        for _ in range(47):
            stopped_clock.forward(minutes=15)
            await desk.run(sign_in.note_seen, stored.id)
        stopped_clock.forward(minutes=14, seconds=59)
        assert await recognised(desk, token)
        stopped_clock.forward(seconds=1)
        assert await recognised(desk, token) is None

    @pytest.mark.parametrize(
        "columns", [{"is_active": False}, {"role": "customer"}, {"password_hash": None}], ids=lambda c: next(iter(c))
    )
    async def test_somebody_who_may_no_longer_sign_in_is_nobody(self, desk, passwords, columns) -> None:
        token = await sign_in_as(desk, "sam")
        await desk.set(User, desk.cast.sam.id, **columns)
        assert await recognised(desk, token) is None

    async def test_somebody_whom_a_provider_knows_needs_no_password(self, desk, passwords) -> None:
        token = await sign_in_as(desk, "sam")
        await desk.store(ExternalIdentity(user_id=desk.cast.sam.id, issuer="https://login.example.com", subject="s"))
        await desk.set(User, desk.cast.sam.id, password_hash=None)
        assert (await recognised(desk, token)).actor.id == desk.cast.sam.id

    @pytest.mark.parametrize(
        ("service", "options"),
        [
            (accounts.deactivate, {"reason": "left"}),
            (accounts.change_role, {"role": Role.OPS}),
            (sign_in.end_sessions_of, {}),
        ],
    )
    async def test_ends_with_whatever_ends_all_sessions_of_a_person(self, desk, passwords, service, options) -> None:
        tokens = [await sign_in_as(desk, "sam"), await sign_in_as(desk, "sam")]
        of_another = await sign_in_as(desk, "sid")
        await desk.run(service, desk.cast.ada, desk.cast.sam.id, **options)
        assert [await recognised(desk, token) for token in tokens] == [None, None]
        assert await recognised(desk, of_another)
        ended = [row.revoked_at is not None for row in await desk.rows(UserSession)]
        assert ended == [True, True, False], "a session must not come back to life with its person"


class TestShouldNote:
    @pytest.mark.parametrize(("seconds", "expected"), [(0, False), (59, False), (60, True), (3600, True)])
    def test_is_yes_once_a_minute(self, desk_free_actor, seconds: int, expected: bool) -> None:
        now = clock.now()
        signed_in = sign_in.SignedIn(desk_free_actor, 1, 0, now - timedelta(seconds=seconds))
        assert signed_in.should_note(now) is expected


@pytest.fixture
def desk_free_actor():
    """Somebody for whom no database is needed."""
    return sign_in.actor_of(User(id=1, full_name="Sam", role=Role.STAFF, timezone="UTC"), CALLER)


class TestNoteSeen:
    async def test_moves_the_end_of_the_idle_time(self, desk, passwords, stopped_clock) -> None:
        token = await sign_in_as(desk, "sam")
        other = await sign_in_as(desk, "sid")
        [stored, _] = await desk.rows(UserSession)
        stopped_clock.forward(minutes=20)
        await desk.run(sign_in.note_seen, stored.id)
        stopped_clock.forward(minutes=20)
        assert await recognised(desk, token)
        assert await recognised(desk, other) is None


class TestSignOut:
    async def test_ends_this_session_and_no_other(self, desk, passwords, stopped_clock) -> None:
        token, other = await sign_in_as(desk, "sam"), await sign_in_as(desk, "sam")
        session_id = (await recognised(desk, token)).session_id
        async with desk.recorded() as written:
            await desk.run(sign_in.sign_out, desk.cast.sam, session_id)
        assert await recognised(desk, token) is None
        assert await recognised(desk, other)
        assert (written.entry.action, written.entry.record_id) == (AuditAction.SIGN_OUT, desk.cast.sam.id)

    async def test_a_second_time_changes_nothing(self, desk, passwords) -> None:
        token = await sign_in_as(desk, "sam")
        session_id = (await recognised(desk, token)).session_id
        await desk.run(sign_in.sign_out, desk.cast.sam, session_id)
        async with desk.nothing_written():
            await desk.run(sign_in.sign_out, desk.cast.sam, session_id)

    async def test_nobody_ends_the_session_of_another_this_way(self, desk, passwords) -> None:
        token = await sign_in_as(desk, "sam")
        session_id = (await recognised(desk, token)).session_id
        async with desk.nothing_written():
            assert await desk.run(sign_in.sign_out, desk.cast.ada, session_id) is None
        assert await recognised(desk, token)


class TestEndSessionsOf:
    async def test_says_in_the_audit_log_how_many_were_open(self, desk, passwords) -> None:
        for _ in range(2):
            await sign_in_as(desk, "sam")
        async with desk.recorded() as written:
            await desk.run(sign_in.end_sessions_of, desk.cast.ada, desk.cast.sam.id)
        entry = written.entry
        assert (entry.action, entry.record_id) == (AuditAction.END_SESSIONS, desk.cast.sam.id)
        assert entry.changes == {"open_sessions": [2, 0]}

    async def test_somebody_missing_is_not_found(self, desk) -> None:
        await desk.refusal(NotFound, sign_in.end_sessions_of, desk.cast.ada, 999_999)

    async def test_a_supervisor_is_refused(self, desk) -> None:
        await desk.refusal(PermissionDenied, sign_in.end_sessions_of, desk.cast.sue, desk.cast.sam.id)
