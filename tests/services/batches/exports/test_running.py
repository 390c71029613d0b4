"""The bytes of a file, how it ends, and what it gives back."""

import asyncio
import hashlib
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from admin_app import clock
from admin_app.errors import Unavailable
from admin_app.models import AuditLog, ExportFormat, ExportState, TicketExport, UserSession
from admin_app.permissions import Role
from admin_app.services.batches.exports import pages, requests, running
from admin_app.services.batches.exports.pages import Listed
from admin_app.services.batches.exports.running import Export, Stopped, Turns
from admin_app.services.operations import accounts
from tests.services.batches.exports.exporting import asked, exported
from tests.services.scenes import Desk


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a page, told of after each."""
    monkeypatch.setattr(pages, "FIRST_PAGE_ROWS", 2)
    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    monkeypatch.setattr(running, "TELL_EVERY_SECONDS", 0.0)


@pytest.fixture
async def six(desk: Desk) -> None:
    """Six tickets."""
    for _ in range(6):
        await desk.ticket()


async def begun(desk: Desk, file_format: ExportFormat = ExportFormat.CSV) -> tuple[TicketExport, Export]:
    """An export that nothing was taken of yet."""
    request = await asked(desk, file_format=file_format)
    return request, Export(desk.database, desk.cast.sue, request.id, Listed())


def held(desk: Desk) -> int:
    return desk.database.engines.every_pool["exports"].checkedout()


async def ending(desk: Desk, request: TicketExport) -> tuple[Any, ...]:
    stored = await desk.stored(TicketExport, request.id)
    last = (await desk.rows(AuditLog))[-1]
    assert last.changes["state"][1] == stored.state.value, "the audit log tells of the end"
    assert last.changes["rows"][1] == stored.row_count
    return stored.state, stored.row_count, stored.sha256


class TestChunks:
    async def test_a_whole_file_has_its_count_and_checksum(self, desk: Desk, six: None) -> None:
        for file_format in ExportFormat:
            request, export = await begun(desk, file_format)
            content = b"".join([chunk async for chunk in export.chunks(file_format)])
            digest = hashlib.sha256(content).hexdigest()
            assert await ending(desk, request) == (ExportState.FINISHED, 6, digest), file_format
            assert held(desk) == 0

    async def test_closing_it_gives_the_connection_back_and_is_told_of(self, desk: Desk, six: None) -> None:
        request, export = await begun(desk)
        async with aclosing(export.chunks(ExportFormat.CSV)) as chunks:
            for _ in range(3):
                await anext(chunks)
            assert held(desk) == 1
        assert held(desk) == 0
        assert await ending(desk, request) == (ExportState.CANCELLED, 2, "")

    async def test_a_task_that_is_cancelled_leaves_nothing_held_either(self, desk: Desk, six: None) -> None:
        request, export = await begun(desk)
        reached = asyncio.Event()

        async def take() -> None:
            async with aclosing(export.chunks(ExportFormat.CSV)) as chunks:
                async for _ in chunks:
                    if export.rows:
                        reached.set()
                        await asyncio.sleep(60)

        task = asyncio.create_task(take())
        await asyncio.wait_for(reached.wait(), 10)
        task.cancel()
        await asyncio.wait({task}, timeout=10)
        assert (task.cancelled(), held(desk)) == (True, 0)
        assert (await ending(desk, request))[0] is ExportState.CANCELLED

    async def test_the_cancel_button_stops_it(self, desk: Desk, six: None) -> None:
        for file_format in (ExportFormat.CSV, ExportFormat.XLSX):
            request, export = await begun(desk, file_format)
            original = export._tell

            async def cancelled(request: TicketExport = request, original: Any = original) -> None:
                await desk.run(requests.cancel, desk.cast.sue, request.id)
                await original()

            export._tell = cancelled  # type: ignore[method-assign]
            with pytest.raises(Stopped, match="was cancelled"):
                async for _ in export.chunks(file_format):
                    pass
            assert (held(desk), await ending(desk, request)) == (0, (ExportState.CANCELLED, 2, ""))

    async def test_the_end_of_the_sign_in_stops_it(self, desk: Desk, six: None) -> None:
        """Somebody who is deactivated, demoted or signed out while a long file goes out gets no more of it."""
        now, sue = clock.now(), desk.cast.sue
        fields = {"last_seen_at": now, "expires_at": now + timedelta(hours=1)}
        here = await desk.store(UserSession(token_hash="x", user_id=sue.id, **fields))
        request = await asked(desk)
        export = Export(desk.database, sue, request.id, Listed(), sign_in_id=here.id)

        async def demote_midway() -> None:
            async for _ in export.chunks(ExportFormat.CSV):
                if export.rows:
                    await desk.run(accounts.change_role, desk.cast.ada, sue.id, role=Role.STAFF)

        with pytest.raises(Stopped):
            await demote_midway()
        assert (held(desk), await ending(desk, request)) == (0, (ExportState.CANCELLED, 4, ""))

    async def test_one_that_takes_too_long_is_stopped(
        self, desk: Desk, six: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(running, "LONGEST_SECONDS", -1)
        with pytest.raises(Stopped, match="took longer"):
            await exported(desk)

    async def test_a_fault_ends_it_as_failed(self, desk: Desk, six: None, monkeypatch: pytest.MonkeyPatch) -> None:
        request, export = await begun(desk)

        async def cut(*args: object) -> None:
            raise ConnectionResetError

        export._tell = cut  # type: ignore[method-assign]
        with pytest.raises(Unavailable):
            async for _ in export.chunks(ExportFormat.CSV):
                pass
        assert (held(desk), await ending(desk, request)) == (0, (ExportState.FAILED, 2, ""))

    async def test_a_database_too_busy_to_be_told_stops_nothing(
        self, desk: Desk, six: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def busy(*args: object, **options: object) -> bool:
            raise Unavailable

        monkeypatch.setattr(requests, "advance", busy)
        assert (await exported(desk)).count(b"\r\n") == 7

    async def test_it_tells_now_and_then(self, desk: Desk, six: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running, "TELL_EVERY_SECONDS", 3600)
        told: list[int] = []
        monkeypatch.setattr(requests, "advance", told.append)
        await exported(desk)
        assert told == []


class TestTurns:
    def test_who_comes_too_many_is_told_when_to_come_back(self) -> None:
        for most, said in ((1, "One export is running already."), (2, "2 exports are running already.")):
            turns = Turns(most)
            for _ in range(2):
                with pytest.raises(Unavailable, match=said) as refused, turns.one():
                    self._take(turns, most)
                assert refused.value.retry_after == 60

    def _take(self, turns: Turns, most: int) -> None:
        if turns._taken > most:
            raise AssertionError
        with turns.one():
            self._take(turns, most)
