"""Reading the audit log: filtered, and old → new in people's words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from admin_app.actor import Actor
from admin_app.db.keyset import Order
from admin_app.errors import NotFound
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.audit_member import AuditMember
from admin_app.models.user import User
from admin_app.permissions import Permission
from admin_app.services.blocks import audit_entries
from admin_app.services.records import listing, lookup

SHOWN_MEMBERS = 100
NEWEST_FIRST = Order((AuditLog.id,), descending=True)


@dataclass(frozen=True)
class AuditFilter:
    """What the log is narrowed to; None or empty means everything."""

    actor: str = ""
    """An e-mail address, or part of the name as it was then."""
    action: AuditAction | None = None
    record: str = ""
    """A ticket number or an e-mail address; finds the batches that it was a member of, too."""
    table_name: str = ""
    field: str = ""
    batch_id: str = ""
    occurred_from: datetime | None = None
    occurred_before: datetime | None = None


async def page(
    session: AsyncSession, actor: Actor, wanted: AuditFilter, *, request: listing.PageRequest
) -> tuple[listing.Page[AuditLog], Sequence[audit_entries.Entry]]:
    """One page of entries, newest first, and the same entries made readable."""
    actor.require(Permission.AUDIT_LIST)
    wanted = _storable(wanted)
    statement = select(AuditLog)
    if wanted.actor:
        address = lookup.address_in(wanted.actor)
        ids = select(User.id).where(User.email == address)
        statement = statement.where(
            AuditLog.actor_id.in_(ids) | AuditLog.actor_name.icontains(wanted.actor, autoescape=True)
        )
    if wanted.field:
        statement = statement.where(cast(AuditLog.changes, String).contains(f'"{wanted.field}": [', autoescape=True))
    if wanted.record:
        labels = (wanted.record.strip().upper(), wanted.record.strip().lower())
        batches = select(AuditMember.audit_log_id).where(AuditMember.record_label.in_(labels))
        statement = statement.where(AuditLog.record_label.in_(labels) | AuditLog.id.in_(batches))
    for column, value in (
        (AuditLog.action, wanted.action),
        (AuditLog.table_name, wanted.table_name),
        (AuditLog.batch_id, wanted.batch_id),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.occurred_from is not None:
        statement = statement.where(AuditLog.occurred_at >= wanted.occurred_from)
    if wanted.occurred_before is not None:
        statement = statement.where(AuditLog.occurred_at < wanted.occurred_before)
    found = await listing.paginate(session, statement, order=NEWEST_FIRST, request=request)
    return found, await audit_entries.readable(session, found.rows)


async def find(session: AsyncSession, actor: Actor, entry_id: int) -> audit_entries.Entry:
    """One entry, made readable; `NotFound` when there is none or the actor may not see it."""
    if not actor.can(Permission.AUDIT_DETAILS) or not 0 < entry_id <= lookup.LARGEST_ID:
        raise NotFound("There is no such audit entry.")
    log = await session.scalar(select(AuditLog).where(AuditLog.id == entry_id))
    if log is None:
        raise NotFound("There is no such audit entry.")
    [entry] = await audit_entries.readable(session, [log])
    return entry


async def members_of(session: AsyncSession, actor: Actor, entry_id: int) -> tuple[list[audit_entries.Entry], int]:
    """What a batch did to the first `SHOWN_MEMBERS` of its records, and how many there are in all."""
    actor.require(Permission.AUDIT_DETAILS)
    of_entry = AuditMember.audit_log_id == entry_id
    first = select(AuditMember).where(of_entry).order_by(AuditMember.id).limit(SHOWN_MEMBERS)
    members = (await session.scalars(first.options(joinedload(AuditMember.log)))).all()
    count = await session.scalar(select(func.count(AuditMember.id)).where(of_entry)) or 0
    return await audit_entries.readable(session, members), count


def _storable(wanted: AuditFilter) -> AuditFilter:
    """Without NULs: no stored text holds one, and PostgreSQL refuses to look for it."""
    texts: dict[str, Any] = {name: text.replace("\x00", "") for name, text in vars(wanted).items() if type(text) is str}
    return replace(wanted, **texts)
