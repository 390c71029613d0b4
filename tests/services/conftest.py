"""Fixtures of the service tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from admin_app import clock
from admin_app.db.database import Database
from admin_app.services.records.file_store import FileStore
from tests.services.every_service import Scene, store_scene
from tests.services.scenes import Desk
from tests.support.cast import Cast
from tests.support.snapshots import Snapshots


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **duration: float) -> datetime:
        """Move on by hours, minutes or seconds."""
        self.time += timedelta(**duration)
        return self.time


@pytest.fixture
def desk(database: Database, cast: Cast) -> Desk:
    """The cast at work on an otherwise empty database."""
    return Desk(database, cast)


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """15 January 2030, noon, until the test says otherwise."""
    stopped = SetClock()
    monkeypatch.setattr(clock, "now", stopped)
    return stopped


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """An empty file store that takes up to one megabyte a file."""
    return FileStore(folder=tmp_path / "files", limit=1024 * 1024)


@pytest.fixture
async def scene(desk: Desk, store: FileStore, database_url: str, snapshots: Snapshots) -> Scene:
    """One of everything."""

    async def make() -> Scene:
        return replace(await store_scene(desk, store), desk=None, store=None)

    made = await snapshots.scene("services", database_url, store.folder, make)
    return replace(made, desk=desk, store=store)
