"""The rules of the six actions, without a database."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from admin_app.actor import Actor
from admin_app.models import BatchKind, Priority, Status
from admin_app.permissions import ROLE_PERMISSIONS, Permission, Role
from admin_app.services.batches.bulk import actions
from admin_app.services.batches.bulk.actions import ACTIONS, Orders
from admin_app.services.batches.bulk.rows import Row

SUE = Actor(id=3, name="Sue Supervisor", role=Role.SUPERVISOR)
NOW = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)
ROW = Row(
    id=1,
    ticket_number="T-000001",
    title="Printer on fire",
    version=1,
    status=Status.OPEN,
    priority=Priority.MEDIUM,
    owner_id=1,
    creator_id=7,
    has_resolution=False,
    resolved_at=None,
    deleted_at=None,
    deleted_by_id=None,
    delete_reason=None,
    delete_batch_id=None,
)


def action(kind: BatchKind, actor: Actor = SUE, **parameters: object) -> actions.Action:
    return ACTIONS[kind](Orders(parameters, "b" * 32, actor, NOW))


class TestEveryAction:
    def test_there_is_one_for_every_kind(self) -> None:
        assert set(ACTIONS) == set(BatchKind)

    @pytest.mark.parametrize("kind", BatchKind)
    def test_what_is_missing_is_refused(self, kind: BatchKind) -> None:
        assert action(kind).refusal(None, {}) == "There is no such ticket."

    @pytest.mark.parametrize("kind", BatchKind)
    def test_what_is_on_the_other_side_of_the_trash_is_refused(self, kind: BatchKind) -> None:
        is_restore = kind is BatchKind.RESTORE
        row = ROW if is_restore else replace(ROW, deleted_at=NOW)
        expected = "It is not in the trash." if is_restore else "It is in the trash."
        assert action(kind).refusal(row, {}) == expected

    def test_its_own_entry_says_what_was_asked_for_but_not_the_reason_twice(self) -> None:
        assert action(BatchKind.ASSIGN, owner_id=4, reason="r").asked == {"owner_id": [None, 4]}
        assert action(BatchKind.DELETE, reason="r").asked == {}
        assert action(BatchKind.RESTORE, owner_id=None).asked == {}
        assert action(BatchKind.TAG, added=["a", "b"], removed=[]).asked == {"tags_added": [None, "a, b"]}
        assert action(BatchKind.CLOSE, resolution="").asked == {"status": [None, "closed"]}


class TestClose:
    @pytest.mark.parametrize("status", [status for status in Status if status is not Status.CLOSED])
    def test_any_ticket_that_is_not_closed_may_be(self, status: Status) -> None:
        assert action(BatchKind.CLOSE, resolution="Done.").refusal(replace(ROW, status=status), {}) == ""

    def test_without_an_arrow_that_this_person_may_go_it_is_refused(self, monkeypatch) -> None:
        fewer = {**ROLE_PERMISSIONS, Role.SUPERVISOR: ROLE_PERMISSIONS[Role.SUPERVISOR] - {Permission.TICKET_CLOSE}}
        monkeypatch.setattr("admin_app.actor.ROLE_PERMISSIONS", fewer)
        refusal = action(BatchKind.CLOSE, resolution="Done.").refusal(ROW, {})
        assert refusal == "It cannot go from Open to Closed."


class TestAssign:
    def test_without_the_right_to_anybodys_own_and_ownerless_tickets_only(self) -> None:
        sam = Actor(id=1, name="Sam Staff", role=Role.STAFF)
        assign = action(BatchKind.ASSIGN, sam, owner_id=4)
        assert [assign.refusal(replace(ROW, owner_id=owner), {}) for owner in (1, None, 2)] == [
            "",
            "",
            "It is not yours to hand over.",
        ]

    def test_to_whom_it_belongs_already_is_refused(self) -> None:
        assert action(BatchKind.ASSIGN, owner_id=1).refusal(ROW, {}) == "It belongs to them already."


class TestPriority:
    def test_the_one_it_has_is_refused(self) -> None:
        assert action(BatchKind.PRIORITY, priority=2).refusal(ROW, {}) == "It has this priority already."


class TestTags:
    def test_more_than_a_ticket_may_have_are_refused(self) -> None:
        row = replace(ROW, tags=tuple(f"t{n}" for n in range(actions.MOST_TAGS)))
        assert "more than 20" in action(BatchKind.TAG, added=["new"], removed=[]).refusal(row, {})
        assert action(BatchKind.TAG, added=["new"], removed=["t1"]).refusal(row, {}) == ""
