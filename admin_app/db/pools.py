"""A connection pool that can say how it feels."""

import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from admin_app.db.holders import Holder, current_holder
from admin_app.db.holdings import Held, Holding, places_in_own_code

logger = logging.getLogger("admin_app.pool")

REMEMBERED_WAITS = 1000
RECENT_SECONDS = 300.0
"""What happened longer ago is no trouble of today."""

TRUSTED_SECONDS = 5.0
"""A connection that came back no longer ago is not asked whether it still works: asking takes three round trips."""

RETURNED = "desk_returned"


@dataclass(frozen=True)
class LongestHolding:
    """The longest that anybody has kept a connection since the process started."""

    route: str
    actor: str
    seconds: float


class PoolWatch:
    """Counts and waits of one pool since the process started."""

    def __init__(self) -> None:
        self.waiting = 0
        self.timeouts = 0
        self.connects = 0
        self.busy = 0
        """How often SQLite said that somebody else was writing for longer than anybody waits."""
        self.invalidated = 0
        self.cancelled = 0
        """Of those: thrown away because whoever asked has gone or was stopped."""
        self.waits: deque[float] = deque(maxlen=REMEMBERED_WAITS)
        self._longest: tuple[Holder, float] | None = None
        self._waiting_since = float("inf")
        self._gave_up: deque[float] = deque(maxlen=REMEMBERED_WAITS)
        self._held: dict[int, Held] = {}

    @property
    def longest(self) -> LongestHolding | None:
        """Who held one for longest; a request finds out who asks after it took its first connection."""
        if self._longest is None:
            return None
        holder, seconds = self._longest
        return LongestHolding(holder.route, holder.actor, seconds)

    @property
    def recent_timeouts(self) -> int:
        """How many gave up within the last minutes, as far as they are remembered."""
        since = time.monotonic() - RECENT_SECONDS
        return sum(moment > since for moment in self._gave_up)

    @property
    def waiting_for(self) -> float:
        """For how many seconds somebody or other has been waiting, without a moment in which nobody did."""
        return max(0.0, time.monotonic() - self._waiting_since)

    def comes(self) -> float:
        """Note that somebody asks for a connection; the moment, for `goes`."""
        now = time.monotonic()
        self._waiting_since = min(self._waiting_since, now)
        self.waiting += 1
        return now

    def goes(self, since: float) -> float:
        """Note that they wait no longer; how many seconds it was."""
        waited = time.monotonic() - since
        self.waiting -= 1
        self.waits.append(waited)
        if self.waiting == 0:
            self._waiting_since = float("inf")
        return waited

    def gave_up(self) -> None:
        """Note that somebody waited in vain."""
        self.timeouts += 1
        self._gave_up.append(time.monotonic())

    def taken(self, record: ConnectionPoolEntry) -> None:
        """Note who took a connection, and where."""
        self._held[id(record)] = Held(current_holder.get(), places_in_own_code())

    def asked(self, record: ConnectionPoolEntry, statement: str) -> None:
        """Note what is asked over it."""
        held = self._held.get(id(record))
        if held is not None:
            held.statement = statement

    def returned(self, record: ConnectionPoolEntry) -> None:
        """Forget the holder; remember the longest."""
        held = self._held.pop(id(record), None)
        if held is None:
            return
        if self._longest is None or held.seconds > self._longest[1]:
            self._longest = held.holder, held.seconds

    def given_up(self, record: ConnectionPoolEntry, error: BaseException | None) -> None:
        """Count a connection that is thrown away."""
        self.invalidated += 1
        if error is not None and not isinstance(error, Exception):
            self.cancelled += 1
        self.returned(record)

    def holdings(self) -> list[Holding]:
        """Connections in use now, the longest held first."""
        return sorted((held.told() for held in self._held.values()), key=lambda one: one.seconds, reverse=True)


class WatchedPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's queue pool, with a watch on it."""

    def __init__(self, *args: Any, watch: PoolWatch | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.watch = watch or PoolWatch()
        if options.get("_dispatch") is None:  # a recreated pool inherits the listeners of the old one
            self._listen()

    @property
    def limit(self) -> int:
        """The most connections that this pool will ever hold."""
        return self.size() + self._max_overflow

    def recreate(self) -> "WatchedPool":
        """A fresh pool after dispose keeps the figures of the old one."""
        fresh: WatchedPool = super().recreate()  # type: ignore[assignment]
        fresh.watch = self.watch
        return fresh

    def _do_get(self) -> ConnectionPoolEntry:
        started = self.watch.comes()
        try:
            record = super()._do_get()
            record.fresh = record.fresh or is_trusted(record)  # type: ignore[attr-defined]
            return record
        except PoolTimeout:
            self.watch.gave_up()
            log_event("pool.timeout", limit=self.limit, waited=round(time.monotonic() - started, 3))
            raise
        finally:
            current_holder.get().waited_seconds += self.watch.goes(started)

    def _listen(self) -> None:
        @event.listens_for(self, "checkout")
        def checkout(connection: Any, record: ConnectionPoolEntry, fairy: Any) -> None:
            self.watch.taken(record)

        @event.listens_for(self, "checkin")
        def checkin(connection: Any, record: ConnectionPoolEntry) -> None:
            record.info[RETURNED] = time.monotonic()
            self.watch.returned(record)

        @event.listens_for(self, "invalidate")
        def invalidate(connection: Any, record: ConnectionPoolEntry, error: BaseException | None) -> None:
            self.watch.given_up(record, error)
            log_event("pool.invalidate", error=type(error).__name__ if error else None)

        @event.listens_for(self, "connect")
        def connect(connection: Any, record: ConnectionPoolEntry) -> None:
            self.watch.connects += 1
            log_event("pool.connect")

        @event.listens_for(self, "close")
        def close(connection: Any, record: ConnectionPoolEntry) -> None:
            log_event("pool.close")


def is_trusted(record: ConnectionPoolEntry) -> bool:
    """Whether a connection was in use just now and nothing was heard of its end; all others are pinged first."""
    is_closed = getattr(record.driver_connection, "is_closed", None)  # asyncpg knows of a cut line; a file has none
    since = time.monotonic() - record.info.get(RETURNED, -TRUSTED_SECONDS)
    return since < TRUSTED_SECONDS and not (is_closed is not None and is_closed())


def log_event(name: str, **details: object) -> None:
    """One structured line per pool event; timeouts and invalidations are warnings."""
    level = logging.WARNING if name in {"pool.timeout", "pool.invalidate"} else logging.DEBUG
    holder = current_holder.get()
    logger.log(level, name, extra={"event": name, "route": holder.route, "actor": holder.actor, **details})


def note_statements(engine: Engine) -> None:
    """Have the pool of an engine know what was last asked over each of its connections."""

    @event.listens_for(engine, "before_cursor_execute")
    def asked(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        fairy = connection.connection
        fairy._pool.watch.asked(fairy._connection_record, statement)
