"""The command for somebody who lost the password and finds no admin: the last admin, say."""

import re

from admin_app.models import AuditLog, PasswordLink, User
from tests.test_main import assert_refused, desk_url, environment, run, stored
from tests.test_main_second_factor import ADA, locked_out

__all__ = ["desk_url", "environment", "locked_out"]


class TestResetPassword:
    def test_it_prints_a_link_once_and_keeps_only_its_hash(self, locked_out: str) -> None:
        done = run("reset-password", "Ada@Desk.Example", "--reason", "Forgotten.", "--url", "https://desk.example/")
        assert (done.exit_code, done.stderr) == (0, "")
        says = r"Ada Admin can set a new password with this link, once, within 60 minutes:\n"
        found = re.fullmatch(says + r"https://desk\.example/admin/password-link\?token=([\w-]{43})\n", done.stdout)
        assert found, done.stdout
        [link], [entry] = stored(locked_out, PasswordLink), stored(locked_out, AuditLog)
        assert (len(link.token_hash), link.token_hash == found[1]) == (64, False)
        assert (entry.action, entry.actor_name, entry.reason) == ("RESET_LINK_MADE", "Command line", "Forgotten.")
        assert [user.password_hash for user in stored(locked_out, User)] == [None]

    def test_a_mistake_is_one_sentence(self, locked_out: str) -> None:
        assert_refused(run("reset-password", "who@desk.example", "--reason", "r"), "Nobody here has the address")
        assert_refused(run("reset-password", ADA, "--reason", " "), "Reason:")
        assert stored(locked_out, PasswordLink) == []
