"""Checking a file and importing it. Each check or run is a turn; whoever holds an old turn writes nothing more."""

import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import anyio.to_thread
from sqlalchemy import CursorResult, delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import AppError, Conflict
from admin_app.models.import_rejection import ImportRejection
from admin_app.models.ticket_import import ImportMode, ImportState, TicketImport
from admin_app.permissions import Permission
from admin_app.services.batches.csv_import import mapping as mappings
from admin_app.services.batches.csv_import import running
from admin_app.services.batches.csv_import.drafting import Drafter, Rejection
from admin_app.services.batches.csv_import.mapping import ImportMapping
from admin_app.services.batches.csv_import.reading import CsvSource
from admin_app.services.batches.csv_import.running import ImportOptions, ImportSummary
from admin_app.services.batches.imports import uploads
from admin_app.services.batches.units_of_work import RunsWork
from admin_app.services.blocks import sign_in_sessions
from admin_app.services.records.file_store import FileStore

SILENT_FOR = timedelta(minutes=1)
SILENT_AT_ONCE_FOR = timedelta(minutes=30)
"""A turn that was not heard of for so long has died with its process; one that is all or nothing tells only its end."""

LONGEST_COLUMN = 1_000
LONGEST_FAILURE = 500
TAKEN_OVER = "Somebody else went on with this import, so this run has stopped."
LEFT = "The page was closed or stopped before the end."
SIGNED_OUT = "The sign-in that began this run has ended, so the run has stopped."
BROKEN = "Something went wrong."
ENDED = (ImportState.FINISHED, ImportState.UNDONE)


class Watches(Protocol):
    """Hears how far the work is, and may lose interest."""

    is_wanted: bool

    def __call__(self, done: int, total: int, said: str = "") -> None:
        """So much of so much."""
        ...


@dataclass(frozen=True)
class Turn:
    """One check or run of an import."""

    import_id: int
    claim: str
    is_check: bool
    mode: ImportMode
    so_far: ImportSummary
    seconds: float
    file_name: str
    storage_key: str
    row_count: int
    mapping: ImportMapping
    sign_in_id: int | None
    """It ends with the sign-in that began it, where there is one."""


async def start(
    session: AsyncSession,
    actor: Actor,
    import_id: int,
    *,
    mode: ImportMode,
    is_check: bool = False,
    sign_in_id: int | None = None,
) -> Turn:
    """Take the turn of an import: a check, a run, or going on with an unfinished run where it stopped.

    `Conflict` while somebody is at it, once it has ended, before its columns are explained, and when its file is no
    longer kept. `PermissionDenied` without `ticket:import`.
    """
    found = await uploads.find(session, actor, import_id, lock=True)
    mapping = _ready(found)
    if _has_rows(found):
        if is_check or mode is not ImportMode.GOOD_ROWS:
            raise Conflict("Some rows of this import are in already, so it can only be gone on with.")
    else:
        found.total = found.imported = found.known = found.rejected = found.customers = 0
        found.seconds = 0.0
        await session.execute(delete(ImportRejection).where(ImportRejection.import_id == found.id))
    found.state = ImportState.CHECKING if is_check else ImportState.RUNNING
    found.mode, found.claim, found.failure = mode, uuid.uuid4().hex, ""
    found.started_at, found.ended_at, found.updated_at = clock.now(), None, clock.now()
    counts = {name: getattr(found, name) for name in ("total", "imported", "known", "rejected", "customers")}
    return Turn(
        import_id=found.id,
        claim=found.claim,
        is_check=is_check,
        mode=mode,
        so_far=ImportSummary(batch_id=found.batch_id, **counts),
        seconds=found.seconds,
        file_name=found.file_name,
        storage_key=found.storage_key,
        row_count=found.row_count,
        mapping=mapping,
        sign_in_id=sign_in_id,
    )


async def conduct(run: RunsWork, actor: Actor, store: FileStore, turn: Turn, watch: Watches) -> None:
    """Do what a turn is for, batch by batch, each in a unit of work of its own that also counts it.

    When it ends early the import says so and can be gone on with: in the mode *good rows* what was committed stays, in
    the mode *all or nothing* nothing was written. It ends early too when nobody watches any more. A file that is all or
    nothing and holds a bad row is checked to its end, so that every bad row is told.
    """
    actor.require(Permission.TICKET_IMPORT)
    try:
        with (await anyio.to_thread.run_sync(store.path_of, turn.storage_key)).open("rb") as binary:
            source = await anyio.to_thread.run_sync(CsvSource, binary)
            await _Conduct(run, actor, store, turn, watch, source).conduct()
    except Exception as error:  # the one place that knows which import has to be called unfinished
        sentence = str(error) if isinstance(error, AppError) else BROKEN
        with suppress(AppError):  # the database may be what is broken; then silence tells it in a minute
            await run(lambda session: _break_off(session, turn, sentence))
        raise


def is_silent(found: TicketImport) -> bool:
    """Whether it looks busy while the process that was busy with it is gone."""
    is_at_once = found.state is ImportState.RUNNING and found.mode is ImportMode.ALL_OR_NOTHING
    limit = SILENT_AT_ONCE_FOR if is_at_once else SILENT_FOR
    return found.state in uploads.AT_WORK and found.updated_at < clock.now() - limit


@dataclass(frozen=True)
class _Conduct:
    run: RunsWork
    actor: Actor
    store: FileStore
    turn: Turn
    watch: Watches
    source: CsvSource

    async def conduct(self) -> None:
        drafter = Drafter(self.turn.mapping, self.source.header)
        if self.turn.mode is ImportMode.ALL_OR_NOTHING and not self.turn.is_check:
            options = self._options("imported", dry_run=False)
            if await running.import_at_once(self.run, self.actor, self.source, drafter, options) is not None:
                return
            options = self._options("checked, as there are bad rows", dry_run=True)
        elif self.turn.is_check:
            options = self._options("checked", dry_run=True)
        else:
            options = self._options("imported", dry_run=False)
        await running.import_file(self.run, self.actor, self.source, drafter, options)

    def _options(self, verb: str, *, dry_run: bool) -> ImportOptions:
        def tell(summary: ImportSummary) -> None:
            of = f"{summary.total:,} of {self.turn.row_count:,} rows {verb}"
            self.watch(summary.total, self.turn.row_count, f"{of}; {summary.rejected:,} turned away")
            if not self.watch.is_wanted:
                raise Conflict(LEFT)

        return ImportOptions(
            file_name=self.turn.file_name,
            dry_run=dry_run,
            so_far=self.turn.so_far,
            on_batch=tell,
            journal=_Journal(self.turn, self.store, is_dry=dry_run),
        )


class _Journal:
    """Counts in the import's row, and rejected rows beside it."""

    def __init__(self, turn: Turn, store: FileStore, *, is_dry: bool) -> None:
        self._turn = turn
        self._store = store
        self._is_dry = is_dry
        self._began = time.perf_counter()

    async def batch(
        self, session: AsyncSession, before: ImportSummary, after: ImportSummary, rejections: Sequence[Rejection]
    ) -> None:
        """Only while the turn is ours, and only on top of what was counted before."""
        if await sign_in_sessions.has_ended(session, self._turn.sign_in_id):
            raise Conflict(SIGNED_OUT)
        statement = (
            update(TicketImport)
            .where(TicketImport.id == self._turn.import_id, TicketImport.claim == self._turn.claim)
            .where(TicketImport.total == before.total)
            .values(
                total=after.total,
                imported=after.imported,
                known=after.known,
                rejected=after.rejected,
                customers=after.customers,
                seconds=self._turn.seconds + time.perf_counter() - self._began,
            )
        )
        result = await session.execute(statement, execution_options={"synchronize_session": False})
        if not isinstance(result, CursorResult) or result.rowcount != 1:
            raise Conflict(TAKEN_OVER)
        if rejections:
            await session.execute(insert(ImportRejection), [self._row(rejection) for rejection in rejections])

    async def end(self, session: AsyncSession, summary: ImportSummary) -> None:
        """The last word; after a run that wrote, the file is no longer needed."""
        found = await session.get(TicketImport, self._turn.import_id, with_for_update=True, populate_existing=True)
        if found is None or found.claim != self._turn.claim:
            raise Conflict(TAKEN_OVER)
        found.ended_at = clock.now()
        found.seconds = self._turn.seconds + time.perf_counter() - self._began
        if not self._is_dry:
            found.state = ImportState.FINISHED
            await uploads.release(session, self._store, found)
        elif self._turn.is_check or not summary.rejected:
            found.state = ImportState.CHECKED
        else:
            found.state = ImportState.REFUSED

    def _row(self, rejection: Rejection) -> dict[str, object]:
        return {
            "import_id": self._turn.import_id,
            "line": rejection.row.line,
            "column": rejection.column[:LONGEST_COLUMN],
            "reason": rejection.reason,
            "cells": rejection.row.cells,
            "is_damaged": bool(rejection.row.problem),
        }


def _ready(found: TicketImport) -> ImportMapping:
    if found.state in ENDED:
        raise Conflict("This import has ended. To import what is new, send the file again.")
    if found.state in uploads.AT_WORK and not is_silent(found):
        raise Conflict("Somebody is at this import right now. Wait for it to end.")
    if not found.storage_key:
        raise Conflict("The file is no longer kept here. Send it again.")
    if found.mapping is None:
        raise Conflict("Say first what the columns of this file mean.")
    return mappings.parse(found.mapping, name=found.file_name)


def _has_rows(found: TicketImport) -> bool:
    """Whether a run committed some rows and then ended early."""
    is_run = found.state in (ImportState.RUNNING, ImportState.UNFINISHED)
    return is_run and found.mode is ImportMode.GOOD_ROWS and found.total > 0


async def _break_off(session: AsyncSession, turn: Turn, sentence: str) -> None:
    """Say that a turn has ended early, unless it is over or somebody else's."""
    found = await session.get(TicketImport, turn.import_id, with_for_update=True, populate_existing=True)
    if found is None or found.claim != turn.claim or found.state not in uploads.AT_WORK:
        return
    found.state = ImportState.UPLOADED if turn.is_check else ImportState.UNFINISHED
    found.failure = sentence[:LONGEST_FAILURE]
    found.ended_at = clock.now()
