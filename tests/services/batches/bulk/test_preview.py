"""Freezing what a batch would do."""

import pytest

from admin_app.errors import NotFound, PermissionDenied
from admin_app.models import Batch, BatchKind, BatchState, Ticket
from admin_app.permissions import ROLE_PERMISSIONS, Permission, Role
from admin_app.services.batches.bulk import preview
from admin_app.services.batches.bulk.choosing import Selection
from admin_app.services.batches.bulk.preview import Wanted
from admin_app.services.pages.ticket_list import TicketFilter
from tests.services.batches.bulk.scenes import TYPED, many_tickets, previewed
from tests.services.scenes import EVERY_ROLE


class TestPreview:
    async def test_keeps_ids_and_versions_and_touches_no_ticket(self, desk) -> None:
        ids = await many_tickets(desk, 3)
        await desk.set(Ticket, ids[1], version=5)
        before = await desk.everything()
        batch = await previewed(desk, BatchKind.ASSIGN, Selection(matching=TicketFilter()))
        after = await desk.everything()
        assert [name for name in before if before[name] != after[name]] == ["batches"]
        stored = await desk.stored(Batch, batch.id)
        assert stored.plan == [[ids[0], 1], [ids[1], 5], [ids[2], 1]]
        assert stored.parameters == {"owner_id": desk.cast.sid.id, "reason": "Sam is away"}
        assert (stored.actor_id, stored.state, stored.kind) == (
            desk.cast.sue.id,
            BatchState.PREVIEWED,
            BatchKind.ASSIGN,
        )

    async def test_ids_that_cannot_exist_are_refused_rows_like_others(self, desk) -> None:
        batch = await previewed(desk, BatchKind.PRIORITY, [2**40, -3, 0])
        assert [label for _, label, _ in batch.refused] == ["Number -3", "Number 0", f"Number {2**40}"]

    @pytest.mark.parametrize("role", sorted(EVERY_ROLE - {Role.SUPERVISOR, Role.ADMIN}))
    async def test_only_supervisors_and_admins(self, desk, role: Role) -> None:
        wanted = Wanted(BatchKind.PRIORITY, {"priority": "4"})
        selection = Selection(ids=await many_tickets(desk, 1))
        await desk.refusal(PermissionDenied, preview.preview, desk.as_role(role), wanted, selection)

    @pytest.mark.parametrize(
        ("kind", "needed"),
        [
            (BatchKind.CLOSE, Permission.TICKET_CLOSE),
            (BatchKind.ASSIGN, Permission.TICKET_TRANSFER),
            (BatchKind.PRIORITY, Permission.TICKET_EDIT),
            (BatchKind.TAG, Permission.TICKET_EDIT),
            (BatchKind.DELETE, Permission.TICKET_DELETE),
            (BatchKind.RESTORE, Permission.TICKET_RESTORE),
        ],
    )
    async def test_each_kind_needs_its_own_permission_too(self, desk, monkeypatch, kind, needed) -> None:
        fewer = {**ROLE_PERMISSIONS, Role.SUPERVISOR: ROLE_PERMISSIONS[Role.SUPERVISOR] - {needed}}
        monkeypatch.setattr("admin_app.actor.ROLE_PERMISSIONS", fewer)
        selection = Selection(ids=await many_tickets(desk, 1))
        await desk.refusal(PermissionDenied, preview.preview, desk.cast.sue, Wanted(kind, TYPED[kind]), selection)


class TestPreviewAgain:
    async def test_is_a_batch_of_its_own_for_whoever_asks(self, desk) -> None:
        ids = await many_tickets(desk, 2)
        old = await previewed(desk, BatchKind.PRIORITY, ids)
        await desk.set(Ticket, ids[0], version=9)
        again = await desk.run(preview.preview_again, desk.cast.ada, old.batch_id)
        assert again.batch_id != old.batch_id
        assert (again.actor_id, again.plan) == (desk.cast.ada.id, [[ids[0], 9], [ids[1], 1]])
        assert again.parameters == {"priority": 4}

    async def test_staff_may_not(self, desk) -> None:
        old = await previewed(desk, BatchKind.PRIORITY, await many_tickets(desk, 1))
        await desk.refusal(PermissionDenied, preview.preview_again, desk.cast.sam, old.batch_id)

    async def test_of_nothing_is_not_found(self, desk) -> None:
        await desk.refusal(NotFound, preview.preview_again, desk.cast.sue, "nothing")
