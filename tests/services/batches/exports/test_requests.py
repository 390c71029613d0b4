"""What is known of an export, and who may know it."""

from datetime import timedelta

import pytest

from admin_app import clock
from admin_app.errors import Conflict, Malformed, NotFound
from admin_app.models import ExportFormat, ExportState, Priority, TicketExport
from admin_app.services.batches.exports import requests
from admin_app.services.batches.exports.pages import Listed
from admin_app.services.pages.ticket_list import TicketFilter
from tests.services.batches.exports.exporting import asked
from tests.services.scenes import Desk


class TestAsk:
    async def test_who_wants_what_is_in_the_audit_log_before_a_byte_goes_out(self, desk: Desk) -> None:
        listed = Listed(TicketFilter(priority=Priority.HIGH, search="printer"), "title", descending=True)
        async with desk.recorded() as recorded:
            export = await desk.run(requests.ask, desk.cast.sue, listed, ExportFormat.JSONL, query="priority=3")
        entry = recorded.entry
        assert (entry.action, entry.table_name, entry.record_id) == ("EXPORT", "ticket_exports", export.id)
        assert (entry.actor_name, entry.record_label) == ("Sue Supervisor", "Tickets as JSONL")
        assert entry.changes == {
            "state": [None, "waiting"],
            "format": [None, "jsonl"],
            "order": [None, "title descending"],
            "filter": [None, "search=printer, priority=3"],
        }

    async def test_an_order_that_there_is_not_is_refused(self, desk: Desk) -> None:
        await desk.refusal(Malformed, requests.ask, desk.cast.sue, Listed(sort="shoe"), ExportFormat.CSV)


class TestFind:
    async def test_one_sees_ones_own_and_nobody_elses(self, desk: Desk) -> None:
        mine, theirs = await asked(desk), await asked(desk, desk.cast.ada)
        assert (await desk.read(requests.find, desk.cast.sue, mine.id)).id == mine.id
        assert [export.id for export in await desk.read(requests.recent, desk.cast.sue)] == [mine.id]
        for service in (requests.find, requests.begin, requests.cancel):
            await desk.refusal(NotFound, service, desk.cast.sue, theirs.id)
            await desk.refusal(NotFound, service, desk.cast.sue, 999)


class TestCount:
    async def test_it_stops_one_beyond_the_cap(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(4):
            await desk.ticket()
        await desk.deleted_ticket()
        assert await desk.read(requests.count, desk.cast.sue, Listed()) == 4
        monkeypatch.setattr(requests, "COUNT_CAP", 2)
        assert await desk.read(requests.count, desk.cast.sue, Listed()) == 3


class TestStates:
    async def test_it_begins_once_tells_and_ends(self, desk: Desk) -> None:
        sue, export = desk.cast.sue, await asked(desk)
        await desk.run(requests.begin, sue, export.id)
        await desk.refusal(Conflict, requests.begin, sue, export.id)
        assert await desk.run(requests.advance, sue, export.id, 7)
        stored = await desk.stored(TicketExport, export.id)
        assert (stored.state, stored.row_count, requests.is_silent(stored)) == (ExportState.RUNNING, 7, False)
        async with desk.recorded() as recorded:
            await desk.run(requests.end, sue, export.id, state=ExportState.FINISHED, rows=9, sha256="a" * 64)
        assert recorded.entry.changes == {
            "state": ["running", "finished"],
            "rows": [0, 9],
            "checksum": [None, "a" * 64],
        }
        await desk.refusal(Conflict, requests.cancel, sue, export.id)

    async def test_cancelled_it_neither_begins_nor_goes_on_and_stays_so(self, desk: Desk) -> None:
        sue, waiting, running = desk.cast.sue, await asked(desk), await asked(desk)
        await desk.run(requests.begin, sue, running.id)
        for export in (waiting, running):
            async with desk.recorded() as recorded:
                await desk.run(requests.cancel, sue, export.id)
            assert recorded.entry.changes == {
                "state": [export.state.value if export is waiting else "running", "cancelled"]
            }
        await desk.refusal(Conflict, requests.begin, sue, waiting.id)
        assert not await desk.run(requests.advance, sue, running.id, 7)
        await desk.run(requests.end, sue, running.id, state=ExportState.FAILED, rows=5)
        stored = await desk.stored(TicketExport, running.id)
        assert (stored.state, stored.row_count) == (ExportState.CANCELLED, 5)

    async def test_one_that_fell_silent_has_ended_with_its_process(self, desk: Desk) -> None:
        export = await asked(desk)
        await desk.run(requests.begin, desk.cast.sue, export.id)
        await desk.set(TicketExport, export.id, heard_at=clock.now() - requests.SILENT_AFTER - timedelta(seconds=1))
        assert requests.is_silent(await desk.stored(TicketExport, export.id))
