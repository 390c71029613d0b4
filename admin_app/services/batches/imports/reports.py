"""What a person sees of an import: its page, the last ones, and its rejected rows as a file."""

import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from admin_app.actor import Actor
from admin_app.errors import NotFound
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.import_rejection import ImportRejection
from admin_app.models.ticket_import import ImportMode, ImportState, TicketImport
from admin_app.permissions import Permission
from admin_app.services.batches.csv_import.drafting import Rejection
from admin_app.services.batches.csv_import.reading import Row
from admin_app.services.batches.csv_import.rejected_rows import RejectedRows
from admin_app.services.batches.imports import layouts, runs, undoing, uploads
from admin_app.services.batches.imports.previews import without_report
from admin_app.services.batches.units_of_work import ReadsWork

SHOWN_REJECTIONS = 100
SHOWN_IMPORTS = 20
PAGE_ROWS = 500
BYTE_ORDER_MARK = "\ufeff"
"""Spreadsheets take a file without it for Windows-1252."""


@dataclass(frozen=True)
class ImportPage:
    """An import with what may be done about it."""

    record: TicketImport
    rejections: Sequence[ImportRejection]
    """The first hundred."""
    entry_id: int | None
    """Of the audit entry that sums it up."""
    twin: TicketImport | None
    """An earlier import of the very same bytes."""
    has_stopped: bool
    """It looks busy, and the process that was busy with it is gone."""

    @property
    def is_busy(self) -> bool:
        """Somebody is at it."""
        return self.record.state in uploads.AT_WORK and not self.has_stopped

    @property
    def is_partial(self) -> bool:
        """Some of its rows are in, and it can be gone on with."""
        was_running = self.record.state is ImportState.UNFINISHED or (
            self.has_stopped and self.record.state is ImportState.RUNNING
        )
        return was_running and self.record.mode is ImportMode.GOOD_ROWS and self.record.total > 0

    @property
    def can_start(self) -> bool:
        """It can be checked and run from the beginning."""
        is_ready = bool(self.record.storage_key) and self.record.mapping is not None and not self.is_busy
        return is_ready and self.record.state not in runs.ENDED and not self.is_partial

    @property
    def can_go_on(self) -> bool:
        """It can be taken up where it stopped."""
        return self.is_partial and bool(self.record.storage_key)

    @property
    def can_map(self) -> bool:
        """What its columns mean may still be changed."""
        return layouts.can_choose(self.record)

    @property
    def can_undo(self) -> bool:
        """It brought tickets that could go."""
        return undoing.can_undo(self.record)


async def page(session: AsyncSession, actor: Actor, import_id: int) -> ImportPage:
    """Everything about one import. `NotFound` when there is none; `PermissionDenied` without `ticket:import`."""
    found = await uploads.find(session, actor, import_id)
    rejections = (
        select(ImportRejection)
        .where(ImportRejection.import_id == found.id)
        .order_by(ImportRejection.id)
        .limit(SHOWN_REJECTIONS)
    )
    entry = select(AuditLog.id).where(AuditLog.batch_id == found.batch_id, AuditLog.action == AuditAction.IMPORT)
    twin = (
        select(TicketImport)
        .where(TicketImport.sha256 == found.sha256, TicketImport.id < found.id, TicketImport.imported > 0)
        .where(TicketImport.state.in_((ImportState.FINISHED, ImportState.UNFINISHED)))
        .order_by(TicketImport.id.desc())
        .limit(1)
    )
    return ImportPage(
        record=found,
        rejections=(await session.scalars(rejections)).all(),
        entry_id=await session.scalar(entry),
        twin=await session.scalar(twin),
        has_stopped=runs.is_silent(found),
    )


async def recent(session: AsyncSession, actor: Actor) -> Sequence[TicketImport]:
    """The last imports, newest first. `PermissionDenied` without `ticket:import`."""
    actor.require(Permission.TICKET_IMPORT)
    statement = select(TicketImport).options(joinedload(TicketImport.actor))
    return (await session.scalars(statement.order_by(TicketImport.id.desc()).limit(SHOWN_IMPORTS))).all()


async def rejected_rows(read: ReadsWork, actor: Actor, import_id: int) -> AsyncIterator[bytes]:
    """The rows that were turned away as CSV, to be put right and sent again; a page of them at a time.

    `NotFound` when there is none, or they are no longer kept.
    """
    found = await read(lambda session: uploads.find(session, actor, import_id))
    text = io.StringIO(BYTE_ORDER_MARK, newline="")
    text.seek(0, io.SEEK_END)
    header = without_report(found.header)
    writer, after = RejectedRows(text, header), 0
    while True:
        rows = await read(lambda session, after=after: _rejections(session, import_id, after))  # type: ignore[misc]
        if not rows and not after:
            raise NotFound("No rows were turned away, or they are no longer kept here.")
        if not rows:
            return
        for row in rows:
            cells = row.cells if row.is_damaged else row.cells[: len(header)]
            writer.write(Rejection(Row(row.line, cells), row.column, row.reason))
        after = rows[-1].id
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


async def _rejections(session: AsyncSession, import_id: int, after: int) -> Sequence[ImportRejection]:
    statement = select(ImportRejection).where(ImportRejection.import_id == import_id, ImportRejection.id > after)
    return (await session.scalars(statement.order_by(ImportRejection.id).limit(PAGE_ROWS))).all()
