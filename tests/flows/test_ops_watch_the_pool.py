"""Olaf looks at the pool, also while connections are held, and while there is no database."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.conftest import DATABASES
from tests.flows.people import Person
from tests.flows.stage import Stage
from tests.support.breakable import breakable_server
from tests.support.migrating import migrate

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server_settings() -> dict[str, object]:
    """A small pool, and time enough to look at it while somebody waits."""
    return {
        "pool_size": 1,
        "pool_max_overflow": 1,
        "lock_timeout_seconds": 60,
        "statement_timeout_seconds": 60,
        "command_timeout_seconds": 60,
        "pool_timeout_seconds": 1,
        "leak_suspect_seconds": 2,
    }


@dataclass(frozen=True)
class Database:
    """One that can go, as a server that is stopped or a disk that is pulled out, and come back."""

    url: str
    go: Callable[[], object]
    come_back: Callable[[], object]


@pytest.fixture(scope="module", params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Migrated and empty; PostgreSQL is a server of its own, because others go on with the one that all share."""
    if request.param == "postgresql":
        with breakable_server() as server:
            migrate(server.database_url)
            yield Database(server.database_url, server.stop, server.start)
        return
    disk = tmp_path_factory.mktemp("disk")
    pulled_out: Path = disk.with_name(f"{disk.name}-pulled-out")
    shutil.copy(request.getfixturevalue("migrated_sqlite"), disk / "desk.sqlite3")
    url = f"sqlite+aiosqlite:///{disk / 'desk.sqlite3'}"
    yield Database(url, lambda: disk.rename(pulled_out), lambda: pulled_out.rename(disk))


@pytest.fixture(scope="module")
def database_url(database: Database) -> str:
    """Of the one that can go."""
    return database.url


def write_pool(person: Person, stage: Stage) -> Locator:
    """The part of the page about the pool that writes go through."""
    name = {"sqlite": "Writer", "postgresql": "Main"}[stage.dialect]
    return person.main.locator("#live section").filter(has=person.page.get_by_role("heading", name=name))


REFRESHES_EVERY = 2_000
REFRESHES = 60


def let_time_pass(person: Person) -> None:
    """Until the page has asked for fresh figures; its clock is ours."""
    with person.page.expect_event("requestfinished", lambda request: request.url.endswith("/admin/pool")):
        person.page.clock.run_for(REFRESHES_EVERY)


def refreshed_until(person: Person, pool: Locator, text: str) -> None:
    """Refreshes until the page says it: a worker reports every two seconds, and the page tells the last report."""
    for _ in range(REFRESHES):
        let_time_pass(person)
        if text in pool.inner_text():
            return
        time.sleep(0.2)
    expect(pool).to_contain_text(text)


@pytest.fixture
def picture(stage: Stage) -> Callable[[Person, str], None]:
    """`picture(olaf, "healthy")` keeps what the page looks like, wide and narrow, light and dark, when asked to."""

    def take(person: Person, state: str) -> None:
        folder = os.environ.get("SCREENSHOTS")
        for width in (1280, 390) if folder else ():
            for scheme in ("light", "dark"):
                person.page.set_viewport_size({"width": width, "height": 900})
                if person.page.locator("html").get_attribute("data-bs-theme") != scheme:
                    person.page.locator("[data-theme-toggle]").evaluate("button => button.click()")
                file = f"{folder}/pool-{state}-{stage.dialect}-{width}-{scheme}.png"
                person.page.screenshot(path=file, full_page=True, animations="disabled")

    return take


@pytest.fixture
def olaf(enter) -> Person:
    """At the pool page, with a clock that stands still."""
    olaf = enter("olaf")
    olaf.page.clock.install()
    assert olaf.go("/admin/pool") == 200
    return olaf


@contextmanager
def waiting_for_a_lock(stage: Stage, *people: Person) -> Iterator[str]:
    """They send comments that cannot be written yet: each request keeps a connection. Gives the route of the last."""
    for person in people:
        ticket = stage.ticket()
        person.open(ticket)
        person.fill("Add a comment", "Held up.")
    with stage.tickets_held():
        for person in people:
            person.main.get_by_role("button", name="Comment", exact=True).click(no_wait_after=True)
            person.until(stage.somebody_waits)
        yield f"POST /admin/ticket/comment/{ticket.id}"
    for person in people:
        person.sees("Your comment")


class TestPool:
    def test_figures_refresh_by_themselves_and_name_who_holds_a_connection_for_too_long(
        self, olaf, enter, stage, picture
    ) -> None:
        expect(olaf.heading).to_have_text("Database pool")
        pool = write_pool(olaf, stage)
        expect(pool.locator("[data-say]")).to_have_text("Healthy")
        expect(pool).to_contain_text("0 of")
        olaf.sees("None open", "Nobody.", "When a figure is red")
        picture(olaf, "healthy")
        with waiting_for_a_lock(stage, enter("sid")) as route:
            refreshed_until(olaf, pool, "1 of")
            held = olaf.main.get_by_role("row").filter(has_text=route)
            expect(held).to_contain_text("Sid Staff")
            refreshed_until(olaf, held, "May never come back.")
            refreshed_until(olaf, olaf.main, f"A connection may never come back: {route} has held one")
            picture(olaf, "leaking")
            another = enter("olaf")
            assert another.go("/admin/pool") == 200, "it opens while connections are held"
            expect(another.main.get_by_role("row").filter(has_text=route)).to_be_visible()
        refreshed_until(olaf, pool, "0 of")

    def test_says_that_no_connection_is_left(self, olaf, enter, stage, picture) -> None:
        writers = {"sqlite": ["sid"], "postgresql": ["sid", "sam"]}[stage.dialect]
        pool = write_pool(olaf, stage)
        with waiting_for_a_lock(stage, *[enter(name) for name in writers]):
            refreshed_until(olaf, pool, "Exhausted")
            expect(pool).to_contain_text(f"{len(writers)} of {len(writers)}")
            picture(olaf, "exhausted")
        refreshed_until(olaf, pool, "0 of")

    def test_says_when_the_desk_no_longer_answers_and_when_it_does_again(self, olaf) -> None:
        stale = olaf.main.get_by_text("These figures are no longer fresh")
        expect(stale).to_be_hidden()
        olaf.page.route("**/admin/pool", lambda route: route.abort())
        olaf.page.clock.run_for(REFRESHES_EVERY)
        expect(stale).to_be_visible()
        olaf.page.unroute("**/admin/pool")
        let_time_pass(olaf)
        expect(stale).to_be_hidden()

    def test_fresh_figures_leave_the_person_where_they_were_and_without_a_script_there_is_a_link(
        self, olaf, visitor
    ) -> None:
        page = olaf.page
        page.set_viewport_size({"width": 800, "height": 400})
        workers = page.get_by_role("region", name="Workers")
        workers.focus()
        page.evaluate("document.getElementById('workers').dataset.old = 'yes'; scrollTo(0, 300)")
        let_time_pass(olaf)
        expect(page.locator("#workers[data-old]")).to_have_count(0)
        expect(workers).to_be_focused()
        assert page.evaluate("scrollY") == 300
        plain = visitor(java_script_enabled=False)
        plain.context.add_cookies(page.context.cookies())
        plain.goto("/admin/pool")
        plain.get_by_role("link", name="Refresh").click()
        expect(plain.locator("#live")).to_contain_text("1 worker on 1 host")
        expect(plain.locator("svg[role=img]")).to_have_count(1)

    def test_says_that_the_database_is_gone_with_what_was_known_before_and_when_it_is_back(
        self, olaf, stage, database, picture
    ) -> None:
        known = {"sqlite": "Write-ahead log", "postgresql": "Oldest transaction"}[stage.dialect]
        refreshed_until(olaf, olaf.main, known)
        database.go()
        try:
            refreshed_until(olaf, olaf.main, "The database does not answer")
            assert olaf.go("/admin/pool") == 200, "it opens for whoever had it open"
            olaf.sees("nobody has to restart it", "this is what was known before", known)
            before = re.compile("Not known|open")  # one of the test before may not be over yet
            expect(olaf.main.locator("[data-say=Incidents]")).to_have_text(before)
            expect(write_pool(olaf, stage).locator("[data-say]")).to_have_text("No answer")
            olaf.does_not_see("Healthy")
            picture(olaf, "database-down")
        finally:
            database.come_back()
        refreshed_until(olaf, olaf.main.locator("[data-say=Incidents]"), "None open")
        expect(olaf.main).not_to_contain_text("The database does not answer")
        assert olaf.go("/admin/errors") == 200
