"""The pool page while PostgreSQL is stopped, and while it is frozen: within a second, with what was known before."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from tests.faults.posting import Poster, signed_in
from tests.faults.test_workers import until
from tests.flows.serving import serving
from tests.services.records.test_alarms import listening
from tests.support import chaos, waiting
from tests.support.breakable import BreakableServer, breakable_server
from tests.support.cast import store_cast
from tests.support.migrating import migrate
from tests.web.browsing import text_of

LOOKS = chaos.times(5, 50)
WITHIN = chaos.seconds(with_others=1.0, alone=0.8)
NO_ANSWER = "The database does not answer"


async def slowest_of(olaf: Poster, looks: int) -> tuple[float, httpx.Response]:
    """The longest that the page took, and the last answer."""
    slowest = 0.0
    for _ in range(looks):
        started = time.monotonic()
        answer = await olaf.look("/admin/pool")
        slowest = max(slowest, time.monotonic() - started)
        assert answer.status_code == 200
    return slowest, answer


@pytest.fixture
def postgres() -> Iterator[BreakableServer]:
    """A server that this test may break."""
    with breakable_server() as server:
        migrate(server.database_url)
        yield server


class TestWithoutADatabase:
    async def test_the_page_answers_whom_it_knows_within_a_second_and_recovers(
        self, postgres: BreakableServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        database = Database(create_engines(postgres.database_url))
        cast = await store_cast(database)
        with (
            listening() as (hook, heard),
            serving(postgres.database_url, tmp_path, alert_webhook_url=hook, alert_database_seconds=0.1) as server,
        ):
            olaf = await signed_in(database, server, cast.olaf.id)
            newcomer = await signed_in(database, server, cast.ada.id)
            await until(olaf, lambda answer: "Oldest transaction" in answer.text, 10)
            await asyncio.to_thread(postgres.stop)
            stopped, _ = await slowest_of(olaf, LOOKS)
            noticed, page = await until(olaf, lambda answer: NO_ANSWER in answer.text, 10)
            assert "Oldest transaction" in text_of(page), "the last known view, with its age"
            assert "could not be asked who you are" in text_of(page)
            assert "each host tells people of that for itself" in text_of(page)
            assert (await olaf.look("/admin/errors")).status_code == 503, "the pass opens one page alone"
            assert (await newcomer.look("/admin/pool")).status_code == 503, "nobody knows who this is"
            await waiting.until(lambda: heard, "people are told without the database")
            assert [(told["event"], told["incident"]) for told in heard] == [("incident.opened", "database")]
            await asyncio.to_thread(postgres.start)
            back, _ = await until(olaf, lambda answer: NO_ANSWER not in answer.text, 15)
            assert (await newcomer.look("/admin/pool")).status_code == 200
            postgres.freeze()
            frozen, page = await slowest_of(olaf, LOOKS)
            postgres.thaw()
        for poster in (olaf, newcomer):
            await poster.client.aclose()
        await database.dispose()
        with capsys.disabled():
            print(
                f"\nslowest page of {LOOKS}: stopped {1000 * stopped:.0f} ms, frozen {1000 * frozen:.0f} ms; "
                f"noticed after {noticed:.1f} s, back after {back:.1f} s"
            )
        assert max(stopped, frozen) < WITHIN
