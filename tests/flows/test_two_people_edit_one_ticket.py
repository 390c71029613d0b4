"""Two people, and then three, edit one ticket in windows of their own."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.flows.people import Person

pytestmark = pytest.mark.browser


def side_by_side(person: Person, field: str) -> Locator:
    """The part of the conflict page about one field."""
    return person.main.get_by_role("group").filter(has=person.page.locator("legend", has_text=field))


def read_sides(person: Person, field: str) -> list[str]:
    """What the page shows at start, as theirs and as yours."""
    return side_by_side(person, field).locator(".desk-three .desk-text").all_inner_texts()


@pytest.fixture
def clash(enter, stage):
    """Sam opened the form first, Sid saved first: the title is a true clash, the rest is not."""
    ticket = stage.ticket("Lamp flickers", description="In the hall.")
    sam, sid = enter("sam"), enter("sid")
    sam.edit(ticket)
    sid.edit(ticket)
    sid.fill("Title", "Hall lamp flickers")
    sid.choose("Priority", "High")
    sid.press("Save")
    sid.sees(f"{ticket.ticket_number} is saved.")
    sam.fill("Title", "Lamp flickers at night")
    sam.fill("Description", "In the hall, after ten.")
    sam.press("Save")
    return sam, ticket


class TestTwoPeople:
    def test_the_second_sees_all_three_sides_is_asked_about_the_clash_alone_and_both_changes_stay(
        self, clash, enter
    ) -> None:
        sam, ticket = clash
        expect(sam.heading).to_have_text("Somebody saved first")
        sam.sees(ticket.ticket_number, "Sid Staff saved at", "nothing is lost")
        expect(sam.main.locator(".alert time")).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-\d\dT"))
        assert read_sides(sam, "Title") == [ticket.title, "Hall lamp flickers", "Lamp flickers at night"]
        assert read_sides(sam, "Priority") == ["Medium", "High", "Medium"]
        assert read_sides(sam, "Description") == ["In the hall.", "In the hall.", "In the hall, after ten."]
        expect(sam.main.get_by_text("Choose", exact=True)).to_have_count(1)
        expect(side_by_side(sam, "Priority")).to_contain_text("Their change is taken")
        expect(side_by_side(sam, "Description")).to_contain_text("Your change is taken")
        expect(sam.main.get_by_label("Priority", exact=True)).to_have_value("3")
        sam.press("Save merged")
        expect(sam.heading).to_have_text("Somebody saved first")
        assert sam.main.get_by_label("Keep theirs").evaluate("radio => radio.validity.valueMissing"), "nothing was sent"
        sam.fill("Title", "Hall lamp flickers at night")
        expect(sam.main.get_by_label("Save this instead:")).to_be_checked()
        sam.press("Save merged")
        sam.sees(f"{ticket.ticket_number} is saved.", "In the hall, after ten.")
        expect(sam.heading).to_have_text("Hall lamp flickers at night")
        sid = enter("sid")
        sid.open(ticket)
        expect(sid.heading).to_have_text("Hall lamp flickers at night")
        expect(sid.main.locator(".desk-badges")).to_contain_text("High")

    def test_keeping_theirs_leaves_the_own_text_out(self, clash) -> None:
        sam, _ = clash
        sam.main.get_by_label("Keep theirs").check()
        sam.press("Save merged")
        expect(sam.heading).to_have_text("Hall lamp flickers")
        sam.sees("In the hall, after ten.")

    def test_discarding_writes_nothing(self, clash) -> None:
        sam, _ = clash
        sam.follow("Discard mine")
        expect(sam.heading).to_have_text("Hall lamp flickers")
        sam.does_not_see("after ten")


class TestThreePeople:
    def test_somebody_saves_again_while_the_conflict_is_looked_at(self, clash, enter) -> None:
        sam, ticket = clash
        sue = enter("sue")
        sue.edit(ticket)
        sue.fill("Category", "Light")
        sue.press("Save")
        sue.sees(f"{ticket.ticket_number} is saved.")
        sam.fill("Title", "Hall lamp flickers at night")
        sam.press("Save merged")
        expect(sam.heading).to_have_text("Somebody saved first")
        sam.sees("Sue Supervisor saved at")
        assert read_sides(sam, "Category") == ["–", "Light", "–"]
        sam.press("Save merged")
        sam.sees(f"{ticket.ticket_number} is saved.", "Light", "In the hall, after ten.")
        expect(sam.heading).to_have_text("Hall lamp flickers at night")
