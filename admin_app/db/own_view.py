"""What the database says of itself: connections, the oldest transaction, who blocks whom; or the size of its files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from admin_app.db.engine import Engines
from admin_app.db.holdings import LONGEST_STATEMENT
from admin_app.db.statements import normalised

_BACKENDS = text(
    "SELECT coalesce(state, 'starting'), count(*),"
    " coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8"
    " FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    " AND pid <> pg_backend_pid() GROUP BY 1 ORDER BY 2 DESC, 1"
)
_LIMIT = text("SELECT current_setting('max_connections')::int, (SELECT count(*) FROM pg_stat_activity)")
_BLOCKED = text(
    "SELECT a.pid, pg_blocking_pids(a.pid), extract(epoch FROM clock_timestamp() - a.query_start)::float8,"
    " a.application_name, left(a.query, 2000) FROM pg_stat_activity a"
    " WHERE a.datname = current_database() AND a.wait_event_type = 'Lock' ORDER BY a.query_start LIMIT 20"
)
_REPLICAS = text(
    "SELECT coalesce(nullif(application_name, ''), client_addr::text, 'a replica'), state,"
    " extract(epoch FROM replay_lag)::float8 FROM pg_stat_replication ORDER BY 1"
)


@dataclass(frozen=True)
class Blocked:
    """One backend that waits for a lock, and who has it."""

    pid: int
    by: Sequence[int]
    seconds: float
    application: str
    statement: str
    """Without a value, and cut short."""


@dataclass(frozen=True)
class Replica:
    """One server that follows; `lag` in seconds, None while there is nothing to replay."""

    name: str
    state: str
    lag: float | None


@dataclass(frozen=True)
class ServerView:
    """A PostgreSQL server."""

    backends: Sequence[tuple[str, int]]
    """How many connections to our database are in which state."""
    oldest_transaction: float
    """Seconds; 0 when none is open."""
    connections: int
    limit: int
    blocked: Sequence[Blocked]
    replicas: Sequence[Replica]


@dataclass(frozen=True)
class FileView:
    """An SQLite database; sizes in bytes."""

    file: int
    log: int
    """What waits in the write-ahead log."""
    free: int
    """Room within the file that nothing uses."""


OwnView = ServerView | FileView


async def own_view(engines: Engines) -> OwnView:
    """A fresh look, over the connection that gives up after a second."""
    async with engines.watching.connect() as connection:
        if engines.dialect == "postgresql":
            return await _server_view(connection)
        return await _file_view(connection, Path(str(engines.write.url.database)))


async def _server_view(connection: AsyncConnection) -> ServerView:
    backends = (await connection.execute(_BACKENDS)).all()
    limit, connections = (await connection.execute(_LIMIT)).one()
    blocked = (await connection.execute(_BLOCKED)).all()
    replicas = (await connection.execute(_REPLICAS)).all()
    return ServerView(
        backends=[(state, count) for state, count, _ in backends],
        oldest_transaction=max((oldest for _, _, oldest in backends), default=0.0),
        connections=connections,
        limit=limit,
        blocked=[
            Blocked(pid, by, seconds, application, normalised(query)[:LONGEST_STATEMENT])
            for pid, by, seconds, application, query in blocked
        ],
        replicas=[Replica(name, state, lag) for name, state, lag in replicas],
    )


async def _file_view(connection: AsyncConnection, file: Path) -> FileView:
    page = await connection.scalar(text("PRAGMA page_size"))
    free = await connection.scalar(text("PRAGMA freelist_count"))
    return FileView(_size(file), _size(file.with_name(f"{file.name}-wal")), page * free)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
