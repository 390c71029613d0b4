"""The command line: every command works, and says in one sentence when it does not."""

import asyncio
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

import admin_app.__main__ as command_line
from admin_app.cli import opening, serving
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.models import AuditLog, Ticket, User
from admin_app.permissions import Role
from admin_app.services.records import passwords
from admin_app.settings import Environment

PASSWORD = "correct horse battery"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Settings of this test's own, and a folder of its own to work in."""
    for name in ("SECRET_KEY", "DEBUG", "HOST", "PORT", "WORKERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    own = {"ENVIRONMENT": "test", "SECRET_KEY": "s" * 40, "ATTACHMENTS_FOLDER": str(tmp_path / "attachments")}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    return own


@pytest.fixture
def desk_url(environment: dict[str, str], database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A migrated, empty database, named in the environment; once SQLite, once PostgreSQL."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return database_url


@pytest.fixture
def unmigrated_url(environment: dict[str, str], empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that no migration has touched, named in the environment."""
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    return empty_database_url


def run(*arguments: str, typed: str = "") -> Result:
    """A command in this process."""
    return CliRunner().invoke(command_line.desk, list(arguments), input=typed)


def started(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A command as people start it, from another folder."""
    command = [sys.executable, "-m", "admin_app", *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)


def typed_here(capsys: pytest.CaptureFixture[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a process begins it, in this one: what a start of its own says is known from `started`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["admin_app", *arguments])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
    printed = capsys.readouterr()
    return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), printed.out, printed.err)


def stored(url: str, model: Any) -> list[Any]:
    """The rows of a table."""

    async def read() -> list[Any]:
        database = Database(create_engines(url))
        rows = await database.read(lambda session: session.scalars(select(model).order_by(model.id)))
        await database.dispose()
        return list(rows)

    return asyncio.run(read())


def assert_refused(result: Result | subprocess.CompletedProcess[str], words: str, *, code: int = 1) -> None:
    """One sentence on standard error, nothing of the code or the database in it."""
    exit_code = result.exit_code if isinstance(result, Result) else result.returncode
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert exit_code == code
    for leak in ("Traceback", "SELECT", "INSERT", 'File "', "sqlalchemy"):
        assert leak not in result.stderr


class TestMigrate:
    def test_an_empty_database_becomes_ready_from_any_folder(self, unmigrated_url: str) -> None:
        done = started("migrate")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "The database is up to date.\n"
        assert stored(unmigrated_url, User) == []

    def test_the_folder_of_an_sqlite_file_is_made(
        self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/new/folder/desk.sqlite3")
        assert run("migrate").exit_code == 0
        file = tmp_path / "new" / "folder" / "desk.sqlite3"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "people's data is for the desk alone to read"

    def test_they_go_past_a_pooler_that_lends_connections(self, environment, monkeypatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://desk@pgbouncer:6432/desk")
        monkeypatch.setenv("TRANSACTION_POOLING", "true")
        assert_refused(run("migrate"), "Migrations go past PgBouncer")


class TestUnmigrated:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["serve"],
            ["create-user", "a@b.example", "--name", "A", "--role", "staff"],
            ["export-tickets"],
            ["seed", "--tickets", "1"],
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_every_command_says_what_to_do(self, unmigrated_url: str, arguments: list[str]) -> None:
        assert_refused(run(*arguments), "is not migrated to this version of the desk. Run: python -m admin_app migrate")

    def test_looking_does_not_make_a_file(self, environment: dict[str, str], monkeypatch, tmp_path: Path) -> None:
        monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/none.sqlite3")
        assert_refused(run("export-tickets"), "is not migrated")
        assert not (tmp_path / "none.sqlite3").exists()


class TestSettings:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"ENVIRONMENT": "production", "SECRET_KEY": "short"}, "SECRET_KEY must be at least 32 characters"),
            ({"ENVIRONMENT": "production", "DEBUG": "1"}, "DEBUG must be off in production"),
            ({"ENVIRONMENT": "holiday"}, "ENVIRONMENT: Input should be 'development', 'test' or 'production'."),
            ({"PORT": "abc"}, "PORT: Input should be a valid integer"),
            ({"DATABASE_URL": "nonsense"}, "DATABASE_URL cannot be read"),
            ({"DATABASE_URL": "mysql://root@localhost/desk"}, "must be for SQLite or PostgreSQL, not mysql"),
            ({"DATABASE_URL": "postgresql://u:hidden@127.0.0.1:1/x"}, "The database cannot be reached."),
        ],
    )
    def test_a_bad_one_is_one_sentence(
        self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], words: str
    ) -> None:
        for name, value in changes.items():
            monkeypatch.setenv(name, value)
        refused = run("serve")
        assert_refused(refused, words)
        assert "hidden" not in refused.stderr

    def test_a_database_that_lets_nobody_in_is_one_sentence(
        self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, postgresql_url: str
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", re.sub(r"/[^/?]+(\?|$)", r"/no_such_desk\1", postgresql_url, count=1))
        assert_refused(run("export-tickets"), "refuses this user, password or database name")


class TestCreateUser:
    def arguments(self, *extra: str, email: str = "nia@desk.example", role: str = "staff") -> list[str]:
        return ["create-user", email, "--name", "Nia Osei", "--role", role, *extra]

    def test_somebody_can_sign_in_with_the_password_from_standard_input(self, desk_url: str) -> None:
        done = started(*self.arguments("--password-stdin", email="Nia@Desk.Example"), typed=f"{PASSWORD}\n")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "Nia Osei <nia@desk.example> is now staff at this desk.\n"
        [nia] = stored(desk_url, User)
        assert (nia.email, nia.full_name, nia.role) == ("nia@desk.example", "Nia Osei", Role.STAFF)
        assert passwords.is_right(PASSWORD, nia.password_hash)
        [entry] = stored(desk_url, AuditLog)
        assert (entry.action, entry.actor_kind, entry.actor_name) == ("CREATE", "cli", "Command line")
        assert "password" not in str(entry.changes)

    def test_without_a_password_nobody_signs_in(self, desk_url: str) -> None:
        assert run(*self.arguments(role="SUPERVISOR")).exit_code == 0
        [nia] = stored(desk_url, User)
        assert (nia.role, nia.password_hash) == (Role.SUPERVISOR, None)

    @pytest.mark.parametrize(
        ("changes", "typed", "words"),
        [
            ({"email": "nia"}, PASSWORD, "Email: Enter an e-mail address such as name@example.com."),
            ({}, "short", "Password: A password has at least 12 characters."),
            ({}, "", "Password: A password has at least 12 characters."),
            ({"email": "nia-long-name@desk.example"}, "nia-long-name", "too much like the name, the e-mail address"),
            ({"role": "customer"}, PASSWORD, "A customer never signs in"),
        ],
    )
    def test_a_mistake_is_one_sentence(self, desk_url: str, changes: dict[str, str], typed: str, words: str) -> None:
        assert_refused(run(*self.arguments("--password-stdin", **changes), typed=typed), words)
        assert stored(desk_url, User) == []

    def test_an_address_is_taken_once(self, desk_url: str) -> None:
        run(*self.arguments())
        assert_refused(run(*self.arguments(email="NIA@desk.example")), "nia@desk.example is taken already.")
        assert len(stored(desk_url, User)) == 1

    def test_an_unknown_role_names_the_known_ones(self, desk_url: str) -> None:
        assert_refused(started(*self.arguments(role="boss")), "'supervisor'", code=2)


class TestMistypedCommands:
    @pytest.mark.parametrize(
        "arguments",
        [["fly"], ["seed"], ["seed", "--tickets", "0"], ["serve", "--port", "99999"], ["import-tickets", "no"]],
    )
    def test_one_sentence_and_exit_code_two(
        self, environment: dict[str, str], capsys: pytest.CaptureFixture[str], arguments: list[str]
    ) -> None:
        assert_refused(typed_here(capsys, *arguments), "", code=2)

    def test_no_command_lists_them_all(self, environment: dict[str, str]) -> None:
        listed = started().stderr + started("--help").stdout
        for command in ("serve", "demo", "migrate", "create-user", "import-tickets", "export-tickets", "seed"):
            assert listed.count(f"  {command} ") == 2


class TestAccidents:
    def test_an_accident_is_one_sentence(self, desk_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def breaks(*args: Any) -> None:
            raise KeyError("SELECT secrets")

        monkeypatch.setattr(opening, "open_database", breaks)
        assert_refused(run("export-tickets"), "Something went wrong (KeyError). DEBUG=1 shows where.")
        monkeypatch.setenv("DEBUG", "1")
        assert "Traceback" in run("export-tickets").stderr


class TestSeed:
    def test_it_adds_that_many_and_says_how_far_it_is(self, desk_url: str) -> None:
        done = started("seed", "--tickets", "30")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == "seeding tickets: 100 %"
        assert re.fullmatch(r"30 tickets in \d+\.\d seconds, [\d,]+ tickets/s", done.stdout.splitlines()[-1])
        assert len(stored(desk_url, Ticket)) <= 30

    def test_never_in_production(self, desk_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENVIRONMENT", "production")
        assert_refused(run("seed", "--tickets", "1"), "not for production")
        assert stored(desk_url, Ticket) == []


class TestServe:
    def test_the_server_gets_what_the_settings_say(self, desk_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[tuple[str, dict[str, Any]]] = []
        monkeypatch.setattr(serving.uvicorn, "run", lambda app, **options: calls.append((app, options)))
        monkeypatch.setenv("WORKERS", "3")
        monkeypatch.setenv("PORT", "1")
        result = run("serve", "--host", "127.0.0.1", "--port", "0")
        assert (result.exit_code, result.stderr) == (0, "")
        [(app, options)] = calls
        assert app == "admin_app.app:create_app_from_environment"
        assert {name: options[name] for name in ("factory", "host", "port", "workers")} == {
            "factory": True,
            "host": "127.0.0.1",
            "port": 0,
            "workers": 3,
        }
        assert (options["proxy_headers"], options["server_header"]) == (False, False)
        assert os.environ["PORT"] == "0"

    def test_a_taken_port_is_one_sentence(self, desk_url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert_refused(run("serve", "--port", str(port)), f"Cannot listen on 127.0.0.1, port {port}")

    @pytest.mark.parametrize(("environment_name", "formatter"), [("production", "json"), ("development", "plain")])
    def test_production_logs_json(self, environment_name: str, formatter: str) -> None:
        config = serving.logging_config(Environment(environment_name))
        formatters = {name: handler["formatter"] for name, handler in config["handlers"].items()}
        assert formatters == {"console": formatter, "requests": "json"}, "a line per request is JSON everywhere"
        assert config["loggers"]["admin_app.requests"]["handlers"] == ["requests"]


class TestDemo:
    def test_never_in_production(self, desk_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENVIRONMENT", "production")
        assert_refused(run("demo"), "The demo is not for production.")
        assert stored(desk_url, User) == []

    def test_two_commands_away_from_a_desk_full_of_work(self, unmigrated_url: str) -> None:
        """From nothing to the sign-in page; the second start loads nothing and keeps what people did."""
        first = self.serve_until_ready()
        for word in ("sam@desk.example", "sue-at-the-desk", "olaf@desk.example", "ada-at-the-desk", "supervisor"):
            assert word in first
        assert "is loaded" in first
        tickets = stored(unmigrated_url, Ticket)
        second = self.serve_until_ready()
        assert "is here already" in second
        assert [t.updated_at for t in stored(unmigrated_url, Ticket)] == [t.updated_at for t in tickets]

    def serve_until_ready(self) -> str:
        """Start the demo, ask for the sign-in page, stop it; what it printed."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "admin_app", "demo", "--port", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_for(f"http://127.0.0.1:{port}/admin/login", server)
        finally:
            server.send_signal(signal.SIGTERM)
            printed, _ = server.communicate(timeout=20)
        assert f"http://127.0.0.1:{port}/admin" in printed
        return printed


def wait_for(url: str, server: subprocess.Popen[str], seconds: float = 75) -> None:
    """Until the page answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer within {seconds} seconds")
