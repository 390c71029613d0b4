"""Many tickets at once, from the list to the undoing, through a real browser."""

import re

import pytest
from playwright.sync_api import expect

from admin_app.models import Priority, Status, Ticket
from admin_app.services.operations import tickets
from tests.flows.conftest import Enter
from tests.flows.looking import Complaints, too_wide
from tests.flows.people import Person
from tests.flows.stage import Stage

pytestmark = pytest.mark.browser


def tick(person: Person, *chosen: Ticket) -> None:
    """Tick tickets on the list."""
    for ticket in chosen:
        person.main.get_by_label(f"Tick {ticket.ticket_number}", exact=True).check()


def stored(stage: Stage, ticket: Ticket) -> Ticket:
    found: Ticket = stage.run(lambda session: session.get(Ticket, ticket.id))
    return found


def test_ticked_ones_change_together_and_back(enter: Enter, stage: Stage) -> None:
    one, two, three, done = [stage.ticket("Wobbling lamp") for _ in range(4)]
    stage.finished(Status.CLOSED, done)
    sue = enter("sue")
    complaints = Complaints(sue.page)
    sue.go("/admin/ticket/list?search=Wobbling")
    tick(sue, one, two, three, done)
    sue.sees("4 ticked")
    sue.choose("What to do with many", "Close")
    sue.press("Go on")

    expect(sue.heading).to_have_text("Close: 4 chosen tickets")
    sue.fill("Resolution", "Screwed it tight.")
    sue.press("Preview")

    expect(sue.heading).to_have_text("Close: preview")
    sue.sees("3 tickets would change, 1 would not", done.ticket_number, "Would not change")
    assert stored(stage, one).status is Status.NEW, "a preview writes nothing"
    sue.press("Close: 3 tickets")

    expect(sue.heading).to_have_text("Close: done")
    sue.sees("Changed3", "Not changed1")
    assert {stored(stage, ticket).status for ticket in (one, two, three)} == {Status.CLOSED}

    version = stored(stage, two).version
    stage.run(lambda s: tickets.edit(s, stage.cast.sam, two.id, {"title": "Steady lamp"}, version=version))
    sue.press("Undo this")
    expect(sue.heading).to_have_text("Close: undone")
    sue.sees("Given back2", "Kept as they are1", two.ticket_number)
    assert [stored(stage, ticket).status for ticket in (one, two, three)] == [Status.NEW, Status.CLOSED, Status.NEW]
    left = [found for found in complaints.taken() if "ERR_ABORTED" not in found]
    assert left == []


def test_everything_that_matches_is_deleted_and_comes_back_together(enter: Enter, stage: Stage) -> None:
    made = [stage.ticket("Advertisement", priority=Priority.LOW) for _ in range(30)]
    sue = enter("sue")
    sue.go("/admin/ticket/list?search=Advertisement&pageSize=25")
    sue.choose("What to do with many", "Delete")
    sue.choose("Which ones", "all 30 that match")
    sue.press("Go on")
    expect(sue.heading).to_have_text("Delete: everything that matches")
    sue.fill("Reason", "Spam, all of it.")
    sue.press("Preview")
    sue.sees("30 tickets would change.")
    sue.press("Delete: 30 tickets")
    expect(sue.heading).to_have_text("Delete: done")
    assert sue.go(f"/admin/ticket/details/{made[0].id}") == 410

    sue.go(f"/admin/trash/details/{made[7].id}")
    sue.follow("Restore all 30 that were deleted together")
    expect(sue.heading).to_have_text("Restore: everything that was deleted together")
    sue.press("Preview")
    sue.press("Restore: 30 tickets")
    expect(sue.heading).to_have_text("Restore: done")
    sue.sees("Changed30")
    assert sue.go(f"/admin/ticket/details/{made[0].id}") == 200


def test_with_the_keyboard_on_a_phone(enter: Enter, stage: Stage) -> None:
    ticket = stage.ticket("Tiny screen")
    sue = enter("sue", viewport={"width": 390, "height": 800})
    sue.go("/admin/ticket/list?search=Tiny")
    box = sue.main.get_by_label(f"Tick {ticket.ticket_number}", exact=True)
    box.focus()
    sue.page.keyboard.press("Space")
    expect(box).to_be_checked()
    sue.main.get_by_label("What to do with many").focus()
    sue.page.keyboard.type("Set")
    sue.main.get_by_role("button", name="Go on").focus()
    sue.page.keyboard.press("Enter")
    expect(sue.heading).to_have_text("Set priority: 1 chosen ticket")
    sue.main.get_by_label("Priority").focus()
    sue.page.keyboard.type("Crit")
    sue.main.get_by_role("button", name="Preview").focus()
    sue.page.keyboard.press("Enter")
    expect(sue.heading).to_have_text("Set priority: preview")
    assert too_wide(sue.page) == []
    sue.main.get_by_role("button", name=re.compile("Set priority: 1 ticket")).focus()
    sue.page.keyboard.press("Enter")
    expect(sue.heading).to_have_text("Set priority: done")
    assert stored(stage, ticket).priority is Priority.CRITICAL


def test_without_scripts_it_works_as_well(enter: Enter, stage: Stage) -> None:
    ticket = stage.ticket("No script")
    sue = enter("sue", java_script_enabled=False)
    sue.go("/admin/ticket/list?search=No+script")
    tick(sue, ticket)
    sue.choose("What to do with many", "Add or remove tags")
    sue.press("Go on")
    sue.fill("Tags to add", "vip")
    sue.press("Preview")
    sue.press("Add or remove tags: 1 ticket")
    expect(sue.heading).to_have_text("Add or remove tags: done")
