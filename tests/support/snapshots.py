"""A scene is made through the services once, kept as rows and files, and put back for the tests that follow."""

import pickle
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import make_url

from tests.support.postgresql import EmptiedDatabase

GROWS_STALE_AFTER = 300.0
"""Seconds: sign-ins and previews of a scene run out, so it is made anew from time to time."""


class Rows(Protocol):
    """Reads and replaces all rows of one database."""

    def take(self) -> Any:
        """Every row."""

    def put_back(self, rows: Any) -> None:
        """These rows and no others."""


class SqliteRows:
    """A whole file at a time; whoever has it open sees the new rows."""

    def __init__(self, url: str, copies: Path) -> None:
        self._file = Path(make_url(url).database or "")
        self._copies = copies

    def take(self) -> Path:
        """A copy of the file, with what is still in its log."""
        copy = Path(tempfile.mkdtemp(dir=self._copies)) / "rows.sqlite3"
        _overwrite(copy, self._file)
        return copy

    def put_back(self, rows: Path) -> None:
        """Write every page."""
        _overwrite(self._file, rows)


@dataclass(frozen=True)
class Snapshot:
    """One scene, as it was when it was made."""

    rows: Any
    files: Path
    made: bytes
    taken_at: float

    @property
    def is_fresh(self) -> bool:
        """Whether nothing of it has run out."""
        return time.monotonic() - self.taken_at < GROWS_STALE_AFTER


class Snapshots:
    """The scenes of one test process, by name and kind of database."""

    def __init__(self, folder: Path, emptied_postgresql: Callable[[], EmptiedDatabase]) -> None:
        self._folder = folder
        self._emptied_postgresql = emptied_postgresql
        self._kept: dict[tuple[str, str], Snapshot] = {}

    async def scene(self, name: str, url: str, store: Path, make: Callable[[], Awaitable[Any]]) -> Any:
        """What `make` makes, now or for a test before; `store` is the folder of files, that of imports lies beside."""
        folders = [store, store.with_name("imports")]
        rows = self._rows(url)
        key = name, make_url(url).get_backend_name()
        kept = self._kept.get(key)
        if kept is None or not kept.is_fresh:
            made = await make()
            copy = Path(tempfile.mkdtemp(dir=self._folder))
            _copy([folder for folder in folders if folder.exists()], copy)
            self._kept[key] = Snapshot(rows.take(), copy, pickle.dumps(made), time.monotonic())
            return made
        rows.put_back(kept.rows)
        _copy(kept.files.iterdir(), store.parent)
        return pickle.loads(kept.made)

    def _rows(self, url: str) -> Rows:
        if make_url(url).get_backend_name() == "sqlite":
            return SqliteRows(url, self._folder)
        emptied = self._emptied_postgresql()
        assert make_url(url).database == emptied.name
        return emptied


def _copy(folders: Iterable[Path], target: Path) -> None:
    for folder in folders:
        shutil.copytree(folder, target / folder.name, dirs_exist_ok=True)


def _overwrite(target: Path, source: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)
