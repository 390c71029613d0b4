"""Tickets in and out on the command line."""

import csv
import hashlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from admin_app.cli import talking
from admin_app.models import AuditLog, Ticket
from tests.services.batches.csv_files import csv_bytes, row, rows
from tests.test_main import assert_refused, desk_url, environment, run, started, stored

__all__ = ["desk_url", "environment"]

MAPPING = """
name = "test"
date_formats = ["%Y-%m-%d %H:%M"]
external_key = { column = "Id", prefix = "test:" }
customer = { email = "Mail", name = "Who" }
columns = { title = "Subject", status = "State", resolution = "Answer", description = "Text", tags = "Labels" }
values.status = { Waiting = "pending", Done = "closed" }
"""


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    """A mapping file for the files below."""
    file = tmp_path / "mapping.toml"
    file.write_text(MAPPING)
    return str(file)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Three good rows and two bad ones."""
    file = tmp_path / "mixed.csv"
    file.write_bytes(csv_bytes([*rows(3), row(Id="4", State="Frozen"), row(Id="5", Subject="")]))
    return file


def written(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))


class TestImportTickets:
    def test_good_rows_in_and_bad_rows_out(self, desk_url: str, mapping: str, mixed: Path, tmp_path: Path) -> None:
        done = started("import-tickets", str(mixed), "--mapping", mapping)
        assert done.returncode == 0
        assert done.stdout.splitlines()[:6] == [
            "reading mixed.csv: 100 %",
            "total 5",
            "imported 3",
            "already known 0",
            "rejected 2",
            "customers created 3",
        ]
        assert re.fullmatch(r"\d+\.\d seconds, [\d,]+ rows/s", done.stdout.splitlines()[6])
        assert done.stderr == "2 rejected rows and why: mixed.rejected.csv\n"
        report = written(tmp_path / "mixed.rejected.csv")
        assert [(bad["Id"], bad["line"], bad["column"]) for bad in report] == [
            ("4", "5", "State"),
            ("5", "6", "Subject"),
        ]
        assert report[0]["reason"].startswith("State is “Frozen”, which is no status")
        assert len(stored(desk_url, Ticket)) == 3
        assert {entry.actor_kind for entry in stored(desk_url, AuditLog)} == {"import"}

    def test_a_second_run_adds_nothing(self, desk_url: str, mapping: str, mixed: Path) -> None:
        run("import-tickets", str(mixed), "--mapping", mapping)
        again = run("import-tickets", str(mixed), "--mapping", mapping)
        assert "imported 0\nalready known 3\nrejected 2" in again.stdout
        assert len(stored(desk_url, Ticket)) == 3

    def test_the_corrected_report_can_be_imported(
        self, desk_url: str, mapping: str, mixed: Path, tmp_path: Path
    ) -> None:
        report = tmp_path / "bad.csv"
        run("import-tickets", str(mixed), "--mapping", mapping, "--report", str(report))
        report.write_text(report.read_text().replace("Frozen,", "Waiting,").replace("Zapata,,", "Zapata,Lamp,"))
        again = run("import-tickets", str(report), "--mapping", mapping)
        assert "imported 2\nalready known 0\nrejected 0" in again.stdout

    def test_a_dry_run_writes_nothing_and_its_report_is_the_runs(
        self, desk_url: str, mapping: str, mixed: Path, tmp_path: Path
    ) -> None:
        outputs = []
        for name, extra in (("dry", ["--dry-run"]), ("wet", [])):
            report = tmp_path / f"{name}.csv"
            done = run("import-tickets", str(mixed), "--mapping", mapping, "--report", str(report), *extra)
            if extra:
                assert "Dry run: nothing was written." in done.stdout
                assert stored(desk_url, Ticket) == stored(desk_url, AuditLog) == []
            outputs.append((re.findall(r"^[a-z ]+ \d+$", done.stdout, re.MULTILINE), report.read_text()))
        assert outputs[0] == outputs[1]
        assert len(outputs[0][0]) == 5

    def test_a_named_report_is_there_even_when_it_is_empty(self, desk_url: str, mapping: str, tmp_path: Path) -> None:
        file, report = tmp_path / "good.csv", tmp_path / "report.csv"
        file.write_bytes(csv_bytes(rows(1)))
        done = run("import-tickets", str(file), "--mapping", mapping, "--report", str(report))
        assert (done.stderr, written(report)) == ("", [])
        assert report.read_text().rstrip().endswith("line,column,reason")

    def test_without_bad_rows_there_is_no_report(self, desk_url: str, mapping: str, tmp_path: Path) -> None:
        file = tmp_path / "good.csv"
        file.write_bytes(csv_bytes(rows(1)))
        run("import-tickets", str(file), "--mapping", mapping)
        assert list(tmp_path.glob("*.rejected.csv")) == []

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "This file is empty."),
            (b"Id,Subject\n", "has a header but no rows"),
            (b"Id,Id\n1,2\n", "twice: Id"),
            (b"\x89PNG\r\n\x1a\n\x00\x00", "is not text"),
            (b"Id\n\x81\x8d\n", "Save it as UTF-8"),
            (b",".join([b"x"] * 10_000) + b"\n1\n", "10,000 columns"),
            (b"Id,Other\n1,2\n", "no column named Mail, Who, Subject"),
        ],
    )
    def test_a_malformed_file_is_one_sentence(
        self, desk_url: str, mapping: str, tmp_path: Path, content: bytes, words: str
    ) -> None:
        file = tmp_path / "file.csv"
        file.write_bytes(content)
        assert_refused(run("import-tickets", str(file), "--mapping", mapping), words)
        assert stored(desk_url, AuditLog) == []

    def test_no_mapping_fits(self, desk_url: str, mixed: Path) -> None:
        assert_refused(run("import-tickets", str(mixed)), "name one with --mapping")

    def test_a_broken_mapping_is_one_sentence(self, desk_url: str, mixed: Path, tmp_path: Path) -> None:
        file = tmp_path / "broken.toml"
        file.write_text("name = ")
        assert_refused(run("import-tickets", str(mixed), "--mapping", str(file)), "broken.toml is no TOML file")

    def test_a_report_that_cannot_be_written_is_one_sentence(self, desk_url: str, mapping: str, mixed: Path) -> None:
        refused = run("import-tickets", str(mixed), "--mapping", mapping, "--report", "no/such/folder/x.csv")
        assert_refused(refused, "no/such/folder/x.csv: No such file or directory.")
        assert stored(desk_url, Ticket) == []


class TestExportTickets:
    def test_a_file_with_its_checksum_beside_it(self, desk_url: str, tmp_path: Path) -> None:
        run("seed", "--tickets", "20")
        done = run("export-tickets", "--output", "out.csv")
        content = (tmp_path / "out.csv").read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        count = len(written(tmp_path / "out.csv"))
        assert count == len(stored(desk_url, Ticket))
        assert (tmp_path / "out.csv.sha256").read_text() == f"# rows: {count}\n{digest}  out.csv\n"
        assert (done.stdout, done.stderr) == ("", f"{count} rows, SHA-256 {digest}\n")
        last = stored(desk_url, AuditLog)[-1]
        assert (last.action, last.changes["checksum"]) == ("EXPORT", [None, digest])
        assert sorted(file.name for file in tmp_path.glob("out*")) == ["out.csv", "out.csv.sha256"]

    def test_standard_output_is_the_file_and_nothing_else(self, desk_url: str) -> None:
        run("seed", "--tickets", "5")
        done = started("export-tickets", "--status", "closed", "--priority", "HIGH")
        lines = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
        assert {(line["Status"], line["Priority"]) for line in lines} <= {("Closed", "High")}
        assert done.stderr.startswith(f"{len(lines)} rows, SHA-256 ")

    def test_a_reader_who_has_seen_enough_is_no_accident(self, desk_url: str) -> None:
        run("seed", "--tickets", "2000")
        command = [sys.executable, "-m", "admin_app", "export-tickets"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
            assert export.stdout is not None
            assert export.stderr is not None
            export.stdout.read(10)
            export.stdout.close()
            assert export.stderr.read() == b""
            assert export.wait(timeout=30) == 1

    def test_the_options_are_the_filters_of_the_list(self, desk_url: str, mapping: str, tmp_path: Path) -> None:
        file = tmp_path / "good.csv"
        file.write_bytes(
            csv_bytes([row(), row(Id="2", Mail="yan@customer.example", Subject="Kettle", Labels="kettles")])
        )
        run("import-tickets", str(file), "--mapping", mapping)
        for options in (
            ["--customer", "yan@customer.example"],
            ["--tag", "kettles"],
            ["--search", "kett"],
            ["--owner", "nobody", "--tag", "kettles"],
        ):
            run("export-tickets", "--output", "out.csv", *options)
            assert [line["Title"] for line in written(tmp_path / "out.csv")] == ["Kettle"], options

    def test_an_unknown_priority_names_the_known_ones(self, desk_url: str) -> None:
        assert_refused(run("export-tickets", "--priority", "severe"), "Choose one of low, medium, high, critical.")

    def test_a_failed_export_leaves_no_file(
        self, desk_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def cut(*args: object) -> None:
            raise ConnectionResetError

        monkeypatch.setattr("admin_app.services.batches.exports.running.Export._tell", cut)
        run("seed", "--tickets", "5")
        assert_refused(run("export-tickets", "--output", "out.csv"), "The database cannot be reached.")
        assert list(tmp_path.glob("out*")) == []
        assert stored(desk_url, AuditLog)[-1].changes["state"] == ["running", "failed"]


class TestProgress:
    def test_plain_lines_when_piped(self, capsys: pytest.CaptureFixture[str]) -> None:
        with talking.progress("counting", 40) as advance:
            for done in range(41):
                advance(done)
        assert capsys.readouterr().out.splitlines() == [f"counting: {percent} %" for percent in range(10, 101, 10)]

    def test_a_bar_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        screen = io.StringIO()
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(talking, "Console", lambda: Console(file=screen, force_terminal=True, width=80))
        with talking.progress("counting", 4) as advance:
            advance(4)
        assert "counting" in screen.getvalue()
        assert "4/4" in screen.getvalue()
