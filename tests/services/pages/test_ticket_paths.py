"""Every filter with every order is answered from an index, and touches no more than it says."""

import itertools
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from admin_app import clock
from admin_app.actor import command_line_actor
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.models import User
from admin_app.services.batches.samples import seed
from admin_app.services.pages import ticket_list, ticket_paths, ticket_reading
from admin_app.services.records import listing
from tests.support import plans

TODAY = datetime(2030, 1, 15, tzinfo=UTC)
GIVEN = os.environ.get("EXPLAIN_ON", "")
"""A database with a million tickets, to look at every pair of filters; else a small one and the pairs that differ."""

RUN_EVERY = 20
"""So many plans of a million tickets are looked at for one that is run."""

SMALL, SMALL_MOST, SMALL_LOOK = 2_000, 100, 40
CROWDED = "seed-0000000@customer.example"
PARTNERS, SORTS_OF_PAIRS = {"by telephone"}, ("created_at", "updated_at", "due_at", "status")


async def busiest(database: Database) -> str:
    """The address of the first owner."""
    statement = select(User.email).where(User.email.startswith("seed-staff-")).order_by(User.email).limit(1)
    return str(await database.read(lambda session: session.scalar(statement)))


async def wrong_plans(database: Database, today: datetime, *, is_small: bool, most: int = 2) -> tuple[list[str], str]:
    """Which combinations are answered badly, and how many were looked at."""
    looked = plans.Plans(database, run_every=1 if is_small else RUN_EVERY)
    single = plans.filters(today, CROWDED, await busiest(database), "warranty")
    wrong, pages = [], 0
    places: list[dict[str, Any]] = [{}] if is_small else [{}, {"is_last": True}]
    for name, wanted in plans.combined(single, most, PARTNERS if is_small else None):
        for sort, place in itertools.product(ticket_paths.SORTS, places):
            if is_small and " + " in name and sort not in SORTS_OF_PAIRS:
                continue
            options = {"sort": sort, "descending": True, "request": listing.PageRequest(size=25, **place)}

            async def page(wanted: Any = wanted, options: Any = options) -> None:
                await database.read(lambda session: ticket_list.page(session, command_line_actor(), wanted, **options))

            pages += 1
            found = await looked.faults(page, most=ticket_paths.MOST + 1 + ticket_reading.FIRST_LOOK)
            wrong += [f"{name}, {sort} {place}: {fault}" for fault in found]
    await looked.close()
    return wrong, f"{pages} pages of a list, {looked.explained} statements, {looked.run} of them run"


class TestEveryCombination:
    @pytest.mark.skipif(bool(GIVEN), reason="looks at the database that was named")
    async def test_is_served_by_an_index(
        self, database: Database, monkeypatch: pytest.MonkeyPatch, stopped_clock: Any
    ) -> None:
        stopped_clock.time = TODAY
        await seed.seed(database.run, command_line_actor(), tickets=SMALL, today=TODAY)
        monkeypatch.setattr(ticket_reading, "MOST", SMALL_MOST)
        monkeypatch.setattr(ticket_paths, "MOST", SMALL_MOST)
        monkeypatch.setattr(ticket_reading, "FIRST_LOOK", SMALL_LOOK)
        wrong, looked = await wrong_plans(database, TODAY, is_small=True)
        assert wrong == []
        assert int(looked.split()[0]) > 150
        await database.run(lambda session: session.execute(text("DROP INDEX ix_tickets_live_updated_at")))
        without, _ = await wrong_plans(database, TODAY, is_small=True, most=0)
        assert without, "the negative control: a missing index is noticed"

    @pytest.mark.skipif(not GIVEN, reason="make explain")
    async def test_is_served_by_an_index_at_a_million(self) -> None:
        database = Database(create_engines(GIVEN))
        wrong, looked = await wrong_plans(database, clock.now(), is_small=False)
        await database.dispose()
        print(f"{looked}, on {database.engines.dialect}: {len(wrong)} answered badly")
        assert wrong == []
