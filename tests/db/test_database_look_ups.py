"""What one statement finds, without a transaction around it."""

import pytest
from sqlalchemy import func, insert, select, text

from admin_app.db.holders import Holder, current_holder
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import TimedOut, Unavailable, WriteOutsideService
from admin_app.models import Tag, Ticket
from tests.db.test_failures import postgresql as fault


class TestLookUp:
    async def test_it_reads_without_a_transaction_over_the_same_connections(self, database) -> None:
        async def look(connection) -> None:
            assert connection.engine.pool is database.engines.read.pool
            clock = func.transaction_timestamp() if database.engines.dialect == "postgresql" else func.random()
            now = select(clock).execution_options(**INCLUDE_DELETED)
            assert await connection.scalar(now) != await connection.scalar(now)
            driver = (await connection.get_raw_connection()).driver_connection
            assert not (driver.in_transaction if database.engines.dialect == "sqlite" else driver.is_in_transaction())

        await database.look_up(look)

    async def test_the_next_reader_has_a_transaction_again(self, database) -> None:
        await database.look_up(lambda connection: connection.execute(text("SELECT 1")))

        async def look(session) -> bool:
            await session.execute(select(1))
            driver = (await (await session.connection()).get_raw_connection()).driver_connection
            return driver.in_transaction if database.engines.dialect == "sqlite" else driver.is_in_transaction()

        assert await database.read(look)

    async def test_it_refuses_to_write(self, database) -> None:
        for statement in (insert(Tag).values(name="a"), text("DELETE FROM tags")):
            with pytest.raises(WriteOutsideService):
                await database.look_up(lambda connection, s=statement: connection.execute(s))
        count = select(func.count(Tag.id)).execution_options(**INCLUDE_DELETED)
        assert await database.look_up(lambda connection: connection.scalar(count)) == 0

    async def test_it_says_itself_what_it_wants_of_deleted_rows(self, database) -> None:
        """Past a session nothing hides them: a select that does not think of them would show them."""
        with pytest.raises(RuntimeError, match="INCLUDE_DELETED"):
            await database.look_up(lambda connection: connection.scalar(select(func.count(Ticket.id))))
        assert await database.look_up(lambda connection: connection.scalar(text("SELECT 1"))) == 1


class TestReadingAgain:
    async def test_a_lost_connection_is_made_up_for_once(self, database) -> None:
        """It is not asked whether it still works when it came back just now."""
        lost = [fault("57P01")]
        current_holder.set(Holder("GET /a"))

        async def work(session) -> int:
            if lost:
                raise lost.pop()
            return await session.scalar(text("SELECT 1"))

        for read in (database.read, database.look_up):
            lost[:] = [fault("57P01")]
            assert await read(work) == 1
            lost[:] = [fault("57P01"), fault("57P01")]
            with pytest.raises(Unavailable):
                await read(work)
            lost[:] = [fault("57014")]
            with pytest.raises(TimedOut):
                await read(work)
        assert database.retries == current_holder.get().retries == 4
