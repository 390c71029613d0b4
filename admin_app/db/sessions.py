"""Sessions that keep two promises: deleted rows stay out of sight, and pages cannot write.

The filter follows SQLAlchemy's recipe `examples/extending_query/filter_public.py`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import Executable, TextClause, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria

from admin_app.db.mixins import SoftDeletable
from admin_app.errors import WriteOutsideService

INCLUDE_DELETED = {"include_deleted": True}
"""Execution option for the few statements that must see deleted rows."""

Reader = AsyncSession | AsyncConnection
"""What columns can be read over; objects need a session."""

READING_WORDS = ("SELECT", "SHOW", "EXPLAIN", "PRAGMA")
"""How a textual statement begins that a page may send; the connection itself refuses what hides behind them."""


class LiveSyncSession(Session):
    """Hides soft-deleted rows from every ORM select, eager loads included."""


class ReadOnlySyncSession(LiveSyncSession):
    """Refuses to write."""


class LiveSession(AsyncSession):
    """The session that services work in."""

    sync_session_class = LiveSyncSession


class ReadOnlySession(AsyncSession):
    """The session that pages read in."""

    sync_session_class = ReadOnlySyncSession


def only_live(statement: Any) -> Any:
    """The same for a select that is built once and goes past the session each time."""
    criteria = with_loader_criteria(SoftDeletable, lambda table: table.deleted_at.is_(None), include_aliases=True)
    return statement.options(criteria)


@event.listens_for(LiveSyncSession, "do_orm_execute", propagate=True)
def hide_deleted(state: ORMExecuteState) -> None:
    """Add `deleted_at IS NULL` unless the statement asks for deleted rows."""
    wants_deleted = state.execution_options.get("include_deleted", False)
    if state.is_select and not state.is_column_load and not wants_deleted:
        state.statement = only_live(state.statement)


@event.listens_for(ReadOnlySyncSession, "do_orm_execute")
def refuse_statements(state: ORMExecuteState) -> None:
    """A page that sends INSERT, UPDATE or DELETE has a bug."""
    if not (state.is_select or _reads(state.statement)):
        raise WriteOutsideService("a read-only session was asked to write")


@event.listens_for(ReadOnlySyncSession, "before_flush")
def refuse_flush(session: Session, context: UOWTransaction, instances: Any) -> None:
    """A page that changes objects has a bug; without changes there is no flush."""
    raise WriteOutsideService("a read-only session was asked to flush changes")


def keep_promises(engine: AsyncEngine) -> None:
    """The same for what is sent past any session: it cannot write, and says itself what it wants of deleted rows."""

    @event.listens_for(engine.sync_engine, "before_execute")
    def refuse(connection: Any, statement: Executable, multi: Any, single: Any, options: Mapping[str, Any]) -> None:
        if not (statement.is_select or _reads(statement)):
            raise WriteOutsideService("a connection for a look-up was asked to write")
        if statement.is_select and not options.get("include_deleted", False):
            raise RuntimeError("a look-up must say with INCLUDE_DELETED that it leaves out deleted rows by itself")


def dialect_of(reader: Reader) -> str:
    """`sqlite` or `postgresql`."""
    return (reader if isinstance(reader, AsyncConnection) else reader.get_bind()).dialect.name


def _reads(statement: Executable) -> bool:
    """Whether hand-written SQL only looks; SQLAlchemy calls no text a select."""
    return isinstance(statement, TextClause) and statement.text.lstrip().upper().startswith(READING_WORDS)


def after_commit(session: AsyncSession, follow_up: Callable[[], None]) -> None:
    """Have `follow_up` run once this transaction is safely in (a bell to ring, say)."""
    follow_ups(session).append(follow_up)


def afterwards(session: AsyncSession, work: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Have `work` run in a transaction of its own once this one is safely in; it may be run more than once."""
    later_work(session).append(work)


def follow_ups(session: AsyncSession) -> list[Callable[[], None]]:
    """What is to run after the commit of this session."""
    waiting: list[Callable[[], None]] = session.info.setdefault("after_commit", [])
    return waiting


def later_work(session: AsyncSession) -> list[Callable[[AsyncSession], Awaitable[None]]]:
    """What is to run in transactions of their own after the commit of this session."""
    waiting: list[Callable[[AsyncSession], Awaitable[None]]] = session.info.setdefault("afterwards", [])
    return waiting
