"""S-06: a hundred payloads in every field that people fill in, on every page that a link leads to: none of them runs.

The pages are the same on both databases, so this looks at them once.
"""

import re
import shutil
from collections import Counter
from urllib.parse import quote, urlencode, urlsplit

import pytest
from playwright.sync_api import Error, Page

from admin_app.web.guard import HEADERS
from tests.flows import hostile_desk
from tests.flows.payloads import PAYLOADS, STRANGE, Watch, payload
from tests.flows.stage import Stage
from tests.support.chaos import times

pytestmark = pytest.mark.browser

MOST_OF_A_KIND = times(2, 10)
EVERY_ONE = ("/admin/ticket/details/N",)
NO_PAGES = ("/ticket/attachment/", "/import/rejected/", "/export", "/logout", "/assets/")


@pytest.fixture(scope="module")
def database_url(migrated_sqlite, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An SQLite file."""
    file = tmp_path_factory.mktemp("story") / "desk.sqlite3"
    shutil.copy(migrated_sqlite, file)
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture(scope="module")
def hostile(stage: Stage) -> None:
    """Payloads everywhere; it has to be done before the browser starts."""
    hostile_desk.furnish(stage)


def kind_of(path: str) -> str:
    """Addresses of one kind differ in their numbers and in what they ask for, not in their shape."""
    parts = urlsplit(path)
    names = sorted({question.split("=")[0] for question in parts.query.split("&") if question})
    shape = re.sub(r"/([0-9a-f]{32,64}|T-\d+|\d+)(?=/|$)", "/N", parts.path)
    return shape + (f"?{'&'.join(names)}" if names else "")


def links_on(page: Page) -> list[str]:
    """Where the links of a page lead, our own pages only."""
    ours = page.evaluate(
        "[...document.querySelectorAll('a[href]')].map((link) => link.href)"
        ".filter((address) => address.startsWith(location.origin))"
    )
    paths = [urlsplit(address)._replace(scheme="", netloc="", fragment="").geturl() for address in ours]
    return [path for path in paths if not any(part in path for part in NO_PAGES)]


def go(page: Page, path: str) -> None:
    """Open it; an address that starts a download shows nothing."""
    try:
        page.goto(path)
    except Error as error:
        if "Download is starting" not in str(error):
            raise


def walk(page: Page, watch: Watch, starts: list[str]) -> Counter[str]:
    """Follow every link once and a few of each kind; how many of each kind were looked at."""
    waiting, known, seen = list(starts), set(starts), Counter[str]()
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(path)
        if seen[kind] >= (len(PAYLOADS) if kind in EVERY_ONE else MOST_OF_A_KIND):
            continue
        seen[kind] += 1
        go(page, path)
        watch.look(page)
        fresh = [link for link in links_on(page) if link not in known]
        known.update(fresh)
        waiting += fresh
    return seen


def send(page: Page) -> None:
    """Send the form of a page without the browser's own checks."""
    with page.expect_navigation():
        page.locator("main form").first.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")


class TestWhatIsStored:
    def test_runs_on_no_page(self, hostile, enter, capsys) -> None:
        page = enter("ada").page
        watch = Watch(page.context)
        starts = ["/admin/", "/admin/ticket/list?pageSize=100", "/admin/user/list?pageSize=100", "/admin/trash/list"]
        seen = walk(page, watch, starts)
        with capsys.disabled():
            print(f"\nS-06: {sum(seen.values())} pages of {len(seen)} kinds, {len(watch.ran)} of 100 payloads ran")
        assert watch.found() == {}
        needed = {
            "/admin/ticket/details/N",
            "/admin/ticket/edit/N",
            "/admin/ticket/transfer/N",
            "/admin/trash/details/N",
            "/admin/user/details/N",
            "/admin/audit-log/list",
            "/admin/audit-log/details/N",
            "/admin/notification/list",
            "/admin/import",
            "/admin/import/result/N",
            "/admin/errors",
            "/admin/pool",
        }
        assert needed - set(seen) == set(), "else this walk has not been where people go"
        assert seen["/admin/ticket/details/N"] >= 80


class TestWhatIsAsked:
    def test_comes_back_as_text(self, hostile, enter) -> None:
        page = enter("ada").page
        watch = Watch(page.context)
        names = ("search", "owner", "creator", "tag", "error", "sort", "page", "status")
        people = ("search", "role", "state")
        audit = ("actor", "action", "table", "record", "field", "from", "batch")
        for number in range(0, len(PAYLOADS), times(5, 1)):
            for path, asked in (("ticket", names[:4]), ("ticket", names), ("user", people), ("audit-log", audit)):
                questions = urlencode({name: payload(number + place) for place, name in enumerate(asked)})
                go(page, f"/admin/{path}/list?{questions}")
                watch.look(page)
            go(page, f"/admin/{quote(payload(number), safe='')}")
            watch.look(page)
            go(page, f"/admin/login?{urlencode({'next': payload(number + 1), 'error': payload(number + 2)})}")
            watch.look(page)
        assert watch.found() == {}

    def test_what_was_typed_comes_back_as_text(self, stage, enter) -> None:
        page = enter("ada", anew=True).page
        watch = Watch(page.context)
        for number in range(0, len(PAYLOADS), times(20, 2)):
            page.goto("/admin/ticket/create")
            for field in page.locator(
                "main form input[type=text], main form textarea, main form input:not([type])"
            ).all():
                if field.is_visible():
                    field.fill(payload(number)[:100])
            send(page)
            watch.look(page)
            page.goto("/admin/import")
            lines = f"{payload(number)},{payload(number + 1)}\n{payload(number + 2)},{payload(number + 3)}\n"
            file = {"name": f"{payload(number)}.csv", "mimeType": "text/csv", "buffer": lines.encode()}
            page.locator("input[type=file]").set_input_files(file)
            send(page)
            watch.look(page)
        assert watch.found() == {}

    def test_nor_does_a_sign_in_that_fails(self, stage, visitor) -> None:
        page = visitor()
        watch = Watch(page.context)
        for number in range(0, len(PAYLOADS), times(50, 5)):
            page.goto("/admin/login")
            page.get_by_label("E-mail address").fill(payload(number))
            page.get_by_label("Password").fill(payload(number + 1))
            send(page)
            watch.look(page)
        assert watch.found() == {}


CONTEXTS = (
    "<!doctype html><p>{0}</p>",
    """<!doctype html><input value="{0}"><input value='{0}'><a href="{0}">x</a>""",
    "<!doctype html><title>{0}</title><textarea>{0}</textarea><select><option>{0}</select><!-- {0} -->",
    """<!doctype html><script>var a = '{0}';</script><script>var a = "{0}";</script>""",
)


class TestControl:
    """The same payloads on a page that escapes nothing."""

    def shown(self, visitor, policy: str, contexts: tuple[str, ...]) -> tuple[Watch, set[int]]:
        """All payloads on careless pages; what ran, and which of them left strange elements behind."""
        page = visitor()
        watch = Watch(page.context)
        headers = {"Content-Type": "text/html", **({"Content-Security-Policy": policy} if policy else {})}
        page.route("**/careless", lambda route: route.fulfill(body="<!doctype html><body></body>", headers=headers))
        page.goto("/careless")
        page.evaluate(FRAMES, [context.format(text) for context in contexts for text in PAYLOADS])
        page.wait_for_function("() => window.frames_of_ours.every((one) => one.is_loaded)", timeout=60_000)
        page.wait_for_timeout(500)
        strange = page.evaluate(
            f"() => [...window.frames_of_ours].map((one) => ({STRANGE})(one.contentDocument).length)"
        )
        return watch, {place % len(PAYLOADS) for place, count in enumerate(strange) if count}

    def test_without_escaping_and_policy_they_run(self, stage, visitor, capsys) -> None:
        watch, strange = self.shown(visitor, "", CONTEXTS)
        with capsys.disabled():
            print(
                f"\nS-06 control: {len(watch.ran)} of 100 ran on careless pages, {len(strange)} left strange elements"
            )
        assert len(watch.ran) >= 70
        assert len(watch.ran | strange) >= 95, "each payload is one that some careless page would fall for"

    def test_without_escaping_the_policy_alone_stops_them(self, stage, visitor) -> None:
        watch, _ = self.shown(visitor, HEADERS["Content-Security-Policy"], CONTEXTS[:2])
        assert watch.ran == set()
        assert len(watch.violated) >= 80, "and says so"


FRAMES = """(pages) => {
  window.frames_of_ours = pages.map((page) => {
    const frame = document.createElement("iframe");
    frame.addEventListener("load", () => { frame.is_loaded = true; });
    frame.srcdoc = page;
    return document.body.appendChild(frame);
  });
}"""
