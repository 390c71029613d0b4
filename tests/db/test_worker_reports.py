"""Where worker processes tell each other how they are."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from admin_app.db import worker_reports
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.db.worker_reports import DEAD_AFTER_SECONDS, ReportFolder, worker_reports_of


async def age(database: Database, worker: str, seconds: float) -> None:
    """Let a report be that old."""
    if database.engines.dialect == "postgresql":
        statement = text("UPDATE worker_reports SET reported_at = now() - make_interval(secs => :s) WHERE worker = :w")
        await database.run(lambda session: session.execute(statement, {"s": seconds, "w": worker}))
        return
    file = Path(f"{database.engines.write.url.database}.workers") / f"{worker}.json"
    os.utime(file, (time.time() - seconds,) * 2)


async def kept(database: Database) -> int:
    """How many reports are still there, shown or not."""
    if database.engines.dialect == "postgresql":
        count = text("SELECT count(*) FROM worker_reports")
        return await database.read(lambda session: session.scalar(count))
    return len(list(Path(f"{database.engines.write.url.database}.workers").glob("*.json")))


class TestExchange:
    async def test_everybody_hears_of_everybody_the_newest_only_and_the_dead_are_gone(self, database: Database) -> None:
        first, second = worker_reports_of(database.engines), worker_reports_of(database.engines)
        await first.exchange("a", {"n": 1})
        await first.exchange("a", {"n": 2})
        heard = await second.exchange("b", {"n": 3})
        assert [(report.worker, report.figures) for report in heard] == [("a", {"n": 2}), ("b", {"n": 3})]
        assert all(0 <= report.age < 5 for report in heard)
        await age(database, "a", DEAD_AFTER_SECONDS - 3)
        assert [report.worker for report in await second.exchange("b", {})] == ["a", "b"]
        await age(database, "a", DEAD_AFTER_SECONDS + 1)
        assert [report.worker for report in await second.exchange("b", {})] == ["b"]
        for _ in range(worker_reports.CLEANS_EVERY):
            await second.exchange("b", {})
        assert await kept(database) == 1

    async def test_many_at_once_and_whoever_goes_takes_the_report_along(self, database: Database) -> None:
        crowd = [worker_reports_of(database.engines) for _ in range(8)]
        await asyncio.gather(*(each.exchange(f"w{number}", {"n": 1}) for number, each in enumerate(crowd)))
        assert len(await crowd[0].exchange("w0", {"n": 1})) == 8
        for number, each in enumerate(crowd):
            await each.remove(f"w{number}")
        assert await kept(database) == 0
        await crowd[0].remove("w0")


class TestTable:
    async def test_it_is_not_logged(self, postgresql_url) -> None:
        """Eight workers would else write to the log, and to every replica, four times a second."""
        made = create_engines(postgresql_url)
        async with made.read.connect() as connection:
            kind = text("SELECT relpersistence::text FROM pg_class WHERE relname = 'worker_reports'")
            assert await connection.scalar(kind) == "u"
        await made.dispose()


class TestFolder:
    async def test_others_cannot_read_it_and_a_half_written_report_is_nobodys(self, tmp_path: Path) -> None:
        folder = ReportFolder(tmp_path / "desk.workers")
        await folder.exchange("a", {})
        assert oct(folder.folder.stat().st_mode)[-3:] == "700"
        assert oct((folder.folder / "a.json").stat().st_mode)[-3:] == "600"
        draft = folder.folder / "b.draft"
        draft.write_text('{"n"')
        assert [report.worker for report in await folder.exchange("a", {})] == ["a"]
        os.utime(draft, (time.time() - 60,) * 2)
        await folder.exchange("a", {})
        assert not draft.exists()
        await folder.remove("a")
        assert not folder.folder.exists()

    def test_a_report_that_goes_while_it_is_read_is_not_there(self, tmp_path: Path) -> None:
        assert ReportFolder(tmp_path)._read(tmp_path / "gone.json") is None

    async def test_a_folder_that_cannot_be_made_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="nowhere"):
            await ReportFolder(tmp_path / "nowhere" / "workers").exchange("a", {})
