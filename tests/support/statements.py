"""Counting the SQL statements that a piece of code sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from admin_app.db.engine import Engines

HOUSEKEEPING = ("PRAGMA", "BEGIN")


class StatementCount:
    """The statements seen so far."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    @property
    def total(self) -> int:
        """How many there were."""
        return len(self.statements)

    def note(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        """Listen to `before_cursor_execute`."""
        if not statement.lstrip().upper().startswith(HOUSEKEEPING):
            self.statements.append(statement)


@contextmanager
def count_statements(engines: Engines) -> Iterator[StatementCount]:
    """Count on all engines of a database; where readers and writers share one pool, they share its events too."""
    separate = engines.read.pool is not engines.write.pool
    watched = [engines.write, engines.aside, *([engines.read] if separate else [])]
    count = StatementCount()
    for engine in watched:
        event.listen(engine.sync_engine, "before_cursor_execute", count.note)
    try:
        yield count
    finally:
        for engine in watched:
            event.remove(engine.sync_engine, "before_cursor_execute", count.note)
