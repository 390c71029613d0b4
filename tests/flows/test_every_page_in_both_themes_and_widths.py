"""Every page, wide and narrow, light and dark: it fits, it can be read, and the browser has nothing to complain of.

`SCREENSHOTS=folder` keeps a picture of each.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from admin_app.models import BatchKind, Channel, ExportFormat, ExportState, Priority, Status, Ticket, WatchLevel
from admin_app.services.batches.bulk import apply, preview, undo
from admin_app.services.batches.bulk.choosing import Selection
from admin_app.services.batches.bulk.preview import Wanted
from admin_app.services.batches.exports import requests
from admin_app.services.batches.exports.pages import Listed
from admin_app.services.operations import comments, following, tickets
from admin_app.services.records.error_tracking import storing
from admin_app.services.records.error_tracking.storing import Counted
from tests.flows.looking import Complaints, hard_to_read, hard_to_see, too_wide
from tests.flows.stage import Stage
from tests.services.records.error_tracking.seeing import seen

pytestmark = pytest.mark.browser

UNBROKEN = "https://shop.example/" + "a-very-long-address-without-a-single-space" * 4
PAGES = {
    "dashboard": "/admin/",
    "tickets": "/admin/ticket/list",
    "tickets-filtered": "/admin/ticket/list?status=on_hold&overdue=yes",
    "tickets-none": "/admin/ticket/list?search=nothing+like+this",
    "ticket": "/admin/ticket/details/{busy}",
    "ticket-quiet": "/admin/ticket/details/{quiet}",
    "ticket-edit": "/admin/ticket/edit/{busy}",
    "ticket-new": "/admin/ticket/create",
    "ticket-transfer": "/admin/ticket/transfer/{busy}",
    "ticket-delete": "/admin/ticket/delete/{busy}",
    "export": "/admin/ticket/export?status=new",
    "export-waiting": "/admin/ticket/export/{export_waiting}",
    "export-finished": "/admin/ticket/export/{export_finished}",
    "export-failed": "/admin/ticket/export/{export_failed}",
    "bulk-hand-over": "/admin/ticket/bulk?action=assign&ids={busy}&ids={quiet}",
    "bulk-close": "/admin/ticket/bulk?action=close&scope=matching&status=new",
    "bulk-preview": "/admin/ticket/bulk/{bulk_previewed}",
    "bulk-done": "/admin/ticket/bulk/{bulk_done}",
    "bulk-undone": "/admin/ticket/bulk/{bulk_undone}",
    "trash-bulk": "/admin/trash/bulk?ids={deleted}",
    "trash": "/admin/trash/list",
    "trash-entry": "/admin/trash/details/{deleted}",
    "trash-restore": "/admin/trash/restore/{deleted}",
    "trash-purge": "/admin/trash/purge/{deleted}",
    "people": "/admin/user/list",
    "person": "/admin/user/details/{kim}",
    "person-edit": "/admin/user/edit/{kim}",
    "person-new": "/admin/user/create",
    "person-role": "/admin/user/role/{sid}",
    "person-off-board": "/admin/user/off-board/{sid}",
    "audit": "/admin/audit-log/list",
    "audit-filtered": "/admin/audit-log/list?action=CREATE&actor=Sam",
    "audit-none": "/admin/audit-log/list?actor=nobody+at+all",
    "audit-entry": "/admin/audit-log/details/1",
    "notifications": "/admin/notification/list",
    "notifications-everyone": "/admin/notification/list?show=everyone",
    "pool": "/admin/pool",
    "errors": "/admin/errors",
    "errors-kind": f"/admin/errors/kind/{'e' * 64}",
}
DIFFERENT = {"pool", "tickets", "tickets-none", "audit"}
"""What a page says of its database, or asks it in words of its own, is looked at in every window on both."""
ERRORS = {"missing": ("/admin/ticket/details/999999", 404), "gone": ("/admin/ticket/details/{deleted}", 410)}


@dataclass(frozen=True)
class Look:
    """A window and a theme."""

    width: int
    theme: str

    def __str__(self) -> str:
        return f"{self.width}-{self.theme}"


WIDTHS = {"sqlite": 1280, "postgresql": 390}
"""The pages are the same on both databases: each shows them in one width, and so each width is looked at once."""
THEMES = ("light", "dark")
LOOKS = [Look(width, theme) for width in WIDTHS.values() for theme in THEMES]


@pytest.fixture(scope="module")
def places(stage: Stage) -> dict[str, int | str]:
    """A desk with something on every page, and what is in its addresses."""
    cast = stage.cast
    busy = stage.ticket(
        f"The order page turns white after paying: {UNBROKEN[:120]}",
        description=f"It began on Monday.\n\nFirst I saw {UNBROKEN}, then nothing.",
        priority=Priority.CRITICAL,
        channel=Channel.SOCIAL,
        category="Orders",
        owner="ada@desk.example",
    )
    for text, is_internal in ((f"See {UNBROKEN}", False), ("Looks like the payment provider.", True)):
        stage.run(lambda s, t=text, i=is_internal: comments.add(s, cast.sam, busy.id, body=t, is_internal=i))
    stage.run(lambda s: following.tag(s, cast.sam, busy.id, names="vip, payment, checkout"))
    stage.run(lambda s: following.watch(s, cast.sam, busy.id, person="sid@desk.example", level=WatchLevel.REPLIES))
    late = stage.ticket("Where is my parcel?", priority=Priority.HIGH, due_at=busy.created_at)
    stage.run(lambda s: tickets.edit(s, cast.sid, late.id, {"status": Status.ON_HOLD, "category": "Post"}, version=1))
    quiet = stage.ticket("Thank you")
    stage.ticket(UNBROKEN[:180], owner="sid@desk.example")
    error = seen(fingerprint="e" * 64, kind="E" * 100, message="e" * 500, path=f"/admin/{UNBROKEN}"[:300])
    stage.run(lambda s: storing.store(s, [Counted(error, 12)]))
    stage.finished(Status.CLOSED, quiet)
    deleted = stage.ticket("Sent twice")
    stage.run(lambda s: comments.add(s, cast.sam, deleted.id, body="A double.", is_internal=False))
    stage.run(lambda s: tickets.delete(s, cast.sam, deleted.id, reason="a double", version=1))
    batches = stored_batches(stage, [busy.id, late.id, quiet.id, deleted.id, 4_711])
    exports = stored_exports(stage)
    return {**exports, "busy": busy.id, "quiet": quiet.id, "deleted": deleted.id, **batches, **cast.users}


def stored_exports(stage: Stage) -> dict[str, str]:
    """One that waits, one that is whole, one that broke off."""
    ada = stage.cast.ada
    ids: dict[str, str] = {}
    for name, state in (("failed", ExportState.FAILED), ("finished", ExportState.FINISHED), ("waiting", None)):
        number = stage.run(lambda s: requests.ask(s, ada, Listed(), ExportFormat.CSV)).id
        ids[f"export_{name}"] = str(number)
        if state is not None:
            stage.run(lambda s, n=number: requests.begin(s, ada, n))
            stage.run(lambda s, n=number, t=state: requests.end(s, ada, n, state=t, rows=12_345, sha256="ab" * 32))
    return ids


def stored_batches(stage: Stage, ids: list[int]) -> dict[str, str]:
    """A preview with a refused row, a batch that is done, and one that is undone, of which one ticket was kept."""
    ada = stage.cast.ada

    def previewed(kind: BatchKind, **typed: str) -> str:
        made = stage.run(lambda s: preview.preview(s, ada, Wanted(kind, typed), Selection(ids=ids)))
        return str(made.batch_id)

    done = previewed(BatchKind.TAG, tags="seen together")
    stage.run(lambda s: apply.apply(s, ada, done))
    undone = previewed(BatchKind.PRIORITY, priority="1")
    stage.run(lambda s: apply.apply(s, ada, undone))
    touched = stage.run(lambda s: s.get(Ticket, ids[1]))
    stage.run(lambda s: tickets.edit(s, ada, touched.id, {"category": "Parcels"}, version=touched.version))
    stage.run(lambda s: undo.undo(s, ada, undone))
    waiting = previewed(BatchKind.ASSIGN, new_owner="sid@desk.example", reason=f"As {UNBROKEN} says")
    return {"bulk_previewed": waiting, "bulk_done": done, "bulk_undone": undone}


def keep_picture(page: Page, look: Look, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}-{look}.png", full_page=True)


def in_menu(page: Page) -> dict[str, str]:
    """Pages of the menu that the list above does not have, so that a new one is looked at from its first day."""
    found = page.locator("#menu a[href]").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    return {path.strip("/").replace("/", "-"): path for path in found if path not in PAGES.values()}


def switch_theme(page: Page) -> None:
    """Press the button in the menu, which may be folded."""
    page.locator("[data-theme-toggle]").evaluate("button => button.click()")


def faults_of(page: Page, complaints: Complaints | None = None) -> list[str]:
    """What is wrong with how the page looks."""
    wide = [f"sticks out: {element}" for element in too_wide(page)]
    faint = [f"contrast {found}" for found in (*hard_to_read(page), *hard_to_see(page))]
    return wide + faint + (complaints.taken() if complaints else [])


@pytest.fixture(params=THEMES)
def look(request: pytest.FixtureRequest, stage: Stage) -> Look:
    """The window of this database in each theme."""
    return Look(WIDTHS[stage.dialect], request.param)


def window_of(look: Look) -> dict[str, object]:
    return {"viewport": {"width": look.width, "height": 844}, "color_scheme": look.theme, "reduced_motion": "reduce"}


class TestEveryPage:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_fits_and_can_be_read(self, enter, stage, places, width) -> None:
        page = enter("ada", **window_of(Look(width, "light"))).page
        complaints, faults = Complaints(page), {}
        for name, path in {**in_menu(page), **PAGES}.items():
            if width != WIDTHS[stage.dialect] and name not in DIFFERENT:
                continue
            answer = page.goto(path.format(**places))
            assert answer.status == 200, path
            assert page.locator("h1").count() == 1, f"{name} has one heading that says what it is"
            for theme in THEMES:
                look = Look(width, theme)
                assert page.locator("html").get_attribute("data-bs-theme") == theme
                keep_picture(page, look, name)
                faults[f"{name}-{look}"] = faults_of(page, complaints)
                switch_theme(page)
        assert {name: found for name, found in faults.items() if found} == {}

    def test_the_theme_that_was_chosen_stays(self, enter) -> None:
        page = enter("ada").page
        switch_theme(page)
        page.goto("/admin/ticket/list")
        assert page.locator("html").get_attribute("data-bs-theme") == "dark"

    def test_so_do_the_sign_in_page_and_the_errors(self, enter, visitor, places, look) -> None:
        page = visitor(**window_of(look))
        complaints = Complaints(page)
        page.goto("/admin/login")
        keep_picture(page, look, "sign-in")
        assert faults_of(page, complaints) == []
        sue = enter("sue", **window_of(look))
        for name, (path, status) in ERRORS.items():
            assert sue.go(path.format(**places)) == status
            keep_picture(sue.page, look, name)
            assert faults_of(sue.page) == []

    def test_so_does_the_conflict_page(self, enter, stage, look) -> None:
        ticket = stage.ticket("Two at once", description="As it was.")
        sam = enter("sam", **window_of(look))
        sam.edit(ticket)
        changes = {"title": f"Theirs {UNBROKEN}"[:200], "category": "Post"}
        stage.run(lambda s: tickets.edit(s, stage.cast.sid, ticket.id, changes, version=1))
        sam.fill("Title", "Mine")
        sam.fill("Description", "Mine as well.")
        sam.press("Save")
        sam.sees("Somebody saved first")
        keep_picture(sam.page, look, "conflict")
        assert faults_of(sam.page) == []


class TestTheMeasures:
    """They would notice."""

    def test_what_sticks_out_is_seen(self, enter) -> None:
        page = enter("ada").page
        page.locator("h1").evaluate("heading => { heading.style.minWidth = '3000px'; }")
        assert too_wide(page)

    def test_grey_on_grey_is_seen(self, enter) -> None:
        page = enter("ada").page
        page.locator("h1").evaluate("heading => { heading.style.cssText = 'color: #777; background: #888'; }")
        assert any("Dashboard" in text for text in hard_to_read(page))

    def test_a_field_with_a_faint_edge_is_seen(self, enter) -> None:
        user = enter("ada", reduced_motion="reduce")
        user.go("/admin/ticket/list")
        assert hard_to_see(user.page) == []
        user.page.locator("#search").evaluate("field => { field.style.borderColor = '#e5e7eb'; }")
        assert any("search" in field for field in hard_to_see(user.page))

    def test_inline_code_is_refused_and_seen(self, enter) -> None:
        page = enter("ada").page
        complaints = Complaints(page)
        page.locator("h1").evaluate("heading => { heading.innerHTML = '<b style=\"color: red\">red</b>'; }")
        page.wait_for_timeout(100)
        assert any("Content Security Policy" in text for text in complaints.found)
