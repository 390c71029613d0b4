"""What the database says of itself."""

import asyncio

from sqlalchemy import text

from admin_app.db.database import Database
from admin_app.db.engine import Engines
from admin_app.db.own_view import FileView, ServerView, _size, own_view
from tests.support.waiting import until


async def until_somebody_is_blocked(engines: Engines) -> ServerView:
    """The first view that shows it."""

    async def view_with_somebody_blocked() -> ServerView | None:
        seen = await own_view(engines)
        assert isinstance(seen, ServerView)
        return seen if seen.blocked else None

    return await until(view_with_somebody_blocked, "somebody is blocked")


class TestOwnView:
    async def test_it_says_what_this_kind_of_database_knows(self, database: Database, cast) -> None:
        engines = database.engines
        seen = await own_view(engines)
        if engines.dialect == "sqlite":
            assert isinstance(seen, FileView)
            assert seen.file > 100_000
            assert seen.log > 0  # the cast was just stored
            assert seen.free >= 0
            return
        assert isinstance(seen, ServerView)
        assert (seen.blocked, seen.replicas) == ([], [])
        assert 0 < seen.connections <= seen.limit
        async with engines.write.connect() as connection:
            await connection.execute(text("SELECT 1"))
            await asyncio.sleep(0.05)
            seen = await own_view(engines)
        assert isinstance(seen, ServerView)
        assert dict(seen.backends)["idle in transaction"] == 1
        assert seen.oldest_transaction >= 0.05

    async def test_who_blocks_whom_is_named_without_a_value(self, database: Database, cast) -> None:
        engines = database.engines
        if engines.dialect == "sqlite":
            return  # one writer at a time: the queue for it is in the pool's own figures
        change = text("UPDATE users SET full_name = 'hunter2' WHERE id = 1")
        async with engines.write.connect() as first, engines.write.connect() as second:
            await first.execute(change)
            holder = await first.scalar(text("SELECT pg_backend_pid()"))
            waiting = asyncio.create_task(second.execute(change))
            seen = await until_somebody_is_blocked(engines)
            await first.rollback()
            await waiting
        [blocked] = seen.blocked
        assert list(blocked.by) == [holder]
        assert blocked.statement == "UPDATE users SET full_name = ? WHERE id = ?"

    def test_a_log_that_is_not_there_has_no_size(self, tmp_path) -> None:
        assert _size(tmp_path / "nothing") == 0
