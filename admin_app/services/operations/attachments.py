"""Files on a ticket: stored by content, given out only as downloads."""

import re
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from admin_app.actor import Actor
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import Gone, InvalidInput, NotFound
from admin_app.models.attachment import Attachment
from admin_app.models.audit_log import AuditAction
from admin_app.permissions import Permission
from admin_app.services.blocks import stored_bytes
from admin_app.services.records import audit, file_types, lookup
from admin_app.services.records.file_store import FileStore

PROGRAM_SUFFIXES = (
    "exe bat cmd com scr msi msp mst ps1 ps2 vbs vbe js jse wsf wsh jar sh lnk hta cpl msc pif reg scf dll app apk deb "
    "rpm dmg pkg gadget inf chm appref-ms application url desktop"
)
REFUSED_SUFFIXES = frozenset(f".{suffix}" for suffix in PROGRAM_SUFFIXES.split())
RESERVED_NAMES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
)
"""Names that Windows takes for devices, whatever their suffix."""
LONGEST_NAME = 255


async def attach(
    session: AsyncSession, actor: Actor, ticket_id: int, *, filename: str, content: BinaryIO, store: FileStore
) -> Attachment:
    """Put a file on a live ticket.

    The bytes are stored first; when the transaction fails they stay without a row and cost only disk space.
    `InvalidInput` at `file` when there is no name, the file is empty or, by name or content, a program; `TooLarge` over
    the limit. Web pages and drawings with scripts are kept: they only ever leave as downloads.
    """
    actor.require(Permission.TICKET_ATTACH)
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True)
    name = safe_name(filename)
    suffix = f".{name.rsplit('.', 1)[-1].lower()}" if "." in name else ""
    if suffix in REFUSED_SUFFIXES:
        raise InvalidInput(file=f"Programs ({suffix}) are not accepted. Put it into an archive if it must be here.")
    head = file_types.head_of(content)
    if file_types.is_program(head):
        raise InvalidInput(file="This is a program, whatever its name. Put it into an archive if it must be here.")
    stored = await stored_bytes.put(session, store, content)
    attachment = Attachment(
        ticket_id=ticket.id,
        filename=name,
        content_type=file_types.sniffed(head),
        size=stored.size,
        sha256=stored.sha256,
        storage_key=stored.key,
        uploaded_by_id=actor.id,
    )
    session.add(attachment)
    await session.flush()
    changes: dict[str, list[object]] = {
        "filename": [None, name],
        "size": [None, stored.size],
        "sha256": [None, stored.sha256],
    }
    await audit.record(session, actor, AuditAction.ATTACH, ticket, changes=changes)
    return attachment


async def find(session: AsyncSession, actor: Actor, attachment_id: int) -> Attachment:
    """A live file of a live ticket that the actor may see; `Gone` when either is deleted, `NotFound` otherwise."""
    if not actor.can(Permission.TICKET_DETAILS) or not 0 < attachment_id <= lookup.LARGEST_ID:
        raise NotFound("There is no such file.")
    statement = select(Attachment).where(Attachment.id == attachment_id).options(joinedload(Attachment.ticket))
    found = await session.scalar(statement.execution_options(**INCLUDE_DELETED))
    if found is None:
        raise NotFound("There is no such file.")
    if found.ticket.deleted_at is not None:
        raise lookup.gone(actor, found.ticket)
    if found.deleted_at is not None:
        raise Gone("This file was deleted.")
    return found


def safe_name(filename: str) -> str:
    """The last part of the name without control characters and marks that turn the reading direction.

    `InvalidInput` at `file` when nothing is left.
    """
    last = re.split(r"[\\/]", filename)[-1]
    cleaned = "".join(character for character in last if character.isprintable()).strip(" .")
    if not cleaned:
        raise InvalidInput(file="Choose a file.")
    if cleaned.partition(".")[0].strip().lower() in RESERVED_NAMES:
        cleaned = f"_{cleaned}"
    if len(cleaned) <= LONGEST_NAME:
        return cleaned
    stem, dot, suffix = cleaned.rpartition(".")
    room = LONGEST_NAME - len(dot + suffix)
    return f"{stem[:room]}{dot}{suffix}" if stem and room > 0 else cleaned[:LONGEST_NAME]
