"""Ending sign-in sessions."""

from datetime import timedelta

from admin_app import clock
from admin_app.models import UserSession
from admin_app.services.blocks import sign_in_sessions


def session_of(user_id: int, name: str, **columns) -> UserSession:
    now = clock.now()
    return UserSession(
        token_hash=name, user_id=user_id, last_seen_at=now, expires_at=now + timedelta(hours=12), **columns
    )


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
