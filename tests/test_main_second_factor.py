"""The command for the admin who lost the phone and the recovery codes."""

import asyncio

import pytest

from admin_app import clock
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.models import AuditLog, SecondFactor, User
from admin_app.permissions import Role
from tests.test_main import assert_refused, desk_url, environment, run, stored

__all__ = ["desk_url", "environment"]

ADA = "ada@desk.example"


@pytest.fixture
def locked_out(desk_url: str) -> str:
    """The only admin, with a second factor."""

    async def add() -> None:
        database = Database(create_engines(desk_url))

        async def work(session) -> None:
            ada = User(email=ADA, full_name="Ada Admin", role=Role.ADMIN)
            session.add(ada)
            await session.flush()
            session.add(SecondFactor(user_id=ada.id, sealed_secret="…", confirmed_at=clock.now()))

        await database.run(work)
        await database.dispose()

    asyncio.run(add())
    return desk_url


class TestResetSecondFactor:
    def test_lets_them_in_with_the_password_alone_and_is_written_down(self, locked_out: str) -> None:
        done = run("reset-second-factor", "Ada@Desk.Example", "--reason", "The phone is in the lake.")
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout == "Ada Admin signs in with the password alone now, and is signed out everywhere.\n"
        assert stored(locked_out, SecondFactor) == []
        [entry] = stored(locked_out, AuditLog)
        assert (entry.action, entry.actor_name) == ("SECOND_FACTOR_RESET", "Command line")
        assert entry.reason == "The phone is in the lake."

    @pytest.mark.parametrize(
        ("email", "reason", "words"),
        [("who@desk.example", "r", "Nobody here has the address who@desk.example."), (ADA, " ", "Reason:")],
    )
    def test_a_mistake_is_one_sentence(self, locked_out: str, email: str, reason: str, words: str) -> None:
        assert_refused(run("reset-second-factor", email, "--reason", reason), words)
        assert len(stored(locked_out, SecondFactor)) == 1

    def test_where_there_is_none_there_is_nothing_to_reset(self, locked_out: str) -> None:
        run("reset-second-factor", ADA, "--reason", "r")
        assert_refused(run("reset-second-factor", ADA, "--reason", "r"), "Ada Admin has no second factor.")
