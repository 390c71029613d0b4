"""An import from the file to its undoing, through a real browser."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.flows.conftest import Enter
from tests.flows.looking import Complaints

pytestmark = pytest.mark.browser

HEADER = ["Ticket ID", "Customer Name", "Customer Email", "Ticket Subject", "Ticket Description", "Ticket Status"]
HEADER += ["Ticket Priority", "Ticket Channel", "Resolution"]


def write_file(folder: Path, rows: int = 1200) -> Path:
    """Tickets as a help desk exports them, two of them wrong."""
    file = folder / "help desk.csv"
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(HEADER)
        for n in range(1, rows + 1):
            status = "Frozen" if n == 7 else "Pending Customer Response"
            person = "nobody" if n == 9 else f"zoe{n}@customer.example"
            told = f"It began on Monday.\n\nThen it said “{n}”, and nothing else."
            writer.writerow([n, f"Zoe {n}", person, f"Lamp {n} flickers", told, status, "Critical", "Social media", ""])
    return file


def mended(file: Path) -> None:
    """Put right what was turned away."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        lines = list(csv.reader(text))
    lines[1][HEADER.index("Ticket Status")] = "Pending Customer Response"
    lines[2][HEADER.index("Customer Email")] = "zoe9@customer.example"
    with file.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows(lines)


def test_from_the_file_to_its_undoing(enter: Enter, tmp_path: Path) -> None:
    sue = enter("sue")
    complaints = Complaints(sue.page)
    sue.page.get_by_role("link", name="Import", exact=True).click()
    sue.main.get_by_label("CSV file").set_input_files(write_file(tmp_path))
    sue.press("Send the file")

    expect(sue.heading).to_have_text("What do the columns mean?")
    expect(sue.main.get_by_label("Title", exact=True)).to_have_value("Ticket Subject")
    expect(sue.main.get_by_label("Pending Customer Response", exact=True)).to_have_value("pending")
    sue.press("Use these columns")

    expect(sue.heading).to_have_text("help desk.csv")
    sue.press("Check")
    sue.sees("Checked: nothing was written.", "Rows1,200", "Turned away2", "which is no status")
    sue.press("Import")
    sue.sees("What came of it", "Imported1,198", "Its entry in the audit log")

    with sue.page.expect_download() as started:
        sue.follow("Download them all")
    report = tmp_path / "mended.csv"
    started.value.save_as(report)
    mended(report)
    sue.go("/admin/import")
    sue.main.get_by_label("CSV file").set_input_files(report)
    sue.press("Send the file")
    sue.sees("Filled in from the last time.")
    sue.press("Use these columns")
    sue.press("Import")
    sue.sees("Imported2", "Turned away0")

    sue.press("Undo the import")
    sue.sees("2 tickets are in the trash, 0 were kept.")
    sue.go("/admin/trash/list")
    sue.sees("Lamp 7 flickers", "Import undone")
    left = [found for found in complaints.taken() if "ERR_ABORTED" not in found]
    assert left == [], (
        "a stream whose page goes on, and a download, count as aborted; nothing else may be complained of"
    )


def test_without_scripts_it_works_as_well(enter: Enter, tmp_path: Path) -> None:
    sue = enter("sue", java_script_enabled=False)
    sue.go("/admin/import")
    sue.main.get_by_label("CSV file").set_input_files(write_file(tmp_path, rows=20))
    sue.press("Send the file")
    sue.press("Use these columns")
    sue.press("Import")
    sue.sees("What came of it", "Rows20")
