"""`Database.run`: the only commit, and the only retry, in the house."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker

from admin_app.db import failures, references, schema
from admin_app.db.engine import Engines
from admin_app.db.holders import current_holder
from admin_app.db.readiness import NotReady, Readiness
from admin_app.db.replica import NotFromHere, Replica, note_position
from admin_app.db.sessions import LiveSession, ReadOnlySession, follow_ups, keep_promises, later_work
from admin_app.errors import AppError, Unavailable

logger = logging.getLogger("admin_app.database")

S = TypeVar("S")
T = TypeVar("T")
Work = Callable[[AsyncSession], Awaitable[T]]

MAX_TRIES = 5
FIRST_BACKOFF_SECONDS = 0.05
LONGEST_BACKOFF_SECONDS = 1.0
RETRY_BUDGET_SECONDS = 5.0


class _CommitFailed(Exception):
    """Marks that the fault below it happened while committing."""


class Database:
    """Runs units of work: each in a session of its own, in one transaction, retried as a whole."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self.replica = Replica(engines.replica, engines.watching) if engines.replica else None
        self.retries = 0
        self.read_sessions = async_sessionmaker(engines.read, class_=ReadOnlySession, expire_on_commit=False)
        self._write_sessions = async_sessionmaker(engines.write, class_=LiveSession, expire_on_commit=False)
        self._snapshot_sessions = async_sessionmaker(engines.snapshots, class_=ReadOnlySession, expire_on_commit=False)
        keep_promises(engines.lookups)
        self._readiness = Readiness(self._fault)
        self._aside_sessions = async_sessionmaker(engines.aside, class_=ReadOnlySession, expire_on_commit=False)
        self._watching_sessions = async_sessionmaker(engines.watching, class_=ReadOnlySession, expire_on_commit=False)
        self._noting_sessions = async_sessionmaker(engines.noting, class_=LiveSession, expire_on_commit=False)

    async def run(self, work: Work[T], *, repeatable: bool = False) -> T:
        """Run `work` and commit; on a fault that a fresh start may cure, do all of it again.

        At most `MAX_TRIES` tries within `RETRY_BUDGET_SECONDS`, with full jitter, never while holding a
        connection. A connection lost *at* COMMIT leaves open whether the change was applied: only a
        `repeatable` unit of work (one that asks its idempotency key first) is run again then.
        Raises what the fault translates to (`failures.translate`), or the fault itself when it is not
        the database's.
        """
        deadline = time.monotonic() + RETRY_BUDGET_SECONDS
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._once(work)
            except Exception as error:
                fault, at_commit = _unwrap(error)
                if failures.sqlstate(fault) == failures.READ_ONLY_STATE:
                    await self.engines.dispose()  # the server failed over: every pooled connection is stale
                pause = _backoff(attempt)
                out_of_time = attempt == MAX_TRIES or time.monotonic() + pause > deadline
                if out_of_time or not _may_repeat(fault, at_commit=at_commit, repeatable=repeatable):
                    await self._give_up(fault, at_commit=at_commit)
                self._count_retry()
                logger.info(
                    "unit of work is run again",
                    extra={"event": "database.retry", "attempt": attempt, "fault": type(fault).__name__},
                )
                await asyncio.sleep(pause)

    async def read(self, work: Work[T], *, aside: bool = False, may_lag: bool = False) -> T:
        """Run `work` in a read-only session; `aside` uses the connection kept for health and ops.

        What `may_lag` is read from the replica where there is one: never older than the last change from the same
        browser, and for others' changes never older than the limit. Nothing that decides about a change may lag.
        """
        return await self._read(self._aside_sessions if aside else self.read_sessions, work, may_lag=may_lag)

    async def look_up(
        self, work: Callable[[AsyncSession | AsyncConnection], Awaitable[T]], *, may_lag: bool = False
    ) -> T:
        """Run `work` for what a select or two find: without transaction or session, which cost more than most selects.

        Each sees the database as it is at its own moment, and says itself that it leaves out deleted rows.
        """
        return await self._read(self.engines.lookups.connect, work, may_lag=may_lag)

    async def _read(
        self,
        opened: Callable[[], AbstractAsyncContextManager[S]],
        work: Callable[[S | AsyncSession], Awaitable[T]],
        *,
        may_lag: bool,
    ) -> T:
        """Once more when the connection turns out to be lost: reading twice does no harm."""
        with _answered():
            if may_lag and self.replica is not None:
                with suppress(NotFromHere):
                    return await self.replica.read(work)
            try:
                async with opened() as reader:
                    return await work(reader)
            except Exception as error:
                if failures.retry_rule(error) is not failures.Retry.UNLESS_COMMITTING:
                    raise
                self._count_retry()
            async with opened() as reader:
                return await work(reader)

    def _count_retry(self) -> None:
        self.retries += 1
        current_holder.get().retries += 1

    async def glance(self, work: Work[T]) -> T:
        """Run `work` in a read-only session that gives up after a second, and needs no connection of the pools."""
        with _answered():
            async with self._watching_sessions() as session:
                return await work(session)

    async def note(self, work: Work[T]) -> T:
        """Run `work` and commit it, past the pools, once, and within about a second; for what ops must know."""
        with _answered():
            async with self._noting_sessions() as session:
                result = await work(session)
                await session.commit()
        await self._follow_up(session)
        return result

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[AsyncSession]:
        """A read-only session for as long as a caller streams from it."""
        with _answered():
            async with self.read_sessions() as session:
                yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """A read-only session to which the database stays as it is, for as long as a caller streams from it.

        It has a connection outside of the pools that pages use, to the replica where there is one that keeps up. On
        PostgreSQL it keeps dead rows from being cleaned away, on SQLite the write-ahead log from being taken back: let
        go of it in minutes.
        """
        with _answered():
            async with AsyncExitStack() as stack:
                yield await self._open_snapshot(stack)

    async def _open_snapshot(self, stack: AsyncExitStack) -> AsyncSession:
        if self.replica is not None:
            with suppress(NotFromHere):
                return await stack.enter_async_context(self.replica.snapshot())
        return await stack.enter_async_context(self._snapshot_sessions())

    async def why_not_ready(self) -> NotReady | None:
        """What keeps requests from being answered, told within moments; None when nothing does."""
        pools = self.engines.needed_pools.values()
        if any(pool.checkedout() >= pool.limit > 1 for pool in pools):
            return NotReady.EXHAUSTED
        return await self._readiness.ask()

    async def dispose(self) -> None:
        """Close every connection."""
        await self._readiness.close()
        await self.engines.dispose()

    async def _fault(self) -> NotReady | None:
        try:
            fits = await self.read(schema.fits, aside=True)
        except Exception:
            return NotReady.DOWN
        return None if fits else NotReady.UNMIGRATED

    async def _once(self, work: Work[T]) -> T:
        async with self._write_sessions() as session:
            if self.replica is not None:
                note_position(session)
            result = await work(session)
            await session.flush()  # a fault in here is not yet one at COMMIT
            try:
                await session.commit()
            except Exception as error:
                # closing alone gives the connection back with its transaction open: SQLite keeps it and its lock
                await session.rollback()
                raise _CommitFailed from error
        await self._follow_up(session)
        return result

    async def _follow_up(self, session: AsyncSession) -> None:
        """Only now that the connection is back: later work asks for one of its own."""
        for follow_up in follow_ups(session):
            with _logged():
                follow_up()
        for work in later_work(session):
            with _logged():
                await self.run(work, repeatable=True)

    async def _give_up(self, fault: Exception, *, at_commit: bool) -> None:
        if at_commit and failures.retry_rule(fault) is failures.Retry.UNLESS_COMMITTING:
            raise Unavailable(
                "The connection broke while saving. Please look whether the change is there before you repeat it."
            ) from fault
        answer = await self._at_field(fault) or failures.translate(fault)
        if answer is None or answer is fault:
            raise fault
        raise answer from fault

    async def _at_field(self, fault: Exception) -> AppError | None:
        """The answer to a reference that leads nowhere, at its field, where the database does not name it."""
        if not (isinstance(fault, IntegrityError) and failures.lacks_field(fault)):
            return None
        with suppress(Exception):  # then the answer is about the whole form
            field = await self.read(lambda session: references.missing(session, fault), aside=True)
            return failures.no_such_record(field) if field else None
        return None


@contextmanager
def _answered() -> Iterator[None]:
    """Raise what a fault translates to, or the fault itself when it is not the database's."""
    try:
        yield
    except Exception as error:
        answer = failures.translate(error)
        if answer is None or answer is error:
            raise
        raise answer from error


@contextmanager
def _logged() -> Iterator[None]:
    """The change is in: a follow-up that fails is logged, never reported as a failed change."""
    try:
        yield
    except Exception:
        logger.exception("a follow-up after the commit failed", extra={"event": "database.follow_up"})


def _unwrap(error: Exception) -> tuple[Exception, bool]:
    if isinstance(error, _CommitFailed) and isinstance(error.__cause__, Exception):
        return error.__cause__, True
    return error, False


def _may_repeat(fault: Exception, *, at_commit: bool, repeatable: bool) -> bool:
    rule = failures.retry_rule(fault)
    if rule is failures.Retry.UNLESS_COMMITTING:
        return repeatable or not at_commit
    return rule is failures.Retry.ALWAYS


def _backoff(attempt: int) -> float:
    """Full jitter over 50 ms doubled per try and capped at one second."""
    ceiling = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1))
    return random.uniform(0, ceiling)  # noqa: S311 - spreading retries needs no secrecy
