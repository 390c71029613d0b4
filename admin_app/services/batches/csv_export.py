"""Tickets as CSV: streamed page by page, safe to open in a spreadsheet, with a row count and a checksum at the end."""

import csv
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import Any, cast

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from admin_app.actor import Actor
from admin_app.models.audit_log import AuditAction
from admin_app.models.tag import Tag, ticket_tags
from admin_app.models.ticket import Priority, Status, Ticket
from admin_app.models.user import User
from admin_app.permissions import Permission
from admin_app.services.batches import formula_safety
from admin_app.services.batches.units_of_work import ReadsWork
from admin_app.services.blocks import soft_delete, workflow
from admin_app.services.pages import ticket_list
from admin_app.services.pages.ticket_list import TicketFilter
from admin_app.services.records import audit

PAGE_ROWS = 1_000
LINE_END = "\r\n"

_customer, _owner = aliased(User), aliased(User)

COLUMNS: dict[str, Any] = {
    "Number": Ticket.ticket_number,
    "Title": Ticket.title,
    "Description": Ticket.description,
    "Status": Ticket.status,
    "Priority": Ticket.priority,
    "Channel": Ticket.channel,
    "Category": Ticket.category,
    "Customer": _customer.full_name,
    "Customer e-mail": _customer.email,
    "Owner": _owner.full_name,
    "Owner e-mail": _owner.email,
    "Resolution": Ticket.resolution,
    "Created": Ticket.created_at,
    "First response": Ticket.first_response_at,
    "Resolved": Ticket.resolved_at,
    "Closed": Ticket.closed_at,
    "Due": Ticket.due_at,
    "External key": Ticket.external_key,
}
"""Heading → what stands under it."""

TAGS = "Tags"
HEADINGS = (*COLUMNS, TAGS)


class Export:
    """One export on its way; afterwards `rows` and `sha256` say what went out."""

    def __init__(self, actor: Actor, wanted: TicketFilter) -> None:
        """`PermissionDenied` without `ticket:export`."""
        actor.require(Permission.TICKET_EXPORT)
        self.rows = 0
        self._actor = actor
        self._wanted = wanted
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The checksum of every byte so far."""
        return self._digest.hexdigest()

    async def chunks(self, read: ReadsWork) -> AsyncIterator[bytes]:
        """The header, then a page of lines at a time, in the order of numbers.

        Each page is a read of its own that goes on after the last id, so a slow receiver holds no connection and
        memory does not grow. It is no snapshot: a ticket deleted meanwhile is left out, one opened meanwhile is in.
        """
        yield self._counted([HEADINGS])
        after = 0
        while True:
            page, last = await read(lambda session, after=after: self._page(session, after))  # type: ignore[misc]
            if not page:
                return
            self.rows += len(page)
            yield self._counted(page)
            after = last

    async def record(self, session: AsyncSession) -> None:
        """Write the one audit entry of this export: how many rows, their checksum, and the filter."""
        wanted = {name: str(value) for name, value in asdict(self._wanted).items() if value}
        changes: audit.Changes = {"rows": [0, self.rows], "sha256": [None, self.sha256]}
        if wanted:
            changes["filter"] = [None, ", ".join(f"{name}={value}" for name, value in wanted.items())]
        subject = audit.Subject("tickets", None, "Tickets as CSV", changes)
        batch_id = soft_delete.new_batch_id()
        await audit.record_many(session, self._actor, AuditAction.EXPORT, [subject], batch_id=batch_id)

    async def _page(self, session: AsyncSession, after: int) -> tuple[list[list[str]], int]:
        statement = (
            ticket_list.narrowed(_columns(), self._actor, self._wanted)
            .where(Ticket.id > after)
            .order_by(Ticket.id)
            .limit(PAGE_ROWS)
        )
        rows: list[Any] = list(await session.execute(statement))
        if not rows:
            return [], after
        last = rows[-1].id
        tags = await _tags(session, after, last)
        return [[*(_text(value) for value in row[1:]), ", ".join(tags.get(row.id, ()))] for row in rows], last

    def _counted(self, lines: Sequence[Sequence[str]]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator=LINE_END)
        writer.writerows([formula_safety.defused(cell) for cell in line] for line in lines)
        chunk = text.getvalue().encode()
        self._digest.update(chunk)
        return chunk


def _columns() -> Select[Any]:
    return cast(
        "Select[Any]",
        select(Ticket.id, *COLUMNS.values())
        .join(_customer, Ticket.creator_id == _customer.id)
        .outerjoin(_owner, Ticket.owner_id == _owner.id),
    )


async def _tags(session: AsyncSession, after: int, last: int) -> dict[int, list[str]]:
    """Tag names of the tickets in a range of ids, in one statement."""
    statement = (
        select(ticket_tags.c.ticket_id, Tag.name)
        .join(Tag, Tag.id == ticket_tags.c.tag_id)
        .where(ticket_tags.c.ticket_id > after, ticket_tags.c.ticket_id <= last)
        .order_by(ticket_tags.c.ticket_id, Tag.name)
    )
    names: dict[int, list[str]] = {}
    for ticket_id, name in await session.execute(statement):
        names.setdefault(ticket_id, []).append(name)
    return names


def _text(value: object) -> str:
    """A value in people's words; times in UTC to the second."""
    if value is None:
        return ""
    if isinstance(value, Status):
        return workflow.label(value)
    if isinstance(value, Priority):
        return value.name.capitalize()
    if isinstance(value, Enum):
        return str(value.value).capitalize()
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)
