"""Beginning and ending sign-in sessions."""

from datetime import timedelta

from admin_app import clock
from admin_app.models import AuditAction, User, UserSession
from admin_app.services.blocks import sign_in_sessions


def session_of(user_id: int, name: str, **columns) -> UserSession:
    now = clock.now()
    return UserSession(
        token_hash=name, user_id=user_id, last_seen_at=now, expires_at=now + timedelta(hours=12), **columns
    )


CALLER = sign_in_sessions.Caller(ip="192.0.2.7", user_agent="Firefox" * 100, request_id="r-17")
LIFETIME = sign_in_sessions.Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


async def begin(desk) -> str:
    async def work(session) -> str:
        user = await session.get(User, desk.cast.sam.id)
        return (await sign_in_sessions.begin(session, user, caller=CALLER, lifetime=LIFETIME)).token

    return await desk.run(work)


class TestBegin:
    async def test_the_database_has_only_the_hash_of_the_token(self, desk, stopped_clock) -> None:
        async with desk.recorded() as written:
            token = await begin(desk)
        [stored] = await desk.rows(UserSession)
        assert (stored.token_hash, stored.ip) == (sign_in_sessions.hash_of(token), "192.0.2.7")
        assert (stored.expires_at, len(stored.user_agent)) == (stopped_clock.time + timedelta(hours=12), 300)
        assert token not in repr(await desk.everything())
        assert (written.entry.action, written.entry.actor_id) == (AuditAction.SIGN_IN, desk.cast.sam.id)

    async def test_no_two_tokens_are_alike(self, desk) -> None:
        assert len({await begin(desk) for _ in range(3)}) == 3


class TestEndAll:
    async def test_ends_every_open_one_of_this_person_and_says_how_many(self, desk, stopped_clock) -> None:
        cast, earlier = desk.cast, stopped_clock.time
        await desk.store(
            session_of(cast.sam.id, "open 1"),
            session_of(cast.sam.id, "open 2"),
            session_of(cast.sam.id, "ended", revoked_at=earlier),
            session_of(cast.sid.id, "of another"),
        )
        now = stopped_clock.forward(hours=1)
        assert await desk.run(sign_in_sessions.end_all, cast.sam.id) == 2
        ended = {row.token_hash: row.revoked_at for row in await desk.rows(UserSession)}
        assert ended == {"open 1": now, "open 2": now, "ended": earlier, "of another": None}

    async def test_a_second_time_ends_none(self, desk) -> None:
        await desk.store(session_of(desk.cast.sam.id, "open"))
        await desk.run(sign_in_sessions.end_all, desk.cast.sam.id)
        async with desk.nothing_written():
            assert await desk.run(sign_in_sessions.end_all, desk.cast.sam.id) == 0
