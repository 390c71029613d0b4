"""Audit entries in people's words."""

import pytest

from admin_app.models import AuditLog
from admin_app.services.blocks import audit_entries


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
        changes = {"title": ["1", "2"], "size": [None, 3], "parent_id": [None, desk.cast.sam.id]}
        assert await spoken(desk, changes) == {name: tuple(pair) for name, pair in changes.items()}

    async def test_all_names_of_all_entries_come_in_one_statement(self, desk, statement_counter) -> None:
        people = list(desk.cast.users.values())
        logs = [AuditLog(changes={"owner_id": [None, person]}) for person in people * 5]
        with statement_counter() as counted:
            entries = await desk.read(audit_entries.readable, logs)
        assert counted.total == 1
        assert [entry.log for entry in entries] == logs

    async def test_no_entries_need_no_statement(self, desk, statement_counter) -> None:
        with statement_counter() as counted:
            assert await desk.read(audit_entries.readable, []) == []
        assert counted.total == 0
