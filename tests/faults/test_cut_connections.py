"""R-05: the connection is cut at COMMIT; every change is there exactly once, and nobody is told a lie about it."""

import uuid
from collections.abc import AsyncIterator

import pytest

from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.errors import AppError, Unavailable
from admin_app.models import Comment
from admin_app.services.operations import comments
from admin_app.services.records import idempotency
from tests.services.scenes import Desk
from tests.support import chaos
from tests.support.cast import store_cast
from tests.support.proxy import Cut, CuttingProxy

TIMES = chaos.times(60, 200)


@pytest.fixture
async def proxy(postgresql_url: str) -> AsyncIterator[CuttingProxy]:
    """A line to PostgreSQL that can be cut. SQLite has no line."""
    async with CuttingProxy(postgresql_url) as proxy:
        yield proxy


@pytest.fixture
async def desk(proxy: CuttingProxy) -> AsyncIterator[Desk]:
    """The cast behind the proxy."""
    database = Database(create_engines(proxy.database_url))
    yield Desk(database, await store_cast(database))
    await database.dispose()


async def comment(desk: Desk, ticket_id: int, body: str, *, with_key: bool) -> None:
    """Comment as a form would (with its key), or as the command line would (without)."""

    async def work(session):
        return await comments.add(session, desk.cast.sam, ticket_id, body=body, is_internal=True)

    if not with_key:
        await desk.database.run(work)
        return
    key = idempotency.key_hash(body, desk.cast.sam.id)
    await desk.database.run(lambda session: idempotency.once(session, key, work), repeatable=True)


class TestFormsWithAKey:
    @pytest.mark.parametrize("cut", [Cut.BEFORE_COMMIT, Cut.AFTER_COMMIT], ids=lambda cut: cut.name.lower())
    async def test_each_is_applied_exactly_once_and_acknowledged(
        self, desk: Desk, proxy: CuttingProxy, cut: Cut, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ticket = await desk.ticket()
        bodies = [uuid.uuid4().hex for _ in range(TIMES)]
        acked, refused = 0, 0
        for body in bodies:
            proxy.arm(cut)
            try:
                await comment(desk, ticket.id, body, with_key=True)
                acked += 1
            except AppError:
                refused += 1
        stored = [row.body for row in await desk.rows(Comment)]
        with capsys.disabled():
            print(f"\nR-05 {cut.name}: cuts {proxy.cuts}, acked {acked}, refused {refused}, stored {len(stored)}")
        assert proxy.cuts == TIMES
        assert (acked, refused) == (TIMES, 0)
        assert sorted(stored) == sorted(bodies)


class TestWithoutAKey:
    async def test_a_change_that_may_be_applied_is_never_repeated_nor_called_failed(
        self, desk: Desk, proxy: CuttingProxy
    ) -> None:
        ticket = await desk.ticket()
        proxy.arm(Cut.AFTER_COMMIT)
        with pytest.raises(Unavailable, match="look whether the change is there"):
            await comment(desk, ticket.id, "once", with_key=False)
        assert [row.body for row in await desk.rows(Comment)] == ["once"]


class TestTheTestItself:
    async def test_a_retry_that_does_not_ask_its_key_is_found_out(self, desk: Desk, proxy: CuttingProxy) -> None:
        """Negative control: the same cut with a blind retry stores the comment twice."""
        ticket = await desk.ticket()
        proxy.arm(Cut.AFTER_COMMIT)

        async def work(session):
            return await comments.add(session, desk.cast.sam, ticket.id, body="twice", is_internal=True)

        await desk.database.run(work, repeatable=True)
        assert [row.body for row in await desk.rows(Comment)] == ["twice", "twice"]
