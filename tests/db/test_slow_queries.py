"""Slow statements are grouped and measured; no value that anybody searched for is ever kept."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, literal_column, select, text

from admin_app.db import slow_queries
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.db.holders import Holder, current_holder
from admin_app.db.slow_queries import MOST_STATEMENTS, SlowQueries, SlowStatement
from admin_app.models import Ticket, User


def seen_by(slow: SlowQueries) -> list[SlowStatement]:
    return [statement for _, statement in slow.kinds()]


class TestNote:
    def test_what_is_fast_enough_is_not_kept(self) -> None:
        slow = SlowQueries(0.1)
        slow.note("SELECT 1", 0.099, "GET /")
        slow.note("SELECT 1", 0.1, "GET /")
        assert [statement.count for statement in seen_by(slow)] == [1]
        assert slow.seen == 1

    def test_one_kind_has_its_count_its_longest_and_its_last_hundred(self) -> None:
        slow = SlowQueries(0.0)
        for number in range(150):
            slow.note(f"SELECT {number}", number / 100, "GET /")
        [statement] = seen_by(slow)
        assert (statement.statement, statement.count, statement.longest) == ("SELECT ?", 150, 1.49)
        assert (len(statement.durations), min(statement.durations)) == (100, 0.5)

    def test_routes_are_kept_without_ids_each_once_and_only_the_last_five(self) -> None:
        slow = SlowQueries(0.0)
        for route in (
            "GET /admin/ticket/details/7",
            "GET /admin/ticket/details/8",
            "GET /admin/ticket/number/T-000123",
        ):
            slow.note("SELECT 1", 1, route)
        [statement] = seen_by(slow)
        assert list(statement.routes) == ["GET /admin/ticket/details/{id}", "GET /admin/ticket/number/{id}"]
        for letter in "abcdef":
            slow.note("SELECT 1", 1, f"GET /{letter}")
        assert list(statement.routes) == ["GET /b", "GET /c", "GET /d", "GET /e", "GET /f"]
        slow.note("SELECT 1", 1, "GET /" + "x" * 1000)
        assert len(statement.routes[-1]) == slow_queries.LONGEST_ROUTE

    def test_memory_is_bounded_and_the_quietest_kind_goes_first(self) -> None:
        slow = SlowQueries(0.0)
        for number in range(MOST_STATEMENTS):
            slow.note(f"SELECT a{number} FROM t", 1, "GET /")
        slow.note("SELECT a0 FROM t", 1, "GET /")
        for number in range(50):
            slow.note(f"SELECT b{number} FROM t", 1, "GET /")
        kept = {statement.statement for statement in seen_by(slow)}
        assert (len(kept), slow.forgotten) == (MOST_STATEMENTS, 50)
        assert "SELECT a0 FROM t" in kept
        assert "SELECT a1 FROM t" not in kept

    def test_a_long_statement_is_shown_in_part(self) -> None:
        slow = SlowQueries(0.0)
        slow.note("SELECT " + ", ".join(f"column{number}" for number in range(1000)), 1, "GET /")
        assert len(seen_by(slow)[0].statement) == slow_queries.LONGEST_SHOWN


class TestWatch:
    @pytest.fixture
    def slow(self, database: Database) -> SlowQueries:
        slow = SlowQueries(0.0)
        slow.watch(database.engines)
        return slow

    async def test_statements_of_readers_and_writers_are_measured_once_each(self, database, slow) -> None:
        statement = select(User.id).where(User.email == "kim@desk.example")
        await database.read(lambda session: session.execute(statement))
        await database.run(lambda session: session.execute(statement))
        await database.read(lambda session: session.execute(statement), aside=True)
        [found] = [kind for kind in seen_by(slow) if "FROM users" in kind.statement]
        assert found.count == 3
        assert 0 < found.longest < 60

    async def test_no_value_is_kept_however_it_was_given(self, database, slow) -> None:
        wanted = select(Ticket.id).where(Ticket.title == "hunter2", Ticket.id.in_([4711, 4712]))
        literal = select(func.lower(literal_column("'hunter2'")), literal_column("4711"))
        for statement in (wanted, literal, text("SELECT 'hunter2' WHERE 4711 = :id").bindparams(id=4711)):
            await database.read(lambda session, statement=statement: session.execute(statement))
        kept = " ".join(kind.statement for kind in seen_by(slow))
        assert "SELECT" in kept
        assert "hunter2" not in kept
        assert "4711" not in kept

    async def test_the_route_is_that_of_the_request(self, database, slow) -> None:
        current_holder.set(Holder("GET /admin/ticket/details/7"))
        await database.read(lambda session: session.execute(select(User.id)))
        [found] = [kind for kind in seen_by(slow) if "FROM users" in kind.statement]
        assert list(found.routes) == ["GET /admin/ticket/details/{id}"]

    async def test_a_statement_that_the_database_gives_up_on_counts_too(self, database, slow) -> None:
        with pytest.raises(Exception, match="no_such_table"):
            await database.read(lambda session: session.execute(text("SELECT * FROM no_such_table")))
        [found] = [kind for kind in seen_by(slow) if "no_such_table" in kind.statement]
        assert found.count == 1

    async def test_a_failure_without_a_statement_is_none_of_its_business(self, slow) -> None:
        class Failure:
            statement: Any = None

        slow._failed(Failure())
        assert seen_by(slow) == []

    async def test_a_failure_before_the_statement_was_sent_has_no_duration(self, slow) -> None:
        class Failure:
            statement = "SELECT 1"
            execution_context: Any = None

        slow._failed(Failure())
        assert seen_by(slow) == []

    async def test_waiting_is_measured(self, postgresql_url: str) -> None:
        database = Database(create_engines(postgresql_url))
        slow = SlowQueries(0.1)
        slow.watch(database.engines)
        await database.read(lambda session: session.execute(text("SELECT 1")))
        await database.read(lambda session: session.execute(text("SELECT pg_sleep(0.2)")))
        await database.dispose()
        [found] = seen_by(slow)
        assert (found.statement, found.count) == ("SELECT pg_sleep(…)", 1)
        assert 0.2 <= found.longest < 10

    async def test_many_at_once_are_not_mixed_up(self, database, slow) -> None:
        await asyncio.gather(
            *(database.read(lambda session: session.execute(select(User.id))) for _ in range(10)),
            *(database.read(lambda session: session.execute(select(Ticket.id))) for _ in range(10)),
        )
        counts = {kind.statement: kind.count for kind in seen_by(slow) if "FROM" in kind.statement}
        assert sorted(counts.values()) == [10, 10]
