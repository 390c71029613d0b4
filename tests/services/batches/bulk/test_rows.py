"""What bulk work reads."""

from admin_app.models import User
from admin_app.permissions import Role
from admin_app.services.batches.bulk import rows
from admin_app.services.operations import following, tickets
from tests.services.batches.bulk.scenes import many_tickets


class TestChunks:
    def test_cuts_into_lists_of_a_size(self) -> None:
        assert list(rows.chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
        assert list(rows.chunks([], 2)) == []


class TestRead:
    async def test_finds_live_and_deleted_ones_and_leaves_out_the_missing(self, desk) -> None:
        ids = await many_tickets(desk, 2)
        await desk.run(tickets.delete, desk.cast.sue, ids[1], reason="spam", version=1)
        found = await desk.run(rows.read, [*ids, 4_711], lock=True)
        assert [(row.id, row.deleted_at is None, row.version) for row in found.values()] == [
            (ids[0], True, 1),
            (ids[1], False, 2),
        ]

    async def test_one_statement_and_one_more_for_tags(self, desk, statement_counter) -> None:
        ids = await many_tickets(desk, 3)
        await desk.run(following.tag, desk.cast.sam, ids[1], names="vip, fire")
        with statement_counter() as counted:
            found = await desk.read(rows.read, ids, with_tags=True)
        assert counted.total == 2
        assert [row.tags for row in found.values()] == [(), ("fire", "vip"), ()]

    async def test_an_empty_resolution_is_none(self, desk) -> None:
        ids = [*await many_tickets(desk, 1, resolution=""), (await desk.ticket()).id]
        await desk.run(tickets.resolve, desk.cast.sam, ids[1], resolution="Done.", version=1)
        found = await desk.read(rows.read, ids)
        assert [row.has_resolution for row in found.values()] == [False, True]


class TestPeople:
    async def test_who_can_own(self, desk) -> None:
        cast = desk.cast
        await desk.set(User, cast.sid.id, is_active=False)
        found = await desk.run(rows.people, [cast.sam.id, cast.sid.id, cast.kim.id, None], lock=True)
        assert {person.name: (person.is_active, person.can_own) for person in found.values()} == {
            "Sam Staff": (True, True),
            "Sid Staff": (False, False),
            "Kim Customer": (True, False),
        }
        assert Role.CUSTOMER not in rows.OWNING_ROLES

    async def test_nobody_is_asked_for_nothing(self, desk, statement_counter) -> None:
        with statement_counter() as counted:
            assert await desk.read(rows.people, [None]) == {}
        assert counted.total == 0
