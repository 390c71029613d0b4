"""How a database answers the statements of a page: which it scans, and how much it touches."""

import itertools
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from admin_app.db.database import Database
from admin_app.models import Channel, Priority, Status
from admin_app.services.pages.ticket_list import TicketFilter

STEPS = 1_000
SMALL = ("sqlite_master", "sqlite_stat1", "pg_class", "tags")


def filters(today: datetime, customer: str, owner: str, tag: str) -> dict[str, dict[str, Any]]:
    """One value for each filter of the list, those included that let nearly everything through."""
    long_ago, lately = today - timedelta(days=500), today - timedelta(days=20)
    return {
        "closed": {"status": Status.CLOSED},
        "open": {"status": Status.OPEN},
        "on hold": {"status": Status.ON_HOLD},
        "active": {"only_active": True},
        "critical": {"priority": Priority.CRITICAL},
        "by telephone": {"channel": Channel.PHONE},
        "of nobody": {"owner": "nobody"},
        "of somebody": {"owner": owner},
        "from a customer": {"creator": customer},
        "tagged": {"tag": tag},
        "opened lately": {"created_from": lately},
        "opened long ago": {"created_before": long_ago, "created_from": long_ago - timedelta(days=3)},
        "changed lately": {"updated_from": lately},
        "due lately": {"due_from": lately, "due_before": today},
        "overdue": {"overdue": True},
    }


def combined(
    single: dict[str, dict[str, Any]], most: int, partners: set[str] | None = None
) -> Iterator[tuple[str, Any]]:
    """Nothing, each filter, and up to `most` together; with `partners` each of a group holds one of them."""
    for size in range(most + 1):
        for names in itertools.combinations(single, size):
            merged: dict[str, Any] = {}
            for name in names:
                merged |= single[name]
            is_whole = len(merged) == sum(len(single[name]) for name in names)
            if is_whole and (size < 2 or partners is None or partners & set(names)):
                yield " + ".join(names) or "everything", TicketFilter(**merged)


class Plans:
    """Explains each statement that a block sends, once per text and values; every so many of them it is run as well.

    A plan alone tells which tables are read from end to end and how much is expected to be sorted; to run it takes
    as long as it takes, and tells how much it touched.
    """

    def __init__(self, database: Database, *, run_every: int = 1) -> None:
        self.database = database
        self.explained = self.run = 0
        self._run_every = run_every
        self._known: dict[str, list[str]] = {}
        self._sent: list[tuple[str, Any]] = []
        self._sqlite: sqlite3.Connection | None = None
        self._postgresql: AsyncConnection | None = None

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """The block's statements are kept."""

        def keep(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
            if statement.lstrip().startswith("SELECT"):
                self._sent.append((statement, parameters))

        engine = self.database.engines.read.sync_engine
        event.listen(engine, "before_cursor_execute", keep)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", keep)

    async def faults(self, page: Callable[[], Awaitable[Any]], *, most: int) -> list[str]:
        """What is wrong with the statements of a page: a table read from end to end, or more than `most` rows."""
        self._sent.clear()
        async with self.watching():
            await page()
        wrong = []
        for statement, parameters in self._sent:
            key = f"{statement} {parameters}"
            if key not in self._known:
                is_run = self.explained % self._run_every == 0
                self.explained += 1
                self.run += is_run
                look = self._on_sqlite if self.database.engines.dialect == "sqlite" else self._on_postgresql
                self._known[key] = await look(statement, parameters, most, is_run)
            wrong += [f"{fault}: {statement}" for fault in self._known[key]]
        return wrong

    async def _on_sqlite(self, statement: str, parameters: Any, most: int, is_run: bool) -> list[str]:
        if self._sqlite is None:
            file = self.database.engines.read.url.database
            assert file is not None
            self._sqlite = sqlite3.connect(file)
        plan = [row[3] for row in self._sqlite.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        by_id = "ORDER BY tickets.id" in statement  # the table is its own index; the steps tell how far it was read
        found = [line for line in plan if line.startswith("SCAN ") and "INDEX" not in line]
        scans = [] if by_id else [line for line in found if is_table(line.split()[1])]
        steps = self._steps(statement, parameters) if is_run or by_id else 0
        return scans + ([f"{steps:,} steps"] if steps > 60 * most + 20_000 else [])

    def _steps(self, statement: str, parameters: Any) -> int:
        """How many of its virtual machine's steps SQLite takes for it."""
        assert self._sqlite is not None
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += STEPS
            return 0

        self._sqlite.set_progress_handler(count, STEPS)
        self._sqlite.execute(statement, parameters).fetchall()
        self._sqlite.set_progress_handler(None, 0)
        return steps

    async def _on_postgresql(self, statement: str, parameters: Any, most: int, is_run: bool) -> list[str]:
        if self._postgresql is None:
            self._postgresql = await self.database.engines.aside.connect()
            switch = "on" if most >= 10_000 else "off"  # a small table is cheaper to read than its indexes
            for option in ("enable_seqscan", "enable_bitmapscan"):
                await self._postgresql.exec_driver_sql(f"SET {option} = {switch}")
        driver: Any = (await self._postgresql.get_raw_connection()).driver_connection
        raw = await driver.fetchval(f"EXPLAIN (ANALYZE {is_run}, TIMING off, FORMAT JSON) {statement}", *parameters)
        nodes = list(walked((json.loads(raw) if isinstance(raw, str) else raw)[0]["Plan"]))
        scans = [
            f"Seq Scan on {node['Relation Name']}"
            for node in nodes
            if node["Node Type"] == "Seq Scan" and is_table(node["Relation Name"])
        ]
        sorted_rows = max((sorts(node) for node in nodes), default=0)
        touched = max((read(node) for node in nodes if "Relation Name" in node), default=0) if is_run else 0
        return (
            scans
            + ([f"{sorted_rows:,} rows to sort"] if sorted_rows > most else [])
            + ([f"{touched:,} rows"] if touched > most else [])
        )

    async def close(self) -> None:
        """Leave the database alone."""
        if self._sqlite is not None:
            self._sqlite.close()
        if self._postgresql is not None:
            await self._postgresql.close()


def is_table(name: str) -> bool:
    """Whether this is a table that grows."""
    return name in {"tickets", "users", "ticket_tags", "comments", "user_search"}


def walked(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes."""
    yield node
    for child in node.get("Plans", []):
        yield from walked(child)


def read(node: dict[str, Any]) -> float:
    """Rows that a node took from its table, those included that it threw away."""
    discarded = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node["Actual Rows"] + discarded) * node["Actual Loops"])


def sorts(node: dict[str, Any]) -> float:
    """Rows that a node is expected to sort; what continues an order sorts a little at a time."""
    return float(node["Plans"][0]["Plan Rows"]) if node["Node Type"] == "Sort" else 0
