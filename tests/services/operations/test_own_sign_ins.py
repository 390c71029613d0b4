"""Open sign-ins: seen and ended by their owner, or by an admin."""

from datetime import timedelta
from uuid import uuid4

from admin_app import clock
from admin_app.errors import NotFound, PermissionDenied
from admin_app.models import AuditAction, HalfOpenSession, UserSession
from admin_app.services.operations import own_sign_ins

IDLE = timedelta(minutes=30)


async def sessions(desk, *user_ids: int, **columns) -> list[int]:
    now = clock.now()
    common = {"last_seen_at": now, "expires_at": now + timedelta(hours=12), **columns}
    rows = [UserSession(token_hash=uuid4().hex, user_id=one, **common) for one in user_ids]
    await desk.store(*rows)
    return [row.id for row in rows]


class TestOwn:
    async def test_lists_open_ones_alone_the_latest_first(self, desk, stopped_clock) -> None:
        sam, now = desk.cast.sam, stopped_clock.time
        await sessions(desk, sam.id, revoked_at=now)
        await sessions(desk, sam.id, last_seen_at=now - IDLE)
        stopped_clock.forward(seconds=1)
        await sessions(desk, sam.id, expires_at=now)
        stopped_clock.forward(seconds=1)
        first, second, _ = await sessions(desk, sam.id, sam.id, desk.cast.sid.id)
        found = await desk.read(own_sign_ins.own, sam, idle=IDLE)
        assert [row.id for row in found] == [second, first]


class TestOfPerson:
    async def test_an_admin_sees_them(self, desk) -> None:
        [number] = await sessions(desk, desk.cast.sam.id)
        found = await desk.read(own_sign_ins.of_person, desk.cast.ada, desk.cast.sam.id, idle=IDLE)
        assert [row.id for row in found] == [number]

    async def test_a_supervisor_does_not(self, desk) -> None:
        await desk.refusal(PermissionDenied, own_sign_ins.of_person, desk.cast.sue, desk.cast.sam.id, idle=IDLE)


class TestEndOwn:
    async def test_ends_this_one_and_writes_it_down_once(self, desk) -> None:
        first, _ = await sessions(desk, desk.cast.sam.id, desk.cast.sam.id)
        async with desk.recorded() as written:
            for _ in range(2):
                await desk.run(own_sign_ins.end_own, desk.cast.sam, first)
        assert (written.entry.action, written.entry.record_id) == (AuditAction.END_SESSION, desk.cast.sam.id)
        assert [row.revoked_at is None for row in await desk.rows(UserSession)] == [False, True]

    async def test_that_of_another_is_missing(self, desk) -> None:
        [number] = await sessions(desk, desk.cast.sam.id)
        await desk.refusal(NotFound, own_sign_ins.end_own, desk.cast.ada, number)


class TestEndOneOf:
    async def test_an_admin_ends_anybodys(self, desk) -> None:
        [number] = await sessions(desk, desk.cast.sam.id)
        async with desk.recorded() as written:
            await desk.run(own_sign_ins.end_one_of, desk.cast.ada, number, user_id=desk.cast.sam.id)
        assert (written.entry.actor_id, written.entry.record_id) == (desk.cast.ada.id, desk.cast.sam.id)
        assert (await desk.rows(UserSession))[0].revoked_at is not None

    async def test_a_supervisor_is_refused(self, desk) -> None:
        [number] = await sessions(desk, desk.cast.sam.id)
        options = {"user_id": desk.cast.sam.id}
        await desk.refusal(PermissionDenied, own_sign_ins.end_one_of, desk.cast.sue, number, **options)


class TestEndOthers:
    async def test_keeps_this_one_and_those_of_others(self, desk) -> None:
        sam, sid = desk.cast.sam.id, desk.cast.sid.id
        kept, _, _ = await sessions(desk, sam, sam, sid)
        await desk.store(HalfOpenSession(token_hash="half", user_id=sam, expires_at=clock.now()))
        async with desk.recorded() as written:
            await desk.run(own_sign_ins.end_others, desk.cast.sam, kept_id=kept)
        assert written.entry.changes == {"open_sessions": [2, 1]}
        assert [row.revoked_at is None for row in await desk.rows(UserSession)] == [True, False, True]
        assert await desk.rows(HalfOpenSession) == []
