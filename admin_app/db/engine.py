"""Every difference between SQLite and PostgreSQL.

SQLite: the connect and begin hooks below are what makes it safe under several writers: WAL, foreign keys, a busy
timeout, and `BEGIN IMMEDIATE` for writers so that a read-then-write cannot lose an update. Readers use a second
engine whose connections refuse to write. PostgreSQL: one pool, every timeout set, read-only transactions for pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import URL, Connection, ExceptionContext, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import Pool

from admin_app.db import sqlite_thread
from admin_app.db.hosts import PRIMARY, STANDBY_IF_ANY, Hosts, has_several_hosts
from admin_app.db.pools import WatchedPool, note_statements
from admin_app.db.search_words import words


@dataclass(frozen=True)
class PoolOptions:
    """Sizes and limits; all times in seconds."""

    size: int = 10
    max_overflow: int = 5
    timeout: float = 2.0
    recycle: int = 1800
    lock_timeout: float = 2.0
    statement_timeout: float = 10.0
    idle_in_transaction_timeout: float = 15.0
    command_timeout: float = 15.0
    connect_timeout: float = 3.0
    writer_timeout: float = 5.0
    """SQLite has one writer at a time; the queue in front of it may be this long."""
    snapshots: int = 2
    """Connections beside the pools that pages use, each for one long read."""
    snapshot_idle_timeout: float = 90.0
    """A long read may wait this long for whoever it is read for."""
    replica_wait: float = 0.1
    """So long a replica gets to come to where its reader must see it."""
    replica_lag_limit: float = 10.0
    """A replica that is further behind is not read."""
    transaction_pooling: bool = False
    """PgBouncer stands in between and lends a server connection for one transaction at a time."""


WITHOUT_TRANSACTION = "desk_without_transaction"
"""Execution option of connections to SQLite that no BEGIN is sent over."""

READERS_CACHE = 16
"""Megabytes that each reader of SQLite keeps of the file: a page of a list is fifty tickets and a hundred people."""
WATCHING_SECONDS = 1.0
NOTHING_KEPT: Mapping[str, Any] = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: "",
}
"""No prepared statement outlives its use: one without a name is parsed again with each, wherever that takes place."""

IMPATIENT = PoolOptions(
    timeout=WATCHING_SECONDS,
    lock_timeout=WATCHING_SECONDS,
    statement_timeout=WATCHING_SECONDS,
    command_timeout=WATCHING_SECONDS,
    connect_timeout=WATCHING_SECONDS,
)


EXPORT_MEMORY = "16MB"
"""Of the server, for each of the few exports at once: a page of eight thousand rows is sorted without the disk."""


@dataclass(frozen=True)
class ReplicaEngines:
    """Of a streaming replica: one to read, one to read long; and what is expected of it."""

    read: AsyncEngine
    snapshots: AsyncEngine
    wait: float
    lag_limit: float

    @property
    def both(self) -> tuple[AsyncEngine, AsyncEngine]:
        """The two of them."""
        return self.read, self.snapshots


@dataclass(frozen=True)
class Engines:
    """One engine to write, one to read, one connection aside for health and ops, one to watch, a few to read long."""

    write: AsyncEngine
    read: AsyncEngine
    lookups: AsyncEngine
    """Reads a single statement over the connections of `read`, without a transaction around it."""
    aside: AsyncEngine
    watching: AsyncEngine
    """Gives up after `WATCHING_SECONDS`: for what workers tell each other, and what the database tells of itself."""
    snapshots: AsyncEngine
    """Each of its transactions sees the database as it was at its first statement, however long it takes."""
    noting: AsyncEngine
    """Writes what ops must know, past the pool that they must know of; as impatient as `watching`."""
    replica: ReplicaEngines | None = None

    @property
    def needed_pools(self) -> dict[str, WatchedPool]:
        """The pools without which there is no page, by the name that people see."""
        if self.write.pool is self.read.pool:
            return {"main": _watched(self.write.pool)}
        return {"readers": _watched(self.read.pool), "writer": _watched(self.write.pool)}

    @property
    def pools(self) -> dict[str, WatchedPool]:
        """The pools that pages use: those, and that of the replica."""
        replica = {"replica": _watched(self.replica.read.pool)} if self.replica else {}
        return {**self.needed_pools, **replica}

    @property
    def every_pool(self) -> dict[str, WatchedPool]:
        """Those, and the ones of long reads."""
        replica = {"replica_exports": _watched(self.replica.snapshots.pool)} if self.replica else {}
        return {**self.pools, "exports": _watched(self.snapshots.pool), **replica}

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.write.dialect.name

    async def dispose(self) -> None:
        """Close every connection."""
        replica = self.replica.both if self.replica else ()
        for engine in (self.write, self.read, self.aside, self.watching, self.snapshots, self.noting, *replica):
            await engine.dispose()


def create_engines(database_url: str, options: PoolOptions | None = None, *, replica_url: str = "") -> Engines:
    """Engines for an `sqlite+aiosqlite://` or `postgresql+asyncpg://` URL (short forms are completed).

    A `replica_url` leads to a streaming replica of the same PostgreSQL database.
    """
    url = async_url(database_url)
    chosen = options or PoolOptions()
    if url.get_backend_name() == "sqlite":
        return _sqlite_engines(url, chosen)
    engines = _postgresql_engines(_looking_for(PRIMARY, url), chosen)
    if not replica_url:
        return engines
    return replace(engines, replica=_replica_engines(_looking_for(STANDBY_IF_ANY, async_url(replica_url)), chosen))


def async_url(database_url: str) -> URL:
    """The URL with its async driver; `ValueError` for any other database."""
    url = make_url(database_url)
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    backend = url.drivername.split("+")[0]
    if backend not in drivers:
        raise ValueError(f"DATABASE_URL must be for SQLite or PostgreSQL, not {backend}")
    return url.set(drivername=drivers[backend])


def _looking_for(wanted: str, url: URL) -> URL:
    """The URL, saying which of its hosts is meant where there are several and it does not say so itself."""
    is_open = has_several_hosts(url) and "target_session_attrs" not in url.query
    return url.update_query_dict({"target_session_attrs": wanted}) if is_open else url


def _watched(pool: Pool) -> WatchedPool:
    if not isinstance(pool, WatchedPool):
        raise TypeError("the desk's engines use WatchedPool")
    return pool


def _engine(url: URL, size: int, overflow: int, timeout: float, **options: Any) -> AsyncEngine:
    options = {"pool_pre_ping": True, **options}
    if has_several_hosts(url):
        options["connect_args"] = {**options["connect_args"], "async_creator_fn": Hosts()}
    engine = create_async_engine(
        url,
        poolclass=WatchedPool,
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=timeout,
        hide_parameters=True,
        **options,
    )
    note_statements(engine.sync_engine)
    return engine


def _postgresql_engines(url: URL, chosen: PoolOptions) -> Engines:
    write = _server_engine(url, chosen, chosen.size, chosen.max_overflow)
    aside = _server_engine(url, chosen, 1, 0)
    # where connections are lent the limits hold in a transaction alone
    isolation: dict[str, Any] = {} if chosen.transaction_pooling else {"isolation_level": "AUTOCOMMIT"}
    hurried = replace(IMPATIENT, transaction_pooling=chosen.transaction_pooling)
    watching = _server_engine(url, hurried, 1, 0, name="support-desk-admin watching", **isolation)
    return Engines(
        write=write,
        read=write.execution_options(postgresql_readonly=True),
        lookups=write.execution_options(**(isolation or {"postgresql_readonly": True})),
        aside=aside.execution_options(postgresql_readonly=True),
        watching=watching,
        snapshots=_snapshots(url, chosen),
        noting=watching.execution_options(isolation_level="READ COMMITTED"),
    )


def _snapshots(url: URL, chosen: PoolOptions, **options: Any) -> AsyncEngine:
    patient = replace(chosen, idle_in_transaction_timeout=chosen.snapshot_idle_timeout)
    # the same statement asks for ever later pages: a plan made for any place in the list is a bad one for most
    settings = {"plan_cache_mode": "force_custom_plan", "work_mem": EXPORT_MEMORY}
    named: dict[str, Any] = {"name": "support-desk-admin exports", "settings": settings, **options}
    engine = _server_engine(url, patient, chosen.snapshots, 0, **named)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _replica_engines(url: URL, chosen: PoolOptions) -> ReplicaEngines:
    """Impatient ones: the primary is there. What is asked first of each connection tells whether it is alive."""
    hurried = replace(
        chosen,
        timeout=min(chosen.timeout, WATCHING_SECONDS),
        connect_timeout=min(chosen.connect_timeout, WATCHING_SECONDS),
    )
    options: dict[str, Any] = {"name": "support-desk-admin replica", "pool_pre_ping": False}
    read = _server_engine(url, hurried, hurried.size, hurried.max_overflow, **options)
    return ReplicaEngines(
        read=read.execution_options(postgresql_readonly=True),
        snapshots=_snapshots(url, hurried, pool_pre_ping=False),
        wait=chosen.replica_wait,
        lag_limit=chosen.replica_lag_limit,
    )


def _server_engine(
    url: URL,
    chosen: PoolOptions,
    size: int,
    overflow: int,
    name: str = "support-desk-admin",
    settings: Mapping[str, str] | None = None,
    **options: Any,
) -> AsyncEngine:
    # estimates of the search are high, and compiling a statement takes longer than any of ours runs
    limits = {**_limits(chosen), "jit": "off", **(settings or {})}
    session = {"application_name": name, "timezone": "UTC"}
    arguments: dict[str, Any] = {"timeout": chosen.connect_timeout, "command_timeout": chosen.command_timeout}
    if chosen.transaction_pooling:
        arguments |= {**NOTHING_KEPT, "server_settings": session}
    else:
        arguments["server_settings"] = {**session, **limits}
    engine = _engine(
        url, size, overflow, chosen.timeout, pool_recycle=chosen.recycle, connect_args=arguments, **options
    )
    if chosen.transaction_pooling:
        _limit_each_transaction(engine, limits)
    _hang_up_on_silence(engine)
    return engine


def _limits(chosen: PoolOptions) -> dict[str, str]:
    """What the server itself keeps to, in milliseconds."""
    seconds = {
        "lock_timeout": chosen.lock_timeout,
        "statement_timeout": chosen.statement_timeout,
        "idle_in_transaction_session_timeout": chosen.idle_in_transaction_timeout,
    }
    return {name: str(int(value * 1000)) for name, value in seconds.items()}


def _limit_each_transaction(engine: AsyncEngine, limits: Mapping[str, str]) -> None:
    """A connection that is lent forgets nothing: what were set for longer would be set for whoever has it next."""
    statement = "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in limits.items())

    @event.listens_for(engine.sync_engine, "begin")
    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(statement)


def _hang_up_on_silence(engine: AsyncEngine) -> None:
    """Cut the line to a server that did not answer in time: a rollback, or a good-bye, would wait just as long."""

    @event.listens_for(engine.sync_engine, "handle_error")
    def in_a_statement(context: ExceptionContext) -> None:
        connection: Any = context.connection
        is_open = connection is not None and not connection.invalidated and not connection.closed
        if isinstance(context.original_exception, TimeoutError) and is_open:
            connection.connection.driver_connection.terminate()

    @event.listens_for(engine.sync_engine, "invalidate")
    def before_a_statement(connection: Any, record: Any, error: BaseException | None) -> None:
        if isinstance(error, TimeoutError):
            connection.driver_connection.terminate()


def _sqlite_engines(url: URL, chosen: PoolOptions) -> Engines:
    if not url.database or url.database == ":memory:":
        raise ValueError("the desk needs an SQLite file: an in-memory database has no second connection")
    busy = int(chosen.lock_timeout * 1000)
    arguments = {"timeout": chosen.lock_timeout, "async_creator_fn": sqlite_thread.connect}
    options: dict[str, Any] = {"connect_args": arguments}
    write = _engine(url, 1, 0, chosen.writer_timeout, **options)
    read = _engine(url, chosen.size, chosen.max_overflow, chosen.timeout, **options)
    aside = _engine(url, 1, 0, chosen.timeout, **options)
    snapshots = _engine(url, chosen.snapshots, 0, chosen.timeout, **options)
    _set_up_sqlite(write, busy, "BEGIN IMMEDIATE")
    hurried = {"connect_args": {**arguments, "timeout": WATCHING_SECONDS}}
    watching = _engine(url, 1, 0, WATCHING_SECONDS, **hurried)
    _set_up_sqlite(read, busy, "BEGIN", read_only=True, cache_megabytes=READERS_CACHE)
    for reader in (aside, watching, snapshots):
        _set_up_sqlite(reader, busy, "BEGIN", read_only=True)
    noting = _engine(url, 1, 0, WATCHING_SECONDS, **hurried)
    _set_up_sqlite(noting, int(WATCHING_SECONDS * 1000), "BEGIN IMMEDIATE")
    lookups = read.execution_options(**{WITHOUT_TRANSACTION: True})
    return Engines(
        write=write, read=read, lookups=lookups, aside=aside, watching=watching, snapshots=snapshots, noting=noting
    )


def _set_up_sqlite(
    engine: AsyncEngine, busy_milliseconds: int, begin: str, *, read_only: bool = False, cache_megabytes: int = 2
) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the begin hook decides, not the driver
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {busy_milliseconds}",
            "journal_mode = WAL",
            "foreign_keys = ON",
            "synchronous = FULL",
            "recursive_triggers = ON",
            f"query_only = {'ON' if read_only else 'OFF'}",
            f"cache_size = -{cache_megabytes * 1024}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        connection.create_function("search_words", 1, words, deterministic=True)

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        if not connection.get_execution_options().get(WITHOUT_TRANSACTION):
            connection.exec_driver_sql(begin)

    @event.listens_for(engine.sync_engine, "handle_error")
    def count_busy(context: ExceptionContext) -> None:
        name = getattr(context.original_exception, "sqlite_errorname", "")
        _watched(engine.pool).watch.busy += name.startswith("SQLITE_BUSY")
