"""What is secret shows up in no page, no header, no log line and no table, whatever goes wrong."""

import io
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from admin_app.app import create_app
from admin_app.db.base import Base
from admin_app.settings import Environment, Settings
from tests.cli.test_log_lines import formatter_of
from tests.services.scenes import Desk
from tests.support.house import PROJECT_ROOT
from tests.support.waiting import until
from tests.web.browsing import ORIGIN, Visitor, text_of
from tests.web.conftest import PASSWORD
from tests.web.posts import every_post
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]
MARK = "xyzzy"
"""Part of every secret of these tests, and of nothing else."""

TYPED = f"a {MARK} that nobody should ever read"
SECRETS = {
    "secret_key": f"{MARK}-key-{'k' * 40}",
    "secret_key_previous": [f"{MARK}-old-{'k' * 40}"],
    "metrics_token": f"{MARK}-token-of-the-collector",
    "alert_webhook_url": f"http://127.0.0.1:1/{MARK}",
    "alert_email_to": ("ops@desk.example",),
    "alert_email_from": "desk@desk.example",
    "smtp_host": "127.0.0.1",
    "smtp_port": 1,
    "smtp_username": "desk",
    "smtp_password": f"{MARK}-mail",
    "smtp_starttls": False,
}


@pytest.fixture
def chosen_settings() -> dict[str, Any]:
    """Every secret setting has the mark in it."""
    return SECRETS


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as production and as a laptop would write it."""
    text, root = io.StringIO(), logging.getLogger()
    handlers = [logging.StreamHandler(text) for _ in range(2)]
    for handler, environment in zip(handlers, (Environment.PRODUCTION, Environment.DEVELOPMENT), strict=True):
        handler.setFormatter(formatter_of(environment))
        root.addHandler(handler)
    ours, level = logging.getLogger("admin_app"), logging.getLogger("admin_app").level
    ours.setLevel(logging.INFO)
    yield text
    ours.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


class Answers:
    """Answers, and where in them a secret shows."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.leaks: list[str] = []

    def note(self, answer: httpx.Response, *secrets: str) -> None:
        """Look at one; the cookie that carries the sign-in is where its token belongs."""
        headers = [f"{name}: {value}" for name, value in answer.headers.multi_items() if name != "set-cookie"]
        shown = "\n".join([*headers, answer.text])
        self.statuses.append(answer.status_code)
        self.leaks += [f"{secret} in {answer.request.url}" for secret in (MARK, *secrets) if secret in shown]


async def stored(desk: Desk) -> str:
    """Every cell of every table."""
    cells: list[str] = []
    for table in Base.metadata.sorted_tables:
        rows = await desk.read(lambda session, actor, table=table: session.execute(select(table)), desk.cast.ada)
        cells += [repr(tuple(row)) for row in rows]
    return "\n".join(cells)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody foresaw that the dashboard and the hashing of a password fail."""

    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("admin_app.services.pages.dashboard.summary", fail)
    monkeypatch.setattr("admin_app.services.records.passwords.hash_password", fail)


class TestSecrets:
    async def test_signing_in_and_failing_to_leave_none_behind(
        self, app: Starlette, desk: Desk, scene: Scene, window: Any, log: io.StringIO
    ) -> None:
        answers, visitor = Answers(), window()
        form = await visitor.form_at("/admin/login")
        for username in ("sam@desk.example", "nobody@desk.example", TYPED):
            answer = await visitor.submit(form, username=username, password=TYPED)
            if username != TYPED:
                answers.note(answer)
        answers.note(await visitor.submit(form, username="sam@desk.example", password=PASSWORD), PASSWORD)
        token = visitor.client.cookies["desk_session"]
        for path in ("/admin/", "/admin/ticket/list", "/admin/nowhere", "/admin/trash/list", "/metrics"):
            answers.note(await visitor.get(path), token)
        wrong = {"Authorization": f"Bearer {MARK}"}
        answers.note(await window(client=("198.51.100.1", 1)).get("/metrics", headers=wrong))
        assert {200, 303, 400, 403, 404} <= set(answers.statuses)
        assert answers.leaks == []
        await self.nothing_kept(app, desk, log, token, PASSWORD)

    async def test_a_password_that_is_refused_forbidden_or_met_by_a_failure_is_not_shown_again(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit, log: io.StringIO, failing: None
    ) -> None:
        answers, ada = Answers(), await visit("ada")
        secret_posts = [
            (post, name)
            for post in every_post(desk, scene)
            for name in post.typed
            if "password" in name or name.endswith("code")
        ]
        for post, name in secret_posts:
            for value in (TYPED, MARK, TYPED * 100):
                data = {**await post.data(desk), name: value}
                answers.note(await ada.post(post.path, data))
                answers.note(await ada.client.post(post.path, data=data, headers={"Origin": ORIGIN}))
                answers.note(await ada.client.post(post.path, data=data))
        assert secret_posts
        assert answers.leaks == []
        await self.nothing_kept(app, desk, log)

    async def test_a_flood_of_failures_and_an_alert_that_cannot_be_sent_tell_none(
        self, app: Starlette, desk: Desk, scene: Scene, visit: Visit, log: io.StringIO, failing: None
    ) -> None:
        answers, sam = Answers(), await visit("sam")
        token = sam.client.cookies["desk_session"]
        for _ in range(11):
            answers.note(await sam.get("/admin/"), token)
        assert set(answers.statuses) == {500}
        assert answers.leaks == []
        await app.state.errors.close()
        await app.state.lookout.look()
        await until(lambda: "a message could not be sent" in log.getvalue(), "the web hook does not answer")
        await self.nothing_kept(app, desk, log, token)

    async def nothing_kept(self, app: Starlette, desk: Desk, log: io.StringIO, *secrets: str) -> None:
        """Neither the log nor a table holds one."""
        tables, lines = await stored(desk), log.getvalue()
        assert "sam@desk.example" in tables
        for secret in (MARK, *secrets):
            assert secret not in tables
            assert secret not in lines


class TestControl:
    async def test_the_checks_can_fail(self, desk: Desk, log: io.StringIO) -> None:
        await desk.ticket(title=TYPED)
        assert MARK in await stored(desk)
        logging.getLogger("admin_app.web").info("%s", TYPED)
        assert log.getvalue().count(MARK) == 2
        answers = Answers()
        answers.note(httpx.Response(200, text=TYPED, request=httpx.Request("GET", ORIGIN)))
        assert answers.leaks != []


UNREACHABLE = f"postgresql+asyncpg://desk:{MARK}@127.0.0.1:1/desk"


class TestDatabasePassword:
    @pytest.fixture
    async def lost(self, tmp_path: Any) -> AsyncIterator[Visitor]:
        """A window in front of a desk whose database is not there."""
        key = {"secret_key": "k" * 40, "attachments_folder": tmp_path}
        app = create_app(Settings(environment="test", database_url=UNREACHABLE, **key))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            yield Visitor(client)
        await app.state.errors.close()
        await app.state.database.dispose()

    async def test_a_database_that_is_not_there_does_not_tell_it(self, lost: Visitor, log: io.StringIO) -> None:
        typed = {"username": "sam@desk.example", "password": "x"}
        answer = await lost.client.post("/admin/login", data=typed, headers={"Origin": ORIGIN})
        assert answer.status_code == 503, text_of(answer)
        ready = await lost.get("/health/ready")
        assert MARK not in f"{answer.text}{ready.text}{log.getvalue()}"

    @pytest.mark.parametrize(
        "url",
        [
            UNREACHABLE,
            UNREACHABLE.replace(":1/", ":port/"),
            UNREACHABLE.replace("asyncpg", "nothing"),
            f"nothing://desk:{MARK}@127.0.0.1/desk",
            f"desk:{MARK}@127.0.0.1",
        ],
        ids=["unreachable", "no port", "no driver", "no database", "no address"],
    )
    def test_neither_does_the_command_line(self, url: str) -> None:
        command = [sys.executable, "-m", "admin_app", "migrate"]
        environment = {"PATH": "/usr/bin", "ENVIRONMENT": "test", "SECRET_KEY": "k" * 40, "DATABASE_URL": url}
        done = subprocess.run(command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True)
        assert done.returncode != 0
        assert MARK not in done.stdout + done.stderr
