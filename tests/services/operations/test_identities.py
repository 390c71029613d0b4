"""Who somebody is at the provider of single sign-on: seen and unlinked."""

from datetime import timedelta
from uuid import uuid4

from admin_app import clock
from admin_app.errors import Conflict, NotFound, PermissionDenied
from admin_app.models import AuditAction, ExternalIdentity, HalfOpenSession, User, UserSession
from admin_app.services.operations import identities

ISSUER = "https://login.example"


async def linked(desk, *user_ids: int) -> list[int]:
    """Each of them is somebody there; Sam is signed in once with a password, twice through the provider."""
    rows = [ExternalIdentity(user_id=one, issuer=ISSUER, subject=f"s-{one}") for one in user_ids]
    now, sam = clock.now(), desk.cast.sam.id
    times = {"last_seen_at": now, "expires_at": now + timedelta(hours=12)}
    opened = [
        UserSession(token_hash=uuid4().hex, user_id=one, by_provider=by_provider, **times)
        for one, by_provider in ((sam, False), (sam, True), (sam, True), (desk.cast.sid.id, True))
    ]
    await desk.store(*rows, *opened, HalfOpenSession(token_hash="half", user_id=sam, expires_at=now))
    await desk.set(User, sam, password_hash="h")
    return [row.id for row in rows]


async def open_ones(desk) -> list[bool]:
    return [row.revoked_at is None for row in await desk.rows(UserSession)]


class TestSeen:
    async def test_ones_own_and_by_admins_those_of_anybody(self, desk) -> None:
        cast = desk.cast
        [of_sam, of_sid] = await linked(desk, cast.sam.id, cast.sid.id)
        assert [row.id for row in await desk.read(identities.own, cast.sam)] == [of_sam]
        assert [row.id for row in await desk.read(identities.of_person, cast.ada, cast.sid.id)] == [of_sid]
        await desk.refusal(NotFound, identities.of_person, cast.ada, 999_999)
        await desk.refusal(PermissionDenied, identities.of_person, cast.sue, cast.sid.id)


class TestUnlinkOwn:
    async def test_ends_every_sign_in_but_the_one_that_asks(self, desk) -> None:
        [number, _] = await linked(desk, desk.cast.sam.id, desk.cast.sid.id)
        kept = (await desk.rows(UserSession))[1].id
        async with desk.recorded() as written:
            await desk.run(identities.unlink_own, desk.cast.sam, number, kept_id=kept)
        assert [row.user_id for row in await desk.rows(ExternalIdentity)] == [desk.cast.sid.id]
        assert await open_ones(desk) == [False, True, False, True]
        assert await desk.rows(HalfOpenSession) == []
        entry = written.entry
        assert (entry.action, entry.actor_id, entry.record_id) == (AuditAction.UNLINK_IDENTITY, *[desk.cast.sam.id] * 2)
        assert entry.changes == {"identity": [f"s-{desk.cast.sam.id} at {ISSUER}", None]}

    async def test_is_refused_where_it_is_the_only_way_in(self, desk) -> None:
        [number] = await linked(desk, desk.cast.sam.id)
        await desk.set(User, desk.cast.sam.id, password_hash=None)
        await desk.refusal(Conflict, identities.unlink_own, desk.cast.sam, number, kept_id=0)

    async def test_that_of_another_is_missing(self, desk) -> None:
        [number] = await linked(desk, desk.cast.sid.id)
        await desk.refusal(NotFound, identities.unlink_own, desk.cast.sam, number, kept_id=0)


class TestUnlinkOf:
    async def test_an_admin_unlinks_anybodys_and_all_their_sign_ins_end(self, desk) -> None:
        [number] = await linked(desk, desk.cast.sam.id)
        async with desk.recorded() as written:
            await desk.run(identities.unlink_of, desk.cast.ada, number, user_id=desk.cast.sam.id)
        assert await open_ones(desk) == [False, False, False, True]
        assert (written.entry.actor_id, written.entry.record_id) == (desk.cast.ada.id, desk.cast.sam.id)

    async def test_the_person_has_to_be_the_right_one(self, desk) -> None:
        [number] = await linked(desk, desk.cast.sid.id)
        await desk.refusal(NotFound, identities.unlink_of, desk.cast.ada, number, user_id=desk.cast.sam.id)

    async def test_a_supervisor_is_refused(self, desk) -> None:
        [number] = await linked(desk, desk.cast.sam.id)
        await desk.refusal(PermissionDenied, identities.unlink_of, desk.cast.sue, number, user_id=desk.cast.sam.id)
