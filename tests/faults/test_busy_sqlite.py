"""R-13: SQLite under many writers while another process holds the lock for seconds; nobody sees "locked"."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from admin_app.db.database import Database
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.errors import AppError
from admin_app.models import Comment
from admin_app.services.operations import comments
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


def hold_lock(file: str, seconds: float) -> subprocess.Popen[str]:
    """Another process that has the write lock when this returns."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, file, str(seconds)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    process.stdout.close()
    return process


async def write_under_lock(url: str, options: PoolOptions) -> tuple[int, list[str], int]:
    """acked, the sentences of the refused, and how many comments are stored."""
    database = Database(create_engines(url, options))
    desk = Desk(database, await store_cast(database))
    ticket = await desk.ticket()
    holder = hold_lock(str(Path(database.engines.write.url.database or "")), HELD_SECONDS)
    refused: list[str] = []

    async def writer(number: int) -> int:
        acked = 0
        for round_ in range(COMMENTS):
            try:
                await desk.run(comments.add, desk.cast.sam, ticket.id, body=f"{number}/{round_}", is_internal=True)
                acked += 1
            except AppError as error:
                refused.append(str(error))
        return acked

    acked = sum(await asyncio.gather(*map(writer, range(WRITERS))))
    stored = len(await desk.rows(Comment))
    await asyncio.to_thread(holder.wait)
    await database.dispose()
    return acked, refused, stored


class TestManyWriters:
    async def test_all_are_stored_although_another_process_holds_the_lock(
        self, sqlite_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        acked, refused, stored = await write_under_lock(sqlite_url, PoolOptions())
        with capsys.disabled():
            print(f"\nR-13: acked {acked}, refused {len(refused)}, stored {stored}")
        assert (acked, refused, stored) == (WRITERS * COMMENTS, [], WRITERS * COMMENTS)

    async def test_who_is_refused_after_all_hears_that_the_desk_is_busy(self, sqlite_url: str) -> None:
        """Negative control: a queue in front of the writer that is too short refuses, in words and without a lie."""
        acked, refused, stored = await write_under_lock(sqlite_url, PoolOptions(writer_timeout=0.2, lock_timeout=0.1))
        assert refused
        assert not any("locked" in sentence for sentence in refused)
        assert stored == acked
