"""R-15: an import with one bad row in a hundred, in twelve ways, whose server is killed midway, and then again.

`IMPORT_ROWS` says how many rows; `make import-100000` takes a hundred thousand and prints what it measured.
"""

import asyncio
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from admin_app import clock
from admin_app.models import ImportState, Ticket, TicketImport
from tests.faults import builds
from tests.faults.importing import BAD_ROWS, sue_at, write_file
from tests.flows.serving import THE_DESK, Server, serving
from tests.services.scenes import Desk

ROWS = int(os.environ.get("IMPORT_ROWS", "3000"))


async def count(desk: Desk) -> int:
    """Tickets that are stored."""
    return await desk.database.read(lambda session: session.scalar(select(func.count(Ticket.id)))) or 0


async def keys(desk: Desk) -> int:
    """Different external keys among them."""
    statement = select(func.count(func.distinct(Ticket.external_key)))
    return await desk.database.read(lambda session: session.scalar(statement)) or 0


async def look_dead(desk: Desk, number: str) -> None:
    """A minute passes."""
    await desk.set(TicketImport, int(number), updated_at=clock.now() - timedelta(minutes=2))


def peak_memory(server: Server) -> float:
    """The most that the process ever held, in megabytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


async def killed_midway(
    desk: Desk, database_url: str, folder: Path, file: Path, build: str = THE_DESK
) -> tuple[str, int]:
    """Send the file, begin, and kill the server once a third is in; the number of the import, and what is in."""
    with serving(database_url, folder, build=build) as server:
        sue = await sue_at(desk, server)
        number = await sue.send(file)
        with suppress(httpx.TransportError):
            async for line in sue.run(number):
                if line.get("done", 0) >= ROWS // 3:
                    server.process.kill()
        await sue.client.aclose()
    return number, await count(desk)


def counts_agree(record: TicketImport, stored: int) -> bool:
    """Whether the import says of itself what is in."""
    return (record.imported, record.imported + record.rejected) == (stored, record.total)


class TestKilledMidway:
    async def test_imported_and_rejected_are_all_and_again_adds_nothing(
        self, desk: Desk, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = tmp_path / "tickets.csv"
        bad = write_file(file, ROWS)
        number, before = await killed_midway(desk, database_url, tmp_path, file)
        record = await desk.stored(TicketImport, int(number))
        assert record.state is ImportState.RUNNING
        assert 0 < before < ROWS - bad
        assert counts_agree(record, before)
        with serving(database_url, tmp_path) as server:
            sue = await sue_at(desk, server)
            refused = await sue.post(f"/admin/import/run/{number}", {"mode": "good_rows"})
            assert refused.status_code == 409, "within a minute nobody can tell that it is dead"
            await look_dead(desk, number)
            seconds = await sue.run_to_the_end(number)
            done = await desk.stored(TicketImport, int(number))
            again = await sue.send(file)
            await sue.run_to_the_end(again)
            second = await desk.stored(TicketImport, int(again))
            rejected = await sue.client.get(f"/admin/import/rejected/{number}")
            await sue.client.aclose()
        assert (done.state, done.total, done.imported, done.rejected) == (
            *(ImportState.FINISHED, ROWS),
            *(ROWS - bad, bad),
        )
        assert (second.imported, second.known, second.rejected) == (0, ROWS - bad, bad)
        assert await count(desk) == await keys(desk) == ROWS - bad
        assert len({reason_of(line) for line in rejected.text.splitlines()[1:]}) >= min(bad, len(BAD_ROWS)) - 1
        rate = (done.total - record.total) / seconds
        with capsys.disabled():
            print(
                f"\nR-15 {desk.database.engines.dialect}: {ROWS:,} rows, killed after {record.total:,} acked; imported "
                f"{done.imported:,} + rejected {done.rejected:,} = {done.total:,}; again: {second.imported} added, "
                f"{second.known:,} known; {rate:,.0f} rows/s"
            )

    async def test_rows_that_are_in_but_not_counted_are_found_out(
        self, desk: Desk, database_url: str, tmp_path: Path
    ) -> None:
        """The negative control."""
        file = tmp_path / "tickets.csv"
        write_file(file, ROWS)
        build = f"{builds.HERE}:importing_without_counting"
        number, stored = await killed_midway(desk, database_url, tmp_path, file, build)
        assert stored > 0
        assert not counts_agree(await desk.stored(TicketImport, int(number)), stored)


class TestClientLeaves:
    async def test_what_was_committed_stays_and_the_run_is_called_unfinished(
        self, desk: Desk, database_url: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "tickets.csv"
        bad = write_file(file, ROWS)
        with serving(database_url, tmp_path) as server:
            sue = await sue_at(desk, server)
            number = await sue.send(file)
            async for line in sue.run(number):
                if line.get("done", 0):
                    break
            record = await stopped(desk, number)
            assert record.failure == "The page was closed or stopped before the end."
            assert 0 < record.imported == await count(desk) < ROWS - bad
            await sue.run_to_the_end(number)
            await sue.client.aclose()
        assert await count(desk) == ROWS - bad


class TestMemory:
    async def test_it_does_not_grow_with_the_file(
        self, desk: Desk, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        peaks, rates = [], []
        for rows in (ROWS, ROWS * 4):
            file = tmp_path / f"{rows}.csv"
            write_file(file, rows)
            folder = tmp_path / str(rows)
            folder.mkdir()
            with serving(database_url, folder) as server:
                sue = await sue_at(desk, server)
                number = await sue.send(file, key_prefix=f"{rows}:")
                rates.append(rows / await sue.run_to_the_end(number))
                peaks.append(peak_memory(server))
                await sue.client.aclose()
        with capsys.disabled():
            print(
                f"\nmemory {desk.database.engines.dialect}: peak {peaks[0]:.0f} MB with {ROWS:,} rows, "
                f"{peaks[1]:.0f} MB with {ROWS * 4:,}; {rates[0]:,.0f} and {rates[1]:,.0f} rows/s"
            )
        assert peaks[1] - peaks[0] < 25


async def stopped(desk: Desk, number: str) -> TicketImport:
    """The import, once the server has noticed that nobody listens."""
    for _ in range(200):
        record = await desk.stored(TicketImport, int(number))
        if record.state is ImportState.UNFINISHED:
            return record
        await asyncio.sleep(0.05)
    raise AssertionError(f"the run was not stopped: {record.state}")


def reason_of(line: str) -> str:
    """The reason without what is special about the row."""
    return "".join(character for character in line.rsplit(",", 1)[-1] if not character.isdigit())
