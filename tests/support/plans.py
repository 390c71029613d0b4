"""How a database answers the statements of a page: which it scans, and how much it touches."""

import itertools
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event

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
    """Explains each statement that a block sends, once per text and kind of value."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.explained = 0
        self._sent: list[tuple[str, Any]] = []

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
            self.explained += 1
            look = self._on_sqlite if self.database.engines.dialect == "sqlite" else self._on_postgresql
            wrong += [f"{fault}: {statement}" for fault in await look(statement, parameters, most)]
        return wrong

    async def _on_sqlite(self, statement: str, parameters: Any, most: int) -> list[str]:
        file = self.database.engines.read.url.database
        assert file is not None
        connection = sqlite3.connect(file)
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += STEPS
            return 0

        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        connection.set_progress_handler(count, STEPS)
        connection.execute(statement, parameters).fetchall()
        connection.close()
        by_id = "ORDER BY tickets.id" in statement  # the table is its own index; the steps tell how far it was read
        found = [line for line in plan if line.startswith("SCAN ") and "INDEX" not in line]
        scans = [] if by_id else [line for line in found if is_table(line.split()[1])]
        return scans + ([f"{steps:,} steps"] if steps > 60 * most + 20_000 else [])

    async def _on_postgresql(self, statement: str, parameters: Any, most: int) -> list[str]:
        async with self.database.engines.aside.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            switch = "on" if most >= 10_000 else "off"  # a small table is cheaper to read than its indexes
            await driver.execute(f"SET enable_seqscan = {switch}; SET enable_bitmapscan = {switch}")
            raw = await driver.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *parameters)
        nodes = list(walked((json.loads(raw) if isinstance(raw, str) else raw)[0]["Plan"]))
        scans = [
            f"Seq Scan on {node['Relation Name']}"
            for node in nodes
            if node["Node Type"] == "Seq Scan" and is_table(node["Relation Name"])
        ]
        touched = max((read(node) for node in nodes if "Relation Name" in node), default=0)
        return scans + ([f"{touched:,} rows"] if touched > most else [])


def is_table(name: str) -> bool:
    """Whether this is a table that grows."""
    return name in {"tickets", "users", "ticket_tags", "comments"}


def walked(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes."""
    yield node
    for child in node.get("Plans", []):
        yield from walked(child)


def read(node: dict[str, Any]) -> float:
    """Rows that a node took from its table, those included that it threw away."""
    discarded = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node["Actual Rows"] + discarded) * node["Actual Loops"])
