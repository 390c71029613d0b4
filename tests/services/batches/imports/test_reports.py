"""What a person sees of an import."""

import csv
import io
from datetime import timedelta

import pytest

from admin_app import clock
from admin_app.errors import Conflict, NotFound, PermissionDenied
from admin_app.models import ImportMode, ImportState, TicketImport
from admin_app.services.batches.imports import reports
from tests.services.batches.csv_files import HEADER, csv_bytes, row, rows
from tests.services.batches.imports.importing import Importing, Watch
from tests.services.scenes import Desk


async def page(desk: Desk, number: int) -> reports.ImportPage:
    return await desk.read(reports.page, desk.cast.sue, number)


def may(found: reports.ImportPage) -> set[str]:
    """What may be done."""
    verbs = {"start": found.can_start, "go on": found.can_go_on, "map": found.can_map, "undo": found.can_undo}
    return {verb for verb, allowed in verbs.items() if allowed}


class TestPage:
    async def test_what_may_be_done_follows_the_state(self, desk: Desk, importing: Importing) -> None:
        sent = await importing.sent(csv_bytes(rows(3)))
        assert may(await page(desk, sent.id)) == {"map"}
        number = await importing.mapped(csv_bytes(rows(3)))
        assert may(await page(desk, number)) == {"start", "map"}
        await importing.ran(number)
        found = await page(desk, number)
        assert (may(found), found.is_busy, found.entry_id is not None) == ({"undo"}, False, True)

    @pytest.mark.usefixtures("small_batches")
    async def test_an_unfinished_one(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(5)))
        with pytest.raises(Conflict):
            await importing.conduct(await importing.turn(number), Watch(patience=1))
        found = await page(desk, number)
        assert (may(found), found.is_partial, found.entry_id) == ({"go on", "undo"}, True, None)

    async def test_a_busy_one_and_one_that_died(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(5)))
        await importing.turn(number)
        found = await page(desk, number)
        assert (may(found), found.is_busy, found.has_stopped) == (set(), True, False)
        await desk.set(TicketImport, number, updated_at=clock.now() - timedelta(minutes=2))
        found = await page(desk, number)
        assert (may(found), found.is_busy, found.has_stopped) == ({"start"}, False, True)
        changes = {"total": 2, "updated_at": clock.now() - timedelta(hours=2)}
        await desk.set(TicketImport, number, **changes)
        assert may(await page(desk, number)) == {"go on"}
        await desk.set(TicketImport, number, **{**changes, "mode": ImportMode.ALL_OR_NOTHING})
        assert may(await page(desk, number)) == {"start"}

    async def test_the_first_hundred_rejections(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(120, State="Frozen")))
        await importing.ran(number)
        assert len((await page(desk, number)).rejections) == 100

    async def test_the_same_bytes_before(self, desk: Desk, importing: Importing) -> None:
        first = await importing.mapped(csv_bytes(rows(1)))
        second = await importing.mapped(csv_bytes(rows(1)))
        assert (await page(desk, second)).twin is None
        await importing.ran(first)
        twin = (await page(desk, second)).twin
        assert twin is not None
        assert twin.id == first

    async def test_only_those_who_may_import(self, desk: Desk, importing: Importing) -> None:
        found = await importing.sent(csv_bytes(rows(1)))
        await desk.refusal(PermissionDenied, reports.page, desk.cast.sam, found.id)
        await desk.refusal(PermissionDenied, reports.recent, desk.cast.sam)
        await desk.refusal(NotFound, reports.page, desk.cast.sue, 99)


class TestRecent:
    async def test_newest_first(self, desk: Desk, importing: Importing) -> None:
        first, second = [await importing.sent(csv_bytes(rows(count))) for count in (1, 2)]
        found = await desk.read(reports.recent, desk.cast.sue)
        assert [record.id for record in found] == [second.id, first.id]
        assert found[0].actor.full_name == "Sue Supervisor"
        assert found[0].state is ImportState.UPLOADED


class TestRejectedRows:
    async def downloaded(self, desk: Desk, number: int) -> list[list[str]]:
        chunks = reports.rejected_rows(desk.database.read, desk.cast.sue, number)
        content = b"".join([chunk async for chunk in chunks])
        assert content.startswith("\ufeff".encode())
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))

    async def test_every_one_page_by_page(
        self, desk: Desk, importing: Importing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reports, "PAGE_ROWS", 2)
        number = await importing.mapped(csv_bytes(rows(5, State="Frozen")) + b"too,few\r\n")
        await importing.ran(number)
        lines = await self.downloaded(desk, number)
        assert lines[0] == [*HEADER, "line", "column", "reason"]
        assert [line[-3] for line in lines[1:]] == ["2", "3", "4", "5", "6", "7"]
        assert lines[-1][:2] == ["too", "few"]

    async def test_those_of_a_report_that_was_sent_again(self, desk: Desk, importing: Importing) -> None:
        header = (*HEADER, "line", "column", "reason")
        number = await importing.mapped(csv_bytes([row(State="Frozen", line="9", column="x", reason="y")], header))
        await importing.ran(number)
        lines = await self.downloaded(desk, number)
        assert lines[0] == list(header)
        assert lines[1][-3:-1] == ["2", "State"]

    async def test_when_there_are_none(self, desk: Desk, importing: Importing) -> None:
        found = await importing.sent(csv_bytes(rows(1)))
        with pytest.raises(NotFound):
            await self.downloaded(desk, found.id)
