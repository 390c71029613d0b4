"""A streaming replica to read from, as long as it keeps up; whenever it does not, the primary is asked instead.

A position is a place in the primary's write-ahead log, as a number of bytes. Whoever reads from the replica asks it
for two of them: where the log was when the last change of the same browser was in, and where it was a while ago (so
that nobody sees a desk older than the limit, whatever keeps the replica from following). It has a moment to get there.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.util import await_

from admin_app.db.engine import ReplicaEngines
from admin_app.db.failures import sqlstate
from admin_app.db.holders import current_holder
from admin_app.db.sessions import ReadOnlySession

logger = logging.getLogger("admin_app.database")

T = TypeVar("T")

UNKNOWN = 2**63 - 1
"""The position of a change that nobody could ask for: no replica has it, so the primary is read."""

SAMPLES_PER_LIMIT = 10
LOOKS_EVERY = 0.01
ANSWERS_WITHIN = 1.0
RESTS_SECONDS = {"behind": 1.0, "gone": 5.0}
"""How long a replica is left alone that failed everybody, not only the one who asked."""

TOO_SLOW = "57014"
"""The reader's own statement took too long: it would on the primary as well."""

_WRITTEN = (
    "SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()"
    " ELSE pg_current_wal_flush_lsn() END - '0/0')::bigint"
)
_REPLAYED = (
    "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
    " ELSE pg_current_wal_flush_lsn() END - '0/0')::bigint"
)


class NotFromHere(Exception):
    """The replica cannot be read now: ask the primary."""


class Replica:
    """Reads from the replica, or says `NotFromHere`; counts both."""

    def __init__(self, engines: ReplicaEngines, primary: AsyncEngine) -> None:
        self.reads = 0
        self.passed_on: Counter[str] = Counter()
        """How many reads went to the primary instead, by reason: `behind` or `gone`."""
        self._engines = engines
        self._owed = Yardstick(lambda: _position_of(primary), engines.lag_limit)
        self._sessions = async_sessionmaker(class_=ReadOnlySession, expire_on_commit=False)
        self._rests: tuple[float, str] = (0.0, "")

    @property
    def answered(self) -> dict[str, int]:
        """Reads that were meant for it: answered here, or by the primary because it was `behind` or `gone`."""
        return {"replica": self.reads, **{reason: self.passed_on[reason] for reason in RESTS_SECONDS}}

    async def read(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """What `work` finds here; `NotFromHere` when the replica is behind or breaks while it is read."""
        try:
            async with AsyncExitStack() as stack:
                connection = await self._caught_up(stack, self._engines.read)
                session = await stack.enter_async_context(self._sessions(bind=connection))
                result = await work(session)
        except Exception as fault:
            if not _is_the_replicas(fault):
                raise
            raise self._pass_on("gone", fault) from fault
        self.reads += 1
        return result

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A session to which the replica stays as it is; `NotFromHere` only before it is given."""
        async with AsyncExitStack() as stack:
            # asked in a transaction of its own: what a snapshot shows was settled before it could be asked
            connection = await self._caught_up(stack, self._engines.snapshots)
            self.reads += 1
            yield await stack.enter_async_context(self._sessions(bind=connection))

    async def _caught_up(self, stack: AsyncExitStack, engine: AsyncEngine) -> AsyncConnection:
        until, reason = self._rests
        if time.monotonic() < until:
            self.passed_on[reason] += 1
            raise NotFromHere
        try:
            owed = await self._owed()
            connection = await stack.enter_async_context(engine.connect())
            replayed = await self._replayed(connection, max(owed, current_holder.get().written))
        except Exception as fault:
            raise self._pass_on("gone", fault) from fault
        if replayed < owed:
            raise self._pass_on("behind")
        if replayed < current_holder.get().written:
            self.passed_on["behind"] += 1
            raise NotFromHere
        return connection

    async def _replayed(self, connection: AsyncConnection, wanted: int) -> int:
        """How far it is: there, or as far as it got in the time that it has."""
        driver: Any = (await connection.get_raw_connection()).driver_connection
        deadline = time.monotonic() + self._engines.wait
        try:
            while True:
                found = int(await driver.fetchval(_REPLAYED, timeout=ANSWERS_WITHIN))
                if found >= wanted or time.monotonic() >= deadline:
                    return found
                await asyncio.sleep(LOOKS_EVERY)
        except Exception:
            driver.terminate()  # a good-bye to a server that is silent would wait just as long
            await connection.invalidate()
            raise

    def _pass_on(self, reason: str, fault: Exception | None = None) -> NotFromHere:
        """Leave it alone for a while: the next readers shall not wait for it one after the other."""
        self.passed_on[reason] += 1
        self._rests = (time.monotonic() + RESTS_SECONDS[reason], reason)
        cause = type(fault).__name__ if fault else ""
        logger.warning("replica.%s", reason, extra={"event": f"replica.{reason}", "fault": cause})
        return NotFromHere()


class Yardstick:
    """How far a replica must be for nobody to see a desk older than `limit` seconds."""

    def __init__(self, position: Callable[[], Awaitable[int]], limit: float) -> None:
        self._position = position
        self._limit = limit
        self._every = limit / SAMPLES_PER_LIMIT
        self._samples: deque[tuple[float, int]] = deque()
        self._asking = asyncio.Lock()

    async def __call__(self) -> int:
        """Where the primary was `limit` seconds ago; where it is, when nobody has looked for so long."""
        async with self._asking:
            now = time.monotonic()
            if self._samples and now - self._samples[-1][0] > self._limit:
                self._samples.clear()
            if not self._samples or now - self._samples[-1][0] > self._every:
                self._samples.append((now, await self._position()))
            while len(self._samples) > 1 and now - self._samples[1][0] >= self._limit:
                self._samples.popleft()
            return self._samples[0][1]


def note_position(session: AsyncSession) -> None:
    """Have whoever writes in this session remember where the log was when their change was in."""
    used: list[Any] = []

    def began(session: Any, transaction: Any, connection: Any) -> None:
        used.append(connection)

    def committed(session: Any) -> None:
        holder = current_holder.get()
        for connection in used:
            try:
                position = int(await_(connection.connection.driver_connection.fetchval(_WRITTEN)))
            except Exception:  # the change is in, whatever became of the question
                position = UNKNOWN
            holder.written = max(holder.written, position)

    event.listen(session.sync_session, "after_begin", began)
    event.listen(session.sync_session, "after_commit", committed)


def _is_the_replicas(fault: Exception) -> bool:
    if isinstance(fault, DBAPIError):
        return sqlstate(fault) != TOO_SLOW
    return isinstance(fault, PoolTimeout | OSError)


async def _position_of(primary: AsyncEngine) -> int:
    async with primary.connect() as connection:
        return int(await connection.scalar(text(_WRITTEN)))
