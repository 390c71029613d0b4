"""The audit log outlives everybody's second thoughts: the database itself refuses to change it."""

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from admin_app.actor import ActorKind
from admin_app.db.engine import create_engines
from admin_app.models import AuditAction, AuditLog, AuditMember


@pytest.fixture
async def entry_id(database) -> int:
    async def record(session) -> int:
        entry = AuditLog(
            actor_name="Sam Staff",
            actor_role="staff",
            actor_kind=ActorKind.USER,
            action=AuditAction.EDIT,
            table_name="tickets",
            reason="as it was",
        )
        session.add(entry)
        await session.flush()
        return entry.id

    return await database.run(record)


async def stored(database) -> list[str]:
    async with database.engines.read.connect() as connection:
        return list((await connection.execute(text("SELECT reason FROM audit_logs"))).scalars())


class TestAppendOnly:
    @pytest.mark.parametrize(
        "statement",
        [
            update(AuditLog).values(reason="as it suits"),
            text("UPDATE audit_logs SET reason = 'as it suits'"),
            text("DELETE FROM audit_logs"),
            text("DELETE FROM audit_logs WHERE id = 1"),
        ],
        ids=["update", "textual update", "delete all", "delete one"],
    )
    async def test_an_entry_can_be_neither_changed_nor_removed(self, database, entry_id, statement) -> None:
        async with database.engines.write.connect() as connection:
            with pytest.raises(DBAPIError, match="append-only"):
                await connection.execute(statement)
        assert await stored(database) == ["as it was"]

    async def test_replacing_an_entry_is_removing_it(self, sqlite_url) -> None:
        """SQLite's REPLACE deletes without firing delete triggers, unless recursive triggers are on."""
        engines = create_engines(sqlite_url)
        replace = (
            "REPLACE INTO audit_logs (id, occurred_at, actor_name, actor_role, actor_kind, action, table_name,"
            " record_label, changes, reason, created_at, updated_at) VALUES (1, '2024-05-17', 'Sam', 'staff', 'user',"
            " 'EDIT', 'tickets', '', '{}', :reason, '2024-05-17', '2024-05-17')"
        )
        async with engines.write.begin() as connection:
            await connection.execute(text(replace), {"reason": "as it was"})
        async with engines.write.connect() as connection:
            with pytest.raises(DBAPIError, match="append-only"):
                await connection.execute(text(replace), {"reason": "as it suits"})
        await engines.dispose()

    @pytest.mark.parametrize("statement", ["TRUNCATE audit_logs CASCADE", "TRUNCATE audit_members"])
    async def test_the_log_cannot_be_emptied_at_one_stroke(self, postgresql_url, statement: str) -> None:
        """PostgreSQL's TRUNCATE fires no trigger per row; SQLite has none, its DELETE of everything is above."""
        engines = create_engines(postgresql_url)
        async with engines.write.connect() as connection:
            with pytest.raises(DBAPIError, match="append-only"):
                await connection.execute(text(statement))
        await engines.dispose()

    async def test_entries_can_be_added(self, database, entry_id) -> None:
        assert await stored(database) == ["as it was"]


@pytest.fixture
async def member_id(database, entry_id) -> int:
    async def record(session) -> int:
        member = AuditMember(audit_log_id=entry_id, table_name="tickets", record_id=7, record_label="as it was")
        session.add(member)
        await session.flush()
        return member.id

    return await database.run(record)


class TestMembers:
    @pytest.mark.parametrize(
        "statement",
        [
            update(AuditMember).values(record_label="as it suits"),
            text("DELETE FROM audit_members"),
            text("DELETE FROM audit_members WHERE record_id = 7"),
        ],
        ids=["update", "delete all", "delete one"],
    )
    async def test_what_a_batch_did_to_one_record_stays_as_well(self, database, member_id, statement) -> None:
        async with database.engines.write.connect() as connection:
            with pytest.raises(DBAPIError, match="append-only"):
                await connection.execute(statement)
        async with database.engines.read.connect() as connection:
            labels = list((await connection.execute(text("SELECT record_label FROM audit_members"))).scalars())
        assert labels == ["as it was"]
