"""Another role, and the work that must not be left without an owner."""

import pytest

from admin_app.errors import Conflict
from admin_app.models import AuditLog, Ticket, User
from admin_app.permissions import OWNING_ROLES, Role
from admin_app.services.blocks import roles
from admin_app.services.operations import tickets
from tests.services.scenes import Desk


async def change(desk: Desk, role: Role) -> None:
    async def work(session) -> None:
        user = await session.get(User, desk.cast.sid.id)
        await roles.change(session, desk.cast.ada, user, role)

    await desk.run(work)


class TestChange:
    @pytest.mark.parametrize("role", [role for role in Role if role is not Role.STAFF])
    async def test_is_written_with_its_entry(self, desk: Desk, role: Role) -> None:
        await change(desk, role)
        assert (await desk.stored(User, desk.cast.sid.id)).role is role
        [entry] = await desk.rows(AuditLog)
        assert (entry.action, entry.changes) == ("CHANGE_ROLE", {"role": ["staff", role.value]})

    @pytest.mark.parametrize("role", [role for role in Role if role not in OWNING_ROLES])
    async def test_never_leaves_open_work_with_somebody_who_cannot_own_it(self, desk: Desk, role: Role) -> None:
        ticket = await desk.ticket(owner="sid@desk.example")
        async with desk.nothing_written():
            with pytest.raises(Conflict, match="Sid Staff still owns 1 open tickets"):
                await change(desk, role)
        await desk.run(tickets.close, desk.cast.sam, ticket.id, resolution="done", version=1)
        await change(desk, role)

    async def test_to_one_that_owns_work_too_needs_no_hand_over(self, desk: Desk) -> None:
        await desk.ticket(owner="sid@desk.example")
        await change(desk, Role.SUPERVISOR)


class TestWouldLeaveWork:
    @pytest.mark.parametrize("role", Role)
    async def test_asks_only_of_roles_that_own_nothing(self, desk: Desk, role: Role) -> None:
        await desk.ticket(owner="sid@desk.example")

        async def ask(session) -> tuple[bool, int]:
            user = await session.get(User, desk.cast.sid.id)
            return await roles.would_leave_work(session, user, role), await roles.open_tickets(session, user)

        assert await desk.read(ask) == (role not in OWNING_ROLES, 1)
        assert len(await desk.rows(Ticket)) == 1
