"""R-13: SQLite under many writers while another process holds the lock for seconds; nobody sees "locked"."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from admin_app.db import failures
from admin_app.db.database import Database
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.errors import AppError
from admin_app.models import Comment
from admin_app.services.operations import comments
from tests.faults.posting import Poster, several
from tests.flows.serving import Server, serving
from tests.services.scenes import Desk
from tests.support.cast import store_cast

WRITERS = 20
COMMENTS = 10
HELD_SECONDS = 3.0

HOLD = """
import sqlite3, sys, time
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
held.execute("COMMIT")
"""


@asynccontextmanager
async def lock_held(database: Database) -> AsyncIterator[None]:
    """Another process has the write lock when the block begins, and gives it back after `HELD_SECONDS`."""
    file = str(Path(database.engines.write.url.database or ""))
    command = [sys.executable, "-c", HOLD, file, str(HELD_SECONDS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    process.stdout.close()
    try:
        yield
    finally:
        await asyncio.to_thread(process.wait)


@asynccontextmanager
async def desk_on(url: str, options: PoolOptions | None = None) -> AsyncIterator[Desk]:
    """The cast on a database that is closed afterwards."""
    database = Database(create_engines(url, options))
    try:
        yield Desk(database, await store_cast(database))
    finally:
        await database.dispose()


async def write_under_lock(url: str, options: PoolOptions) -> tuple[int, list[str], int]:
    """acked, the sentences of the refused, and how many comments are stored."""
    refused: list[str] = []

    async def writer(desk: Desk, ticket_id: int, number: int) -> int:
        acked = 0
        for round_ in range(COMMENTS):
            try:
                await desk.run(comments.add, desk.cast.sam, ticket_id, body=f"{number}/{round_}", is_internal=True)
                acked += 1
            except AppError as error:
                refused.append(str(error))
        return acked

    async with desk_on(url, options) as desk:
        ticket = await desk.ticket()
        async with lock_held(desk.database):
            ends = await asyncio.gather(
                *(writer(desk, ticket.id, number) for number in range(WRITERS)), return_exceptions=True
            )
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return sum(ends), refused, len(await desk.rows(Comment))


async def post_under_lock(url: str, server: Server) -> tuple[Counter[int], int]:
    """The statuses of all answers, and how many comments are stored."""
    answers: Counter[int] = Counter()

    async def writer(poster: Poster, ticket_id: int, number: int) -> None:
        for round_ in range(COMMENTS):
            answers[await poster.comment(ticket_id, f"{number}/{round_}")] += 1

    async with desk_on(url) as desk, several(desk.database, server, desk.cast.sam.id, WRITERS) as posters:
        ticket = await desk.ticket()
        assert {(await poster.look("/admin/notification/list")).status_code for poster in posters} == {200}
        async with lock_held(desk.database):
            await asyncio.gather(*(writer(poster, ticket.id, number) for number, poster in enumerate(posters)))
        return answers, len(await desk.rows(Comment))


class TestManyWriters:
    async def test_all_are_stored_although_another_process_holds_the_lock(
        self, sqlite_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        acked, refused, stored = await write_under_lock(sqlite_url, PoolOptions())
        with capsys.disabled():
            print(f"\nR-13 services: acked {acked}, refused {len(refused)}, unknown 0, stored {stored}")
        assert (acked, refused, stored) == (WRITERS * COMMENTS, [], WRITERS * COMMENTS)

    async def test_the_same_on_a_server(
        self, sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with serving(sqlite_url, tmp_path) as server:
            answers, stored = await post_under_lock(sqlite_url, server)
        with capsys.disabled():
            unknown = answers.total() - answers[303] - answers[503]
            print(f"\nR-13 server: acked {answers[303]}, refused {answers[503]}, unknown {unknown}, stored {stored}")
        assert (answers, stored) == ({303: WRITERS * COMMENTS}, WRITERS * COMMENTS)

    async def test_who_is_refused_after_all_hears_that_the_desk_is_busy(self, sqlite_url: str) -> None:
        """A negative control: a queue in front of the writer that is too short refuses, in words and without a lie."""
        acked, refused, stored = await write_under_lock(sqlite_url, PoolOptions(writer_timeout=0.2, lock_timeout=0.1))
        assert refused
        assert not any("locked" in sentence for sentence in refused)
        assert stored == acked

    async def test_a_build_that_does_not_know_a_lock_shows_it(
        self, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A negative control: without its own name for a busy database the driver's words come out."""
        monkeypatch.setattr(failures, "_sqlite_is_busy", lambda error: False)
        with pytest.raises(OperationalError, match="locked"):
            await write_under_lock(sqlite_url, PoolOptions(lock_timeout=0.1))
