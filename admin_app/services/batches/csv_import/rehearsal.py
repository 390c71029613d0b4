"""What a dry run has pretended so far, so that its report equals the run's.

Each batch of a dry run is rolled back, so the database cannot say which keys and customers earlier batches would
have brought. A scratch file can, and keeps memory constant whatever the size of the import.
"""

import sqlite3
import tempfile
from collections.abc import Iterable
from types import TracebackType

KEY, CUSTOMER = "key", "customer"


class Rehearsal:
    """A set of words on disk, gone when it is closed."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="desk-dry-run-")
        self._scratch = sqlite3.connect(f"{self._folder.name}/seen.sqlite3", isolation_level=None)
        self._scratch.execute("PRAGMA journal_mode = OFF")
        self._scratch.execute("PRAGMA synchronous = OFF")
        self._scratch.execute("CREATE TABLE seen (kind, word, PRIMARY KEY (kind, word)) WITHOUT ROWID")

    def __enter__(self) -> "Rehearsal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.close()
        self._folder.cleanup()

    def seen(self, kind: str, words: Iterable[str]) -> set[str]:
        """Those of the words that were added before."""
        question = "SELECT 1 FROM seen WHERE kind = ? AND word = ?"
        return {word for word in words if self._scratch.execute(question, (kind, word)).fetchone()}

    def add(self, kind: str, words: Iterable[str]) -> int:
        """Remember the words; says how many are new."""
        before = self._scratch.total_changes
        self._scratch.execute("BEGIN")
        self._scratch.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", [(kind, word) for word in words])
        self._scratch.execute("COMMIT")
        return self._scratch.total_changes - before
