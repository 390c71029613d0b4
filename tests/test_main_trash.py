"""Retention on the command line."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from admin_app.cli import trash
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.models import AuditAction, AuditLog, Ticket, User
from tests.test_main import assert_refused, desk_url, environment, run, started, stored

__all__ = ["desk_url", "environment"]


@pytest.fixture
def filled_url(desk_url: str) -> str:
    """Three tickets in the trash for 10, 20 and 30 days, and a live one that points at the oldest."""

    async def fill() -> None:
        database = Database(create_engines(desk_url))

        async def work(session) -> None:
            kim = User(email="kim@desk.example", full_name="Kim Customer")
            session.add(kim)
            await session.flush()
            for number in range(4):
                session.add(Ticket(ticket_number=f"T-{number:06}", title="t", creator_id=kim.id))
            await session.flush()
            now = datetime.now(UTC)
            for number in (1, 2, 3):
                statement = update(Ticket).where(Ticket.ticket_number == f"T-{number:06}")
                deleted = {"deleted_at": now - timedelta(days=10 * number, minutes=1), "delete_batch_id": "b"}
                await session.execute(
                    statement.values(**deleted, delete_reason="r").execution_options(**INCLUDE_DELETED)
                )

        await database.run(work)
        await database.dispose()

    asyncio.run(fill())
    return desk_url


class TestPurgeTrash:
    def test_without_apply_it_only_says_what_would_go(self, filled_url: str) -> None:
        done = started("purge-trash", "--older-than", "20")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines() == [
            "Dry run: nothing was removed. With --apply this would happen:",
            "removed for good 2",
            "kept 0",
        ]
        assert stored(filled_url, AuditLog) == []

    def test_with_apply_it_goes_and_the_audit_log_says_so(self, filled_url: str) -> None:
        done = run("purge-trash", "--older-than", "20", "--apply")
        assert done.exit_code == 0
        assert done.stdout.splitlines() == ["removing for good: 100 %", "removed for good 2", "kept 0"]
        assert {(entry.action, entry.actor_kind) for entry in stored(filled_url, AuditLog)} == {
            (AuditAction.PURGE, "cli")
        }
        again = run("purge-trash", "--older-than", "20", "--apply")
        assert again.stdout.splitlines() == ["removed for good 0", "kept 0"]
        assert "removed for good 1" in run("purge-trash", "--older-than", "1").stdout

    def test_a_reason_is_written_down_and_one_that_is_too_long_is_one_sentence(self, filled_url: str) -> None:
        assert_refused(
            run("purge-trash", "--older-than", "20", "--reason", "r" * 501), "Reason: At most 500 characters"
        )
        run("purge-trash", "--older-than", "20", "--reason", "Kept long enough.", "--apply")
        assert {entry.reason for entry in stored(filled_url, AuditLog)} == {"Kept long enough."}

    def test_what_stays_is_named_a_few_by_number(self, filled_url: str, capsys: pytest.CaptureFixture[str]) -> None:
        kept = [trash.Kept(f"T-{number:06}", "still named as the parent of T-000001") for number in range(21)]
        trash._tell(0, kept)
        told = capsys.readouterr()
        assert told.out.splitlines() == ["removed for good 0", "kept 21"]
        lines = told.err.splitlines()
        assert lines[0] == "T-000000 stays: still named as the parent of T-000001."
        assert (len(lines), lines[-1]) == (21, "… and 1 more.")

    @pytest.mark.parametrize("days", ["0", "-1", "many", "1.5", "99999999999"])
    def test_days_that_are_none_are_one_sentence(self, desk_url: str, days: str) -> None:
        assert_refused(started("purge-trash", "--older-than", days, "--apply"), "older-than", code=2)
