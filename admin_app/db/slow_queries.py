"""Statements that took long, grouped by what they have in common; never a value that anybody searched for.

The time runs from sending a statement until its answer is there, as the desk waited for it: on a busy process that
includes waiting for a turn of the event loop.
"""

import re
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import event

from admin_app import clock
from admin_app.db.engine import Engines
from admin_app.db.holders import current_holder
from admin_app.db.statements import fingerprint_of, normalised

MOST_STATEMENTS = 200
REMEMBERED_DURATIONS = 100
REMEMBERED_ROUTES = 5
LONGEST_SHOWN = 2_000
LONGEST_ROUTE = 120
STARTED = "desk_statement_started"

_IDS_IN_ROUTES = re.compile(r"/(?:T-)?\d+(?=/|$)", re.IGNORECASE)


@dataclass
class SlowStatement:
    """One kind of statement; `durations` are the last hundred, in seconds."""

    statement: str
    count: int = 0
    longest: float = 0.0
    last_seen_at: datetime = field(default_factory=lambda: clock.now())
    durations: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED_DURATIONS))
    routes: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED_ROUTES))
    """The newest last; each once."""


class SlowQueries:
    """The slow statements of this process since it started: at most `MOST_STATEMENTS` kinds, the quietest go first."""

    def __init__(self, threshold_seconds: float) -> None:
        self.threshold_seconds = threshold_seconds
        self.seen = 0
        self.forgotten = 0
        """Kinds that had to make room."""
        self._kinds: OrderedDict[str, SlowStatement] = OrderedDict()

    def watch(self, engines: Engines) -> None:
        """Listen to every engine; where readers and writers share a pool, they share their events too."""
        shared = engines.read.pool is engines.write.pool
        replica = engines.replica.both if engines.replica else ()
        others = (*replica, *(() if shared else (engines.read,)))
        for engine in (engines.write, engines.aside, engines.snapshots, *others):
            event.listen(engine.sync_engine, "before_cursor_execute", self._started)
            event.listen(engine.sync_engine, "after_cursor_execute", self._ended)
            event.listen(engine.sync_engine, "handle_error", self._failed)

    def kinds(self) -> list[tuple[str, SlowStatement]]:
        """(fingerprint, statement), the one seen last first."""
        return list(reversed(self._kinds.items()))

    def note(self, statement: str, seconds: float, route: str) -> None:
        """Remember one execution that took `seconds`, when that is long."""
        if seconds < self.threshold_seconds:
            return
        self.seen += 1
        text = normalised(statement)
        fingerprint = fingerprint_of(text)
        kind = self._kinds.setdefault(fingerprint, SlowStatement(text[:LONGEST_SHOWN]))
        self._kinds.move_to_end(fingerprint)
        kind.count += 1
        kind.longest = max(kind.longest, seconds)
        kind.last_seen_at = clock.now()
        kind.durations.append(seconds)
        place = _IDS_IN_ROUTES.sub("/{id}", route)[:LONGEST_ROUTE]
        if place in kind.routes:
            kind.routes.remove(place)
        kind.routes.append(place)
        if len(self._kinds) > MOST_STATEMENTS:
            self._kinds.popitem(last=False)
            self.forgotten += 1

    def _started(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        setattr(context, STARTED, time.perf_counter())

    def _ended(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        self._note_end(statement, context)

    def _failed(self, failure: Any) -> None:
        """A statement that the database gave up on is the slowest of all."""
        if failure.statement is not None:
            self._note_end(failure.statement, failure.execution_context)

    def _note_end(self, statement: str, context: Any) -> None:
        started = getattr(context, STARTED, None)
        if started is not None:
            delattr(context, STARTED)
            seconds, holder = time.perf_counter() - started, current_holder.get()
            holder.statements += not statement.startswith("BEGIN")  # on PostgreSQL nobody sees it
            holder.statement_seconds += seconds
            self.note(statement, seconds, holder.route)
