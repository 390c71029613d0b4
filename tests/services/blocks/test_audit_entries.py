"""Audit entries in people's words."""

import pytest

from admin_app.models import AuditAction, AuditLog
from admin_app.services.blocks import audit_entries
from admin_app.services.operations import tickets


async def spoken(desk, changes: dict[str, list]) -> dict[str, tuple]:
    [entry] = await desk.read(audit_entries.readable, [AuditLog(changes=changes)])
    return {change.field: (change.old, change.new) for change in entry.changes}


class TestReadable:
    @pytest.mark.parametrize("field", sorted(audit_entries.PEOPLE_FIELDS))
    async def test_numbers_of_people_become_names(self, desk, field: str) -> None:
        cast = desk.cast
        assert await spoken(desk, {field: [cast.sam.id, cast.sid.id]}) == {field: ("Sam Staff", "Sid Staff")}

    async def test_nobody_stays_nobody_and_an_unknown_number_says_so(self, desk) -> None:
        assert await spoken(desk, {"owner_id": [None, 999]}) == {"owner_id": (None, "person 999")}

    async def test_priorities_become_words(self, desk) -> None:
        assert await spoken(desk, {"priority": [1, 4]}) == {"priority": ("Low", "Critical")}
        assert await spoken(desk, {"priority": [None, 2]}) == {"priority": (None, "Medium")}

    async def test_everything_else_stays_as_it_was_written(self, desk) -> None:
        changes = {"title": ["1", "2"], "size": [None, 3], "channel_id": [None, desk.cast.sam.id]}
        assert await spoken(desk, changes) == {name: tuple(pair) for name, pair in changes.items()}

    async def test_what_watchers_are_told_of_is_as_in_the_choice(self, desk) -> None:
        for action in (AuditAction.WATCH, AuditAction.UNWATCH):
            log = AuditLog(action=action, changes={"Sid Staff": ["all", "replies"], "Sam Staff": [None, "mentions"]})
            [entry] = await desk.read(audit_entries.readable, [log])
            said = {change.field: (change.old, change.new) for change in entry.changes}
            assert said == {"Sid Staff": ("Everything", "Replies"), "Sam Staff": (None, "Mentions")}

    async def test_what_was_and_stays_nought_is_left_out(self, desk) -> None:
        assert await spoken(desk, {"comments": [0, 0], "attachments": [2, 0]}) == {"attachments": (2, 0)}

    async def test_tickets_become_numbers_and_everything_comes_in_one_statement(self, desk, statement_counter) -> None:
        live, deleted = await desk.ticket(), await desk.ticket()
        await desk.run(tickets.delete, desk.cast.sue, deleted.id, reason="spam", version=1)
        assert await spoken(desk, {"parent_id": [live.id, deleted.id]}) == {
            "parent_id": (live.ticket_number, deleted.ticket_number)
        }
        assert await spoken(desk, {"parent_id": [None, 999]}) == {"parent_id": (None, "a ticket that is gone for good")}
        people = list(desk.cast.users.values())
        logs = [AuditLog(changes={"owner_id": [None, person], "parent_id": [None, live.id]}) for person in people * 5]
        with statement_counter() as counted:
            entries = await desk.read(audit_entries.readable, logs)
        assert counted.total == 1
        assert [entry.log for entry in entries] == logs

    async def test_no_entries_need_no_statement(self, desk, statement_counter) -> None:
        with statement_counter() as counted:
            assert await desk.read(audit_entries.readable, []) == []
        assert counted.total == 0
