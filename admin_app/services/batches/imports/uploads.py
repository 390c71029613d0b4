"""A file that was sent is looked at once, kept until its import has ended or a day has passed, and then forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import Conflict, NotFound
from admin_app.models.import_rejection import ImportRejection
from admin_app.models.ticket_import import ImportState, TicketImport
from admin_app.permissions import Permission
from admin_app.services.batches.csv_import.reading import CsvSource
from admin_app.services.blocks import soft_delete, stored_bytes
from admin_app.services.operations import attachments
from admin_app.services.records import lookup
from admin_app.services.records.file_store import FileStore, StoredFile

FILE_KEPT_FOR = timedelta(days=1)
REPORT_KEPT_FOR = timedelta(days=7)
AT_WORK = (ImportState.CHECKING, ImportState.RUNNING)


@dataclass(frozen=True)
class Upload:
    """A stored file that is fit to be imported."""

    file_name: str
    stored: StoredFile
    header: Sequence[str]
    row_count: int


def receive(store: FileStore, filename: str, content: BinaryIO) -> Upload:
    """Read every row of a file once and store its bytes; blocks, so call it in a thread.

    `InvalidInput` at `file` when there is no name, or the content is no CSV that could be imported to its end;
    `TooLarge` over the store's limit. Nothing is kept then.
    """
    name = attachments.safe_name(filename)
    source = CsvSource(content)
    count = sum(1 for _ in source.rows())
    return Upload(name, store.put(content), source.header, count)


async def keep(session: AsyncSession, actor: Actor, upload: Upload, *, store: FileStore) -> TicketImport:
    """Remember an upload; forgets what is older than it has to be. `PermissionDenied` without `ticket:import`.

    `Conflict` when an import of the same bytes ended between their arrival and this.
    """
    actor.require(Permission.TICKET_IMPORT)
    if not await stored_bytes.are_kept(session, store, upload.stored.key):
        raise Conflict("This file was forgotten with an import that has just ended. Send it once more.")
    kept = TicketImport(
        batch_id=soft_delete.new_batch_id(),
        actor_id=actor.id,
        file_name=upload.file_name,
        storage_key=upload.stored.key,
        sha256=upload.stored.sha256,
        size=upload.stored.size,
        row_count=upload.row_count,
        header=list(upload.header),
    )
    session.add(kept)
    await session.flush()
    await forget_old(session, store)
    return kept


async def find(session: AsyncSession, actor: Actor, import_id: int, *, lock: bool = False) -> TicketImport:
    """An import; `PermissionDenied` without `ticket:import`, `NotFound` when there is none."""
    actor.require(Permission.TICKET_IMPORT)
    if not 0 < import_id <= lookup.LARGEST_ID:
        raise NotFound("There is no such import.")
    statement = select(TicketImport).where(TicketImport.id == import_id).options(joinedload(TicketImport.actor))
    if lock:
        statement = statement.with_for_update(of=TicketImport).execution_options(populate_existing=True)
    found = await session.scalar(statement)
    if found is None:
        raise NotFound("There is no such import.")
    return found


async def release(session: AsyncSession, store: FileStore, found: TicketImport) -> None:
    """Forget the file of an import. The bytes go after the commit, unless another import is of the same ones."""
    key, found.storage_key = found.storage_key, ""
    await session.flush()
    stored_bytes.remove_when_unused(session, store, TicketImport.storage_key, [key])


async def forget_old(session: AsyncSession, store: FileStore) -> None:
    """Files of a day ago that nobody is importing, and rejected rows of a week ago."""
    old = clock.now() - FILE_KEPT_FOR
    statement = select(TicketImport).where(
        TicketImport.created_at < old, TicketImport.updated_at < old, TicketImport.storage_key != ""
    )
    for found in (await session.scalars(statement)).all():
        await release(session, store, found)
    reported = select(TicketImport.id).where(TicketImport.created_at < clock.now() - REPORT_KEPT_FOR)
    await session.execute(delete(ImportRejection).where(ImportRejection.import_id.in_(reported)))
