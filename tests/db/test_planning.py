"""Statements whose cost is known beforehand."""

from unittest.mock import AsyncMock

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

from admin_app.db import planning
from admin_app.db.database import Database
from admin_app.models import User
from tests.support.cast import Cast

INDEX = "ix_users_full_name_id"


class TestRowsInIndex:
    async def test_nothing_is_known_before_somebody_looked(self, database: Database, cast: Cast) -> None:
        assert await database.read(lambda session: planning.rows_in_index(session, "no such index")) <= 0
        await database.run(lambda session: session.execute(text("ANALYZE users")))
        assert await database.read(lambda session: planning.rows_in_index(session, INDEX)) == len(cast.users)
        assert await database.read(lambda session: planning.rows_in_index(session, "no such index")) <= 0

    async def test_whatever_else_fails_is_not_taken_for_knowing_nothing(self) -> None:
        reader = AsyncMock(scalar=AsyncMock(side_effect=OperationalError("SELECT", {}, Exception("disk I/O error"))))
        reader.get_bind = lambda: create_engine("sqlite://")
        with pytest.raises(OperationalError, match="disk I/O"):
            await planning.rows_in_index(reader, INDEX)


class TestAmongFound:
    async def test_only_rows_that_are_found(self, database: Database, cast: Cast) -> None:
        found = select(User.id).where(User.full_name.startswith("S")).order_by(User.id).limit(2)
        names = select(User.id).where(planning.among_found(User.id, found)).order_by(User.id)
        assert list(await database.read(lambda session: session.scalars(names))) == [
            cast.users["sam"],
            cast.users["sid"],
        ]

    def test_sqlite_is_not_asked_whether_it_is_one(self) -> None:
        """`id IN (…) = 1` is true of the same rows, but no index answers it."""
        statement = select(User.id).where(planning.among_found(User.id, select(User.id).limit(2)))
        assert "= 1" not in str(statement.compile(dialect=sqlite.dialect()))


class TestWritten:
    def test_a_value_stands_in_the_statement_and_each_has_its_own(self) -> None:
        first, other = (select(User.id).limit(planning.written(most)) for most in (7, 8))
        for dialect in (postgresql.dialect(), sqlite.dialect()):
            assert "LIMIT 7" in str(first.compile(dialect=dialect))
        assert first._generate_cache_key() != other._generate_cache_key()
        word = select(User.id).where(User.role == planning.written("it's"))
        assert "= 'it''s'" in str(word.compile(dialect=postgresql.dialect()))
