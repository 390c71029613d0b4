"""What columns meant the last time, by the header that they stood in."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import Conflict, InvalidInput
from admin_app.models.import_layout import ImportLayout
from admin_app.models.ticket_import import ImportState, TicketImport
from admin_app.permissions import Permission
from admin_app.services.batches.csv_import import mapping as mappings
from admin_app.services.batches.csv_import.mapping import ImportMapping, folded
from admin_app.services.batches.imports import uploads
from admin_app.services.batches.imports.previews import without_report

OPEN_STATES = (ImportState.UPLOADED, ImportState.CHECKED, ImportState.REFUSED)


def fingerprint(header: Sequence[str]) -> str:
    """The same for files with the same columns, in whatever order and case."""
    names = sorted(folded(name) for name in without_report(header))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def presets(files: Sequence[Path], header: Sequence[str]) -> list[ImportMapping]:
    """The mappings that the deployment brings and that fit these columns; one that cannot be read fits none."""
    found = []
    for file in files:
        with suppress(InvalidInput):
            mapping = mappings.load(file)
            if not mapping.missing_in(header):
                found.append(mapping)
    return found


async def recall(session: AsyncSession, actor: Actor, header: Sequence[str]) -> ImportMapping | None:
    """The mapping that was last chosen for this layout, if it still fits."""
    actor.require(Permission.TICKET_IMPORT)
    stored = await _layout(session, fingerprint(header))
    if stored is None:
        return None
    mapping = mappings.parse(stored.mapping, name="of the last time")
    return None if mapping.missing_in(header) else mapping


async def choose(session: AsyncSession, actor: Actor, import_id: int, *, mapping: ImportMapping) -> TicketImport:
    """Say what the columns of an import mean, and remember it for the layout; its last check no longer counts.

    `InvalidInput` at `file` when the file lacks a column, `Conflict` once rows are in.
    """
    chosen = await uploads.find(session, actor, import_id, lock=True)
    mappings.check(mapping, chosen.header)
    if not can_choose(chosen):
        raise Conflict("This import has begun, so what its columns mean is settled. Send the file again to start anew.")
    values = mapping.model_dump(mode="json")
    chosen.mapping = values
    chosen.state = ImportState.UPLOADED
    chosen.claim = chosen.failure = ""
    stored = await _layout(session, fingerprint(chosen.header))
    if stored is None:
        session.add(ImportLayout(fingerprint=fingerprint(chosen.header), mapping=values))
    else:
        stored.mapping = values
    return chosen


def can_choose(found: TicketImport) -> bool:
    """Whether nothing of it is in yet, and nobody is at it."""
    is_empty_handed = found.state is ImportState.UNFINISHED and not found.total
    return bool(found.storage_key) and (found.state in OPEN_STATES or is_empty_handed)


async def _layout(session: AsyncSession, wanted: str) -> ImportLayout | None:
    return await session.scalar(select(ImportLayout).where(ImportLayout.fingerprint == wanted))
