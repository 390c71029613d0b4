"""Fixtures of the tests of imports."""

import pytest

from admin_app.services.batches.csv_import import running
from admin_app.services.records.file_store import FileStore
from tests.services.batches.imports.importing import Importing
from tests.services.scenes import Desk


@pytest.fixture
def importing(desk: Desk, store: FileStore) -> Importing:
    """Sue with a folder for files."""
    return Importing(desk, store)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows per unit of work, so that one file is several."""
    monkeypatch.setattr(running, "BATCH_ROWS", 2)
