"""Where worker processes tell each other how they are: a row each on PostgreSQL, a file each beside an SQLite database.

Whoever has not reported for `DEAD_AFTER_SECONDS` is gone: not shown any more, and removed by the next who reports. The
age of a report is told by the one clock that wrote them all: the database's, or that of the machine with the files.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine

from admin_app.db.engine import Engines

DEAD_AFTER_SECONDS = 8.0
"""Four reports missed: by ten seconds every page of every worker has forgotten it."""
CLEANS_EVERY = 5
"""So many reports of one worker pass between two looks for those that are gone."""

_CHANGE = text(
    "UPDATE worker_reports SET figures = :figures, reported_at = clock_timestamp(), updated_at = clock_timestamp()"
    " WHERE worker = :worker"
)
_ADD = text(
    "INSERT INTO worker_reports (worker, figures, reported_at, created_at, updated_at)"
    " VALUES (:worker, :figures, clock_timestamp(), clock_timestamp(), clock_timestamp())"
    " ON CONFLICT (worker) DO NOTHING"
)
_CLEAN = text("DELETE FROM worker_reports WHERE reported_at < clock_timestamp() - make_interval(secs => :seconds)")
_REMOVE = text("DELETE FROM worker_reports WHERE worker = :worker")
_READ = text(
    "SELECT worker, figures, greatest(0, extract(epoch FROM clock_timestamp() - reported_at))::float8"
    " FROM worker_reports WHERE reported_at >= clock_timestamp() - make_interval(secs => :seconds) ORDER BY worker"
).bindparams(bindparam("seconds", DEAD_AFTER_SECONDS))


@dataclass(frozen=True)
class Report:
    """What one worker said of itself, so many seconds ago."""

    worker: str
    figures: Mapping[str, Any]
    age: float


class WorkerReports(Protocol):
    """The place where they are."""

    async def exchange(self, worker: str, figures: Mapping[str, Any]) -> list[Report]:
        """Leave one's own report and read everybody's; raises what the database or the disk says when it cannot."""
        ...

    async def remove(self, worker: str) -> None:
        """Take a report back: this worker goes."""
        ...


def worker_reports_of(engines: Engines) -> WorkerReports:
    """The place that belongs to a database."""
    if engines.dialect == "postgresql":
        return ReportTable(engines.watching)
    return ReportFolder(Path(f"{engines.write.url.database}.workers"))


class ReportTable:
    """A table that is not logged: a crash of the server empties it, and everybody reports again two seconds later."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._count = 0

    async def exchange(self, worker: str, figures: Mapping[str, Any]) -> list[Report]:
        """One row of our own, and everybody's."""
        mine = {"worker": worker, "figures": json.dumps(figures)}
        async with self._engine.begin() as connection:
            if (await connection.execute(_CHANGE, mine)).rowcount == 0:
                await connection.execute(_ADD, mine)
            if self._count % CLEANS_EVERY == 0:
                await connection.execute(_CLEAN, {"seconds": DEAD_AFTER_SECONDS})
            self._count += 1
            rows = (await connection.execute(_READ)).all()
        return [Report(name, json.loads(told), age) for name, told, age in rows]

    async def remove(self, worker: str) -> None:
        """The row of this worker goes."""
        async with self._engine.begin() as connection:
            await connection.execute(_REMOVE, {"worker": worker})


class ReportFolder:
    """Small files, each put in place by a rename, so that nobody reads half a report. The database is left in peace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def exchange(self, worker: str, figures: Mapping[str, Any]) -> list[Report]:
        """One file of our own, and everybody's."""
        return await asyncio.to_thread(self._exchange, worker, json.dumps(figures))

    async def remove(self, worker: str) -> None:
        """The file of this worker goes, and the folder with the last."""
        await asyncio.to_thread(self._remove, worker)

    def _exchange(self, worker: str, figures: str) -> list[Report]:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        draft = self.folder / f"{worker}.draft"
        draft.touch(mode=0o600)
        draft.write_text(figures)
        draft.replace(self._file(worker))
        found = [self._read(file) for file in sorted(self.folder.iterdir())]
        return [report for report in found if report is not None]

    def _read(self, file: Path) -> Report | None:
        """None for one that is gone by now; one that is too old, whole or not, is removed."""
        try:
            age = max(0.0, time.time() - file.stat().st_mtime)
            if age > DEAD_AFTER_SECONDS:
                file.unlink()
                return None
            return Report(file.stem, json.loads(file.read_text()), age) if file.suffix == ".json" else None
        except FileNotFoundError:  # its worker has put another in place, or gone
            return None

    def _remove(self, worker: str) -> None:
        self._file(worker).unlink(missing_ok=True)
        try:
            self.folder.rmdir()
        except OSError:
            """Others are still there."""

    def _file(self, worker: str) -> Path:
        return self.folder / f"{worker}.json"
