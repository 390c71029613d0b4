"""Few statements for many rows."""

from datetime import UTC, datetime

import pytest

from admin_app.errors import Conflict
from admin_app.models import Priority, Status, Tag, Ticket
from admin_app.services.batches.bulk import writing
from admin_app.services.batches.bulk.writing import Edit
from tests.services.batches.bulk.scenes import many_tickets

NOW = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)


class TestWrite:
    async def test_gives_each_row_its_own_values_in_one_statement_per_mix_of_columns(
        self, desk, statement_counter
    ) -> None:
        ids = await many_tickets(desk, 4)
        edits = [
            Edit(ids[0], 1, {"owner_id": None, "priority": Priority.LOW}),
            Edit(ids[1], 1, {"owner_id": desk.cast.ada.id, "priority": Priority.LOW}),
            Edit(ids[2], 1, {"status": Status.PENDING, "resolved_at": NOW}),
            Edit(ids[3], 1, {}),
        ]
        with statement_counter() as counted:
            await desk.run(writing.write, edits, now=NOW)
        stored = [await desk.stored(Ticket, number) for number in ids]
        assert counted.total == 3
        assert [row.owner_id for row in stored] == [None, desk.cast.ada.id, desk.cast.sam.id, desk.cast.sam.id]
        assert [row.priority for row in stored] == [Priority.LOW, Priority.LOW, Priority.MEDIUM, Priority.MEDIUM]
        assert [row.status for row in stored] == [Status.NEW, Status.NEW, Status.PENDING, Status.NEW]
        assert (stored[2].resolved_at, stored[0].resolved_at) == (NOW, None)
        assert {(row.version, row.updated_at) for row in stored} == {(2, NOW)}

    @pytest.mark.parametrize("wrong", [Edit(4_711, 1, {"owner_id": None}), Edit(1, 2, {"owner_id": None})])
    async def test_a_row_that_is_not_there_at_that_version_stops_all(self, desk, wrong: Edit) -> None:
        ids = await many_tickets(desk, 2)
        good = Edit(ids[1], 1, {"owner_id": None})
        await desk.refusal(Conflict, writing.write, [good, wrong], now=NOW)


class TestStoredValues:
    def test_reads_recorded_values_back_into_the_databases_types(self) -> None:
        changes = {
            "status": ["open", "closed"],
            "priority": [2, 4],
            "deleted_at": [None, NOW.isoformat()],
            "owner_id": [1, None],
            "tags": ["", "vip"],
        }
        assert writing.stored_values(changes) == {
            "status": Status.CLOSED,
            "priority": Priority.CRITICAL,
            "deleted_at": NOW,
            "owner_id": None,
        }


class TestWriteTags:
    async def test_only_what_differs_is_written(self, desk, statement_counter) -> None:
        ids = await many_tickets(desk, 2)
        with statement_counter() as counted:
            await desk.run(writing.write_tags, [(ids[0], "", "a, b"), (ids[1], "", "b")])
        assert counted.total == 4
        with statement_counter() as counted:
            await desk.run(writing.write_tags, [(ids[0], "a, b", "b"), (ids[1], "b", "b")])
        assert counted.total == 2
        assert [tag.name for tag in await desk.rows(Tag)] == ["a", "b"]
