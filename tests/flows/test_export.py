"""An export from the list to the saved file, through a real browser."""

import csv
import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.flows.conftest import Enter
from tests.flows.looking import Complaints
from tests.flows.stage import Stage

pytestmark = pytest.mark.browser


def test_what_the_list_shows_is_saved_with_and_without_scripts(enter: Enter, stage: Stage, tmp_path: Path) -> None:
    numbers = [stage.ticket("Kettle whistles, =1+1").ticket_number for _ in range(3)]
    sue = enter("sue")
    complaints = Complaints(sue.page)
    sue.go("/admin/ticket/list?search=Kettle+whistles&sortBy=ticket_number&sort=asc")
    sue.follow("Export")
    sue.sees("3 tickets, as you have filtered and searched the list,")
    with sue.page.expect_download() as begun:
        sue.press("Make the file")
    file = tmp_path / begun.value.suggested_filename
    begun.value.save_as(file)
    with file.open(encoding="utf-8", newline="") as text:
        assert [line["Number"] for line in csv.DictReader(text)] == numbers
    sue.sees("The whole file is out", hashlib.sha256(file.read_bytes()).hexdigest())
    left = [found for found in complaints.taken() if "ERR_ABORTED" not in found]
    assert left == [], "a download counts as aborted; nothing else may be complained of"

    plain = enter("sue", java_script_enabled=False)
    plain.go("/admin/ticket/export?search=Kettle+whistles")
    plain.main.get_by_role("radio", name="Spreadsheet –").check()
    plain.press("Make the file")
    with plain.page.expect_download() as begun:
        plain.press("Download")
    begun.value.save_as(tmp_path / "kettles.xlsx")
    plain.follow("see how far it is")
    expect(plain.main).to_contain_text("The whole file is out")
    assert hashlib.sha256((tmp_path / "kettles.xlsx").read_bytes()).hexdigest() in plain.main.inner_text()
