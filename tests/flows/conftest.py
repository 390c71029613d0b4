"""A real browser, a real server and the cast: one of each per file and database."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import DATABASES
from tests.flows.people import PATIENCE, Person
from tests.flows.serving import Server, serving
from tests.flows.stage import Stage
from tests.support.browser import browser_path
from tests.support.postgresql import PostgresServer

expect.set_options(timeout=PATIENCE)

Enter = Callable[..., Person]


@pytest.fixture(scope="module", params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated, empty database for all stories of one file: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("story") / "desk.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
        yield f"sqlite+aiosqlite:///{file}"
        return
    server: PostgresServer = request.getfixturevalue("postgresql")
    name = server.create_database(template=request.getfixturevalue("migrated_postgresql"))
    yield server.database_url(name)
    server.drop_database(name)


@pytest.fixture(scope="module")
def server_settings() -> dict[str, object]:
    """Settings of the server that differ from the defaults; a file of stories may replace this."""
    return {}


@pytest.fixture(scope="module")
def server(
    database_url: str, server_settings: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The desk, served by a process of its own."""
    with serving(database_url, tmp_path_factory.mktemp("server"), **server_settings) as server:
        yield server


@pytest.fixture(scope="module")
def stage(database_url: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The cast on the database behind the server."""
    with start_blocking_portal() as portal:
        stage = Stage(portal, database_url, tmp_path_factory.mktemp("stage"), server)
        yield stage
        stage.close()


@pytest.fixture(scope="module")
def browser(stage: Stage) -> Iterator[Browser]:
    """Chromium, without a window. It comes last and goes first: while it runs, no event loop can be started here."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, stage: Stage) -> Iterator[Callable[..., Page]]:
    """`visitor()` opens a window that nobody has signed in with; options as in Playwright's `new_context`."""
    opened = []

    def open_window(server: Server | None = None, **options: object) -> Page:
        context = browser.new_context(base_url=(server or stage.server).url, **options)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        return context.new_page()

    yield open_window
    for context in opened:
        context.close()


@pytest.fixture(scope="module")
def sign_ins() -> dict[tuple[str, str], list[Any]]:
    """Cookies of those who have signed in already, by server and first name."""
    return {}


@pytest.fixture
def enter(visitor: Callable[..., Page], stage: Stage, sign_ins: dict[tuple[str, str], list[Any]]) -> Enter:
    """`enter("sam")` gives Sam a window of his own, signed in; with `anew`, by a sign-in that he may end."""

    def enter(first_name: str, server: Server | None = None, *, anew: bool = False, **options: object) -> Person:
        person = Person(first_name, visitor(server, **options))
        key = ((server or stage.server).url, first_name)
        if anew or key not in sign_ins:
            person.sign_in()
        else:
            person.page.context.add_cookies(sign_ins[key])
            person.go("/admin/")
        if not anew:
            sign_ins[key] = person.page.context.cookies()
        return person

    return enter


@pytest.fixture(scope="module")
def a_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something to attach."""
    file = tmp_path_factory.mktemp("files") / "smoke.txt"
    file.write_text("It is still smoking.\n")
    return file
