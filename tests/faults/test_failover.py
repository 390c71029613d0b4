"""The primary dies under those who are writing, the replica is promoted, and the desk goes on by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.models import Comment, Tag
from tests.faults.posting import Storm, several
from tests.flows.serving import serving
from tests.services.scenes import Desk
from tests.support import chaos
from tests.support.cast import store_cast
from tests.support.clusters import DATABASE, USER, Pair, cluster_pair
from tests.support.migrating import migrate
from tests.support.waiting import until

WRITERS = 8
LULL = chaos.seconds(with_others=0.7, alone=2.0)
NOTICED_AFTER = 1.0
"""Seconds until whoever watches the primary promotes the replica: their business, not the desk's."""
NORMAL_WITHIN = chaos.seconds(with_others=15.0, alone=3.0)
HOSTS = f"postgresql+asyncpg://{USER}@/{DATABASE}?host={{}}&host={{}}"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """One for both tests: the second finds the two with their places changed."""
    with cluster_pair() as pair:
        migrate(pair.primary.url)
        yield pair


@pytest.fixture
async def desk(pair: Pair) -> AsyncIterator[Desk]:
    """The cast, on whichever of the two takes writes."""
    database = Database(create_engines(HOSTS.format(pair.primary.address, pair.replica.address)))
    yield Desk(database, await store_cast(database))
    await database.dispose()


@dataclass(frozen=True)
class Failover:
    """What the death of the primary did to those who were writing."""

    storm: Storm
    stored: set[str]
    refused_for: float
    after_promotion: float

    @property
    def lost(self) -> set[str]:
        """Acknowledged, and not there."""
        return set(self.storm.acked) - self.stored

    def __str__(self) -> str:
        statuses = self.storm.statuses
        unknown = statuses.total() - statuses[303] - statuses[503]
        return (
            f"answers {dict(statuses)}, acked {statuses[303]}, refused {statuses[503]}, unknown {unknown}, "
            f"lost {len(self.lost)}, applied but answered otherwise {len(self.stored - set(self.storm.acked))}; "
            f"no save for {self.refused_for:.2f} s, of these {self.after_promotion:.2f} s after the promotion"
        )


async def fail_over(pair: Pair, desk: Desk, url: str, folder: Path) -> Failover:
    """Kill the primary under eight writers, promote the replica a second later, and let them go on."""
    ticket = await desk.ticket()
    with serving(url, folder, connect_timeout_seconds=1.0) as server:
        async with several(desk.database, server, desk.cast.sam.id, WRITERS) as posters:
            storm = Storm(posters, ticket.id)
            await asyncio.sleep(LULL)
            before = time.monotonic()
            pair.primary.kill()
            await asyncio.sleep(NOTICED_AFTER)
            await asyncio.to_thread(pair.replica.promote)
            after_promotion = await storm.seconds_until_acked(NORMAL_WITHIN)
            refused_for = time.monotonic() - before
            await asyncio.sleep(LULL)
            await storm.stop()
    stored = {comment.body for comment in await desk.rows(Comment)}
    return Failover(storm, stored, refused_for, after_promotion)


class TestThePrimaryDies:
    async def test_the_desk_goes_on_with_the_other_host_and_nothing_acknowledged_is_lost(
        self, pair: Pair, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        pair.synchronise()
        is_synchronous = "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
        await until(lambda: pair.primary.ask(is_synchronous), "commits wait for the replica")
        url = HOSTS.format(pair.primary.address, pair.replica.address)
        found = await fail_over(pair, desk, url, tmp_path)
        with capsys.disabled():
            print(f"\nfailover: {found}")
        assert found.storm.acked, "nobody was acknowledged: it proves nothing"
        assert found.lost == set()
        assert set(found.storm.statuses) == {303, 503}
        assert found.after_promotion < NORMAL_WITHIN
        pair.change_places()

    async def test_without_synchronous_replication_saves_are_lost(self, pair: Pair) -> None:
        """The negative control, and why the setting is asked for: this replica had not heard of them."""
        database = Database(create_engines(HOSTS.format(pair.replica.address, pair.primary.address)))
        await add_tag(database, "before")
        pair.replica.freeze()
        await pair.primary.ask("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_replication")
        await add_tag(database, "acknowledged")
        pair.primary.kill()
        pair.replica.thaw()
        await asyncio.to_thread(pair.replica.promote)
        await add_tag(database, "after")
        left = await database.read(lambda session: session.scalars(select(Tag.name)))
        assert set(left) & {"before", "acknowledged", "after"} == {"before", "after"}
        await database.dispose()


async def add_tag(database: Database, name: str) -> None:
    async def add(session) -> None:
        session.add(Tag(name=name))

    await database.run(add, repeatable=True)
