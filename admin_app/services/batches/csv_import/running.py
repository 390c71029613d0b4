"""A whole file, batch by batch, each in a unit of work of its own. The caller brings what runs a unit of work."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice

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


@dataclass(frozen=True)
class ImportOptions:
    """How a file is imported; the two callbacks hear of every rejected row, and of progress after each batch."""

    file_name: str = ""
    dry_run: bool = False
    on_rejection: Callable[[Rejection], None] = lambda rejection: None
    on_batch: Callable[[ImportSummary], None] = lambda summary: None


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
    summary = ImportSummary(batch_id=soft_delete.new_batch_id())
    with ExitStack() as stack:
        rehearsal = stack.enter_context(Rehearsal()) if options.dry_run else None
        for rows in _batches(source.rows()):
            outcome = await _import(run, actor, rows, drafter, summary.batch_id, rehearsal)
            for rejection in outcome.rejections:
                options.on_rejection(rejection)
            summary = _added(summary, rows, outcome)
            options.on_batch(summary)
    if not options.dry_run:
        await run(lambda session: _record(session, actor, summary, options.file_name))
    return summary


async def _import(
    run: RunsWork, actor: Actor, rows: Sequence[Row], drafter: Drafter, batch_id: str, rehearsal: Rehearsal | None
) -> BatchOutcome:
    if rehearsal is not None:
        return await _rehearse(run, actor, rows, drafter, batch_id, rehearsal)
    return await run(
        lambda session: storing.import_batch(session, actor, rows, drafter=drafter, batch_id=batch_id),
        repeatable=drafter.mapping.external_key is not None,
    )


async def _rehearse(
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


def _added(summary: ImportSummary, rows: Sequence[Row], outcome: BatchOutcome) -> ImportSummary:
    return replace(
        summary,
        total=summary.total + len(rows),
        imported=summary.imported + outcome.imported,
        known=summary.known + outcome.known,
        rejected=summary.rejected + len(outcome.rejections),
        customers=summary.customers + len(outcome.customers),
    )


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH_ROWS)):
        yield batch
