"""An error at a statement of one's choice."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from admin_app.db.engine import Engines
from tests.support.statements import HOUSEKEEPING


class Injected(Exception):
    """What a test put in the way; no database raises it."""


@contextmanager
def error_at_statement(engines: Engines, number: int) -> Iterator[None]:
    """Inside the block, the writer's `number`-th statement (from 1) fails before it is sent."""
    seen = 0

    def fail(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        nonlocal seen
        if statement.lstrip().upper().startswith(HOUSEKEEPING):
            return
        seen += 1
        if seen == number:
            raise Injected(statement)

    with _listening(engines, "before_cursor_execute", fail):
        yield


@contextmanager
def error_at_commit(engines: Engines) -> Iterator[None]:
    """Inside the block, the writer's COMMIT fails before it is sent."""

    def fail(connection: Any) -> None:
        raise Injected("COMMIT")

    with _listening(engines, "commit", fail):
        yield


@contextmanager
def _listening(engines: Engines, name: str, listener: Any) -> Iterator[None]:
    event.listen(engines.write.sync_engine, name, listener)
    try:
        yield
    finally:
        event.remove(engines.write.sync_engine, name, listener)
