"""Reading the audit log: filtered, and old → new in people's words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import NotFound
from admin_app.models.audit_log import AuditAction, AuditLog
from admin_app.models.user import User
from admin_app.permissions import Permission
from admin_app.services.blocks import audit_entries
from admin_app.services.records import listing, lookup


@dataclass(frozen=True)
class AuditFilter:
    """What the log is narrowed to; None or empty means everything."""

    actor: str = ""
    """An e-mail address, or part of the name as it was then."""
    action: AuditAction | None = None
    record: str = ""
    """A ticket number or an e-mail address."""
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
        statement = statement.where(
            AuditLog.record_label.in_((wanted.record.strip().upper(), wanted.record.strip().lower()))
        )
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
    found = await listing.paginate(session, statement, order=(AuditLog.id.desc(),), request=request)
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


def _storable(wanted: AuditFilter) -> AuditFilter:
    """Without NULs: no stored text holds one, and PostgreSQL refuses to look for it."""
    texts: dict[str, Any] = {name: value.replace("\x00", "") for name, value in vars(wanted).items() if type(value) is str}
    return replace(wanted, **texts)
