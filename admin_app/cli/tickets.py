"""Tickets in and out as CSV, and sample tickets."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from admin_app import clock
from admin_app.actor import ActorKind, command_line_actor
from admin_app.cli.talking import progress, say, warn
from admin_app.db.database import Database
from admin_app.models.ticket_export import ExportFormat
from admin_app.services.batches.csv_import import mapping as mappings
from admin_app.services.batches.csv_import import running
from admin_app.services.batches.csv_import.drafting import Drafter, Rejection
from admin_app.services.batches.csv_import.mapping import ImportMapping
from admin_app.services.batches.csv_import.reading import CsvSource
from admin_app.services.batches.csv_import.rejected_rows import RejectedRows
from admin_app.services.batches.csv_import.running import ImportOptions, ImportSummary
from admin_app.services.batches.exports import requests
from admin_app.services.batches.exports.pages import Listed
from admin_app.services.batches.exports.running import Export, side_text
from admin_app.services.batches.samples import seed
from admin_app.services.pages.ticket_list import TicketFilter
from admin_app.settings import CONFIG_FOLDER


class Report:
    """The file of rejected rows; made with the first of them, or at once when somebody named it."""

    def __init__(self, file: Path, header: tuple[str, ...], stack: ExitStack) -> None:
        self.file = file
        self._header = header
        self._stack = stack
        self._rows: RejectedRows | None = None

    def open(self) -> RejectedRows:
        """The writer behind the file."""
        if self._rows is None:
            opened: TextIO = self._stack.enter_context(self.file.open("w", encoding="utf-8", newline=""))
            self._rows = RejectedRows(opened, self._header)
        return self._rows

    def add(self, rejection: Rejection) -> None:
        """Write one rejected row."""
        self.open().write(rejection)


async def import_tickets(
    database: Database, file: Path, mapping: ImportMapping | None, report_file: Path | None, *, dry_run: bool
) -> ImportSummary:
    """Import a file and say how it went; rejected rows go to the report."""
    started = time.perf_counter()
    with ExitStack() as stack:
        source = CsvSource(stack.enter_context(file.open("rb")))
        chosen = mapping or mappings.choose(sorted(CONFIG_FOLDER.glob("import-*.toml")), source.header)
        drafter = Drafter(chosen, source.header)
        report = Report(report_file or Path(f"{file.stem}.rejected.csv"), source.header, stack)
        if report_file is not None:
            report.open()
        advance = stack.enter_context(progress(f"reading {file.name}", source.size))
        options = ImportOptions(
            file_name=file.name,
            dry_run=dry_run,
            on_rejection=report.add,
            on_batch=lambda summary: advance(source.position),
        )
        actor = command_line_actor(ActorKind.IMPORT)
        summary = await running.import_file(database.run, actor, source, drafter, options)
    _tell(summary, time.perf_counter() - started, dry_run=dry_run)
    if summary.rejected:
        warn(f"{summary.rejected:,} rejected rows and why: {report.file}")
    return summary


def _tell(summary: ImportSummary, seconds: float, *, dry_run: bool) -> None:
    if dry_run:
        say("Dry run: nothing was written. The run would do this:")
    say(f"total {summary.total}")
    say(f"imported {summary.imported}")
    say(f"already known {summary.known}")
    say(f"rejected {summary.rejected}")
    say(f"customers created {summary.customers}")
    say(f"{seconds:.1f} seconds, {summary.total / max(seconds, 0.001):,.0f} rows/s")


async def export_tickets(
    database: Database, wanted: TicketFilter, output: Path | None, file_format: ExportFormat = ExportFormat.CSV
) -> None:
    """Write tickets to `output` with a checksum file beside it, or to standard output; the audit log tells of it."""
    actor, listed = command_line_actor(), Listed(wanted)
    asked = await database.run(lambda session: requests.ask(session, actor, listed, file_format))
    export = Export(database, actor, asked.id, listed)
    with _sink(output) as sink:
        async with aclosing(export.chunks(file_format)) as chunks:
            async for chunk in chunks:
                sink.write(chunk)
        sink.flush()
    if output is not None:
        side_file = output.with_name(f"{output.name}.sha256")
        side_file.write_text(side_text(output.name, export.rows, export.sha256), encoding="utf-8")
    warn(f"{export.rows} rows, SHA-256 {export.sha256}")


@contextmanager
def _sink(output: Path | None) -> Iterator[BinaryIO]:
    """Where the bytes go. A file gets its name only when it is complete."""
    if output is None:
        yield sys.stdout.buffer
        return
    unfinished = output.with_name(f"{output.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)


async def seed_tickets(database: Database, count: int) -> None:
    """Add `count` sample tickets, batch by batch."""
    started = time.perf_counter()
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    with progress("seeding tickets", count) as advance:
        await seed.seed(database.run, command_line_actor(), tickets=count, today=today, on_batch=advance)
    seconds = time.perf_counter() - started
    say(f"{count:,} tickets in {seconds:.1f} seconds, {count / max(seconds, 0.001):,.0f} tickets/s")
