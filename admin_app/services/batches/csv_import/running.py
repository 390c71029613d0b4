"""A whole file, batch by batch, each in a unit of work of its own. The caller brings what runs a unit of work."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.models.audit_log import AuditAction
from admin_app.permissions import Permission
from admin_app.services.batches.csv_import import storing
from admin_app.services.batches.csv_import.drafting import Drafter, Rejection
from admin_app.services.batches.csv_import.reading import CsvSource, Row
from admin_app.services.batches.csv_import.rehearsal import CUSTOMER, KEY, Rehearsal
from admin_app.services.batches.csv_import.storing import BatchOutcome
from admin_app.services.batches.units_of_work import RunsWork
from admin_app.services.blocks import soft_delete
from admin_app.services.records import audit

BATCH_ROWS = 500


@dataclass(frozen=True)
class ImportSummary:
    """`total` is always `imported` + `known` + `rejected`."""

    batch_id: str
    total: int = 0
    imported: int = 0
    known: int = 0
    rejected: int = 0
    customers: int = 0


class Journal(Protocol):
    """Keeps a record of an import, in the very transactions that it tells of; those of a dry run come after each batch.

    What it raises undoes the batch and ends the import.
    """

    async def batch(
        self, session: AsyncSession, before: ImportSummary, after: ImportSummary, rejections: Sequence[Rejection]
    ) -> None:
        """A batch is in."""
        ...

    async def end(self, session: AsyncSession, summary: ImportSummary) -> None:
        """There are no more rows."""
        ...


class NoJournal:
    """For those who keep no record besides the audit log."""

    async def batch(
        self, session: AsyncSession, before: ImportSummary, after: ImportSummary, rejections: Sequence[Rejection]
    ) -> None:
        """Nothing to write."""

    async def end(self, session: AsyncSession, summary: ImportSummary) -> None:
        """Nothing to write."""


@dataclass(frozen=True)
class ImportOptions:
    """How a file is imported; the two callbacks hear of every rejected row, and of progress after each batch.

    What `on_batch` raises ends the import after a batch. `so_far` takes up an import that had ended early: as many rows
    as it counts are passed over.
    """

    file_name: str = ""
    dry_run: bool = False
    so_far: ImportSummary | None = None
    journal: Journal | None = None
    on_rejection: Callable[[Rejection], None] = lambda rejection: None
    on_batch: Callable[[ImportSummary], None] = lambda summary: None


class _Refused(Exception):
    """Ends the one unit of work of an import that is all or nothing, so that it is rolled back."""


class _Rehearsed(Exception):
    """Ends the unit of work of a dry run, so that it is rolled back."""

    def __init__(self, outcome: BatchOutcome) -> None:
        self.outcome = outcome


async def import_file(
    run: RunsWork, actor: Actor, source: CsvSource, drafter: Drafter, options: ImportOptions
) -> ImportSummary:
    """Import every row of `source`: good rows in, bad rows told, one summary entry at the end.

    Batches are committed one after the other: what was imported before a fault stays, and with an external key in
    the mapping the same file can simply be imported again. A dry run does the same work, rolls every batch back and
    reports what the run would. `PermissionDenied` without `ticket:import`.
    """
    actor.require(Permission.TICKET_IMPORT)
    summary = options.so_far or ImportSummary(batch_id=soft_delete.new_batch_id())
    with ExitStack() as stack:
        rehearsal = stack.enter_context(Rehearsal()) if options.dry_run else None
        remaining = _Remaining(run, actor, drafter, options, rehearsal)
        for rows in batches(islice(source.rows(), summary.total, None)):
            summary, rejections = await remaining.add(rows, summary)
            for rejection in rejections:
                options.on_rejection(rejection)
            options.on_batch(summary)
        await remaining.end(summary)
    return summary


async def import_at_once(
    run: RunsWork, actor: Actor, source: CsvSource, drafter: Drafter, options: ImportOptions
) -> ImportSummary | None:
    """Import every row of `source` in one transaction, or none: None, and nothing is written, when any row is bad.

    On SQLite nobody else can save meanwhile. `PermissionDenied` without `ticket:import`.
    """
    actor.require(Permission.TICKET_IMPORT)
    batch_id = options.so_far.batch_id if options.so_far else soft_delete.new_batch_id()
    journal = options.journal or NoJournal()

    async def work(session: AsyncSession) -> ImportSummary:
        summary = empty = ImportSummary(batch_id)
        for rows in batches(source.rows()):
            outcome = await storing.import_batch(session, actor, rows, drafter=drafter, batch_id=batch_id)
            if outcome.rejections:
                raise _Refused
            summary = added(summary, rows, outcome)
            options.on_batch(summary)
        await journal.batch(session, empty, summary, ())
        await journal.end(session, summary)
        await _record(session, actor, summary, options.file_name)
        return summary

    try:
        return await run(work)
    except _Refused:
        return None


@dataclass(frozen=True)
class _Remaining:
    """The rows that are still to come, a batch at a time."""

    run: RunsWork
    actor: Actor
    drafter: Drafter
    options: ImportOptions
    rehearsal: Rehearsal | None

    async def add(self, rows: Sequence[Row], before: ImportSummary) -> tuple[ImportSummary, Sequence[Rejection]]:
        """Import a batch, or rehearse it; the counts afterwards."""
        if self.rehearsal is not None:
            return await self._rehearse(rows, before, self.rehearsal)

        async def work(session: AsyncSession) -> tuple[ImportSummary, Sequence[Rejection]]:
            outcome = await storing.import_batch(
                session, self.actor, rows, drafter=self.drafter, batch_id=before.batch_id
            )
            after = added(before, rows, outcome)
            await self._journal.batch(session, before, after, outcome.rejections)
            return after, outcome.rejections

        has_key = self.drafter.mapping.external_key is not None
        return await self.run(work, repeatable=has_key and self.options.journal is None)

    async def end(self, summary: ImportSummary) -> None:
        """Write the summary entry, unless nothing was written."""
        if self.rehearsal is None:
            await self.run(lambda session: self._end(session, summary))
        elif self.options.journal is not None:
            await self.run(lambda session: self._journal.end(session, summary))

    @property
    def _journal(self) -> Journal:
        return self.options.journal or NoJournal()

    async def _end(self, session: AsyncSession, summary: ImportSummary) -> None:
        await self._journal.end(session, summary)
        await _record(session, self.actor, summary, self.options.file_name)

    async def _rehearse(
        self, rows: Sequence[Row], before: ImportSummary, rehearsal: Rehearsal
    ) -> tuple[ImportSummary, Sequence[Rejection]]:
        outcome = await _rehearsed(self.run, self.actor, rows, self.drafter, before.batch_id, rehearsal)
        after = added(before, rows, outcome)
        if self.options.journal is not None:
            await self.run(lambda session: self._journal.batch(session, before, after, outcome.rejections))
        return after, outcome.rejections


async def _rehearsed(
    run: RunsWork, actor: Actor, rows: Sequence[Row], drafter: Drafter, batch_id: str, rehearsal: Rehearsal
) -> BatchOutcome:
    def seen_before(keys: Iterable[str]) -> set[str]:
        return rehearsal.seen(KEY, keys)

    async def work(session: AsyncSession) -> None:
        raise _Rehearsed(
            await storing.import_batch(session, actor, rows, drafter=drafter, batch_id=batch_id, also_taken=seen_before)
        )

    try:
        await run(work)
    except _Rehearsed as over:
        outcome = over.outcome
    rehearsal.add(KEY, outcome.keys)
    earlier = rehearsal.seen(CUSTOMER, outcome.customers)
    rehearsal.add(CUSTOMER, outcome.customers)
    outcome.customers = [address for address in outcome.customers if address not in earlier]
    return outcome


async def _record(session: AsyncSession, actor: Actor, summary: ImportSummary, file_name: str) -> None:
    changes: audit.Changes = {
        "imported": [0, summary.imported],
        "known": [0, summary.known],
        "rejected": [0, summary.rejected],
        "customers": [0, summary.customers],
    }
    subject = audit.Subject("tickets", None, file_name, changes)
    await audit.record_many(session, actor, AuditAction.IMPORT, [subject], batch_id=summary.batch_id)


def added(summary: ImportSummary, rows: Sequence[Row], outcome: BatchOutcome) -> ImportSummary:
    """The counts with those of one more batch."""
    return replace(
        summary,
        total=summary.total + len(rows),
        imported=summary.imported + outcome.imported,
        known=summary.known + outcome.known,
        rejected=summary.rejected + len(outcome.rejections),
        customers=summary.customers + len(outcome.customers),
    )


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in lists of a size that one unit of work takes."""
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH_ROWS)):
        yield batch
