"""A whole file, batch by batch."""

from typing import Any

import pytest

from admin_app.actor import ActorKind
from admin_app.errors import PermissionDenied, Unavailable
from admin_app.models import AuditAction, AuditLog, Ticket, User
from admin_app.services.batches.csv_import import running, storing
from admin_app.services.batches.csv_import.drafting import Drafter
from admin_app.services.batches.csv_import.running import ImportOptions, ImportSummary, import_file
from tests.services.batches.csv_files import HEADER, csv_bytes, import_bytes, row, rows, rules, source
from tests.services.scenes import Desk

MIXED = [
    *rows(5),
    row(Id="2", Subject="The second again"),
    row(Id="6", State="Frozen"),
    row(Id="7", Mail="c1@customer.example"),
    row(Id="8", Mail="new@customer.example", State="Done"),
    row(Id="4"),
]
"""Five good rows, then: known, bad status, good, closed without a resolution, known."""


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows per unit of work, so that one file is several."""
    monkeypatch.setattr(running, "BATCH_ROWS", 2)


def figures(summary: ImportSummary) -> tuple[int, ...]:
    return summary.total, summary.imported, summary.known, summary.rejected, summary.customers


class TestImportFile:
    @pytest.mark.usefixtures("small_batches")
    async def test_good_rows_come_in_and_bad_rows_are_told(self, desk: Desk) -> None:
        summary, rejections = await import_bytes(desk, csv_bytes(MIXED))
        assert figures(summary) == (10, 6, 2, 2, 5)
        assert [(bad.row.line, bad.column) for bad in rejections] == [(8, "State"), (10, "Answer")]
        assert [ticket.external_key for ticket in await desk.rows(Ticket)] == [f"test:{n}" for n in (1, 2, 3, 4, 5, 7)]

    @pytest.mark.usefixtures("small_batches")
    async def test_a_second_run_adds_nothing(self, desk: Desk) -> None:
        await import_bytes(desk, csv_bytes(MIXED))
        tickets, people = await desk.rows(Ticket), await desk.rows(User)
        summary, _ = await import_bytes(desk, csv_bytes(MIXED))
        assert figures(summary) == (10, 0, 8, 2, 0)
        assert (len(await desk.rows(Ticket)), len(await desk.rows(User))) == (len(tickets), len(people))

    @pytest.mark.usefixtures("small_batches")
    async def test_a_damaged_line_is_one_of_the_rejected(self, desk: Desk) -> None:
        first, second = csv_bytes(rows(2)).split(b"\r\n")[1:3]
        content = b"\r\n".join([",".join(HEADER).encode(), first, b'"broken"x,y', b"too,few", second, b""])
        summary, rejections = await import_bytes(desk, content)
        assert figures(summary)[:4] == (4, 2, 0, 2)
        assert [bad.row.line for bad in rejections] == [3, 4]

    @pytest.mark.usefixtures("small_batches")
    async def test_one_entry_sums_up_the_run(self, desk: Desk) -> None:
        summary, _ = await import_bytes(desk, csv_bytes(MIXED))
        entries = await desk.rows(AuditLog)
        last = entries[-1]
        assert (last.action, last.table_name, last.record_id) == (AuditAction.IMPORT, "tickets", None)
        assert (last.record_label, last.actor_id) == ("tickets.csv", desk.cast.sue.id)
        assert last.changes == {"imported": [0, 6], "known": [0, 2], "rejected": [0, 2], "customers": [0, 5]}
        assert {entry.batch_id for entry in entries} == {summary.batch_id}
        assert [entry.action for entry in entries].count(AuditAction.IMPORT) == 1

    @pytest.mark.usefixtures("small_batches")
    async def test_progress_is_told_after_each_batch(self, desk: Desk) -> None:
        told: list[int] = []
        opened = source(csv_bytes(rows(5)))
        options = ImportOptions(on_batch=lambda summary: told.append(summary.imported))
        await import_file(desk.database.run, desk.cast.sue, opened, Drafter(rules(), HEADER), options)
        assert told == [2, 4, 5]

    @pytest.mark.usefixtures("small_batches")
    async def test_a_fault_keeps_what_was_committed_and_the_next_run_adds_the_rest(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really, calls = storing.ticket_numbers.take, []

        async def fails_once(session: Any, count: int) -> list[str]:
            calls.append(count)
            if len(calls) == 2:
                raise ConnectionRefusedError
            return await really(session, count)

        monkeypatch.setattr(storing.ticket_numbers, "take", fails_once)
        with pytest.raises(Unavailable):
            await import_bytes(desk, csv_bytes(rows(5)))
        assert len(await desk.rows(Ticket)) == 2
        summary, _ = await import_bytes(desk, csv_bytes(rows(5)))
        assert figures(summary) == (5, 3, 2, 0, 3)
        assert len({ticket.ticket_number for ticket in await desk.rows(Ticket)}) == 5

    async def test_a_batch_without_a_key_is_not_repeatable(self, desk: Desk) -> None:
        asked: list[bool] = []

        async def run(work: Any, *, repeatable: bool = False) -> Any:
            asked.append(repeatable)
            return await desk.database.run(work, repeatable=repeatable)

        for by in (rules(), rules(external_key=None)):
            opened = source(csv_bytes([row()]))
            await import_file(run, desk.cast.sue, opened, Drafter(by, HEADER), ImportOptions())
        assert asked == [True, False, False, False]

    @pytest.mark.parametrize("dry_run", [True, False])
    async def test_only_those_who_may_import(self, desk: Desk, dry_run: bool) -> None:
        async with desk.nothing_written():
            with pytest.raises(PermissionDenied):
                await import_bytes(desk, csv_bytes([row()]), actor=desk.cast.sam, dry_run=dry_run)


class TestDryRun:
    @pytest.mark.usefixtures("small_batches")
    async def test_it_writes_nothing_and_reports_what_the_run_does(self, desk: Desk) -> None:
        content = csv_bytes(MIXED)
        async with desk.nothing_written():
            rehearsed, told = await import_bytes(desk, content, dry_run=True)
        done, rejections = await import_bytes(desk, content)
        assert figures(rehearsed) == figures(done)
        assert told == rejections

    @pytest.mark.usefixtures("small_batches")
    async def test_it_sees_what_is_here_already(self, desk: Desk) -> None:
        await import_bytes(desk, csv_bytes(rows(3)))
        rehearsed, _ = await import_bytes(desk, csv_bytes(rows(5)), dry_run=True)
        assert figures(rehearsed) == (5, 2, 3, 0, 2)

    async def test_the_numbers_of_sqlite_come_back(self, desk: Desk) -> None:
        """PostgreSQL's sequence leaves a gap instead; either way no number is used twice."""
        await import_bytes(desk, csv_bytes(rows(3)), dry_run=True)
        await import_bytes(desk, csv_bytes(rows(1)), actor=desk.cast.ada)
        [ticket] = await desk.rows(Ticket)
        expected = "T-000001" if desk.database.engines.dialect == "sqlite" else "T-000004"
        assert ticket.ticket_number == expected
        assert (await desk.rows(AuditLog))[-1].actor_kind is ActorKind.USER
