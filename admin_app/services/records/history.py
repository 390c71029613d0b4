"""What happened to one record: entries of its own, and batches that it was a member of."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql.elements import ColumnElement

from admin_app.db.base import Base
from admin_app.models.audit_log import AuditLog
from admin_app.models.audit_member import AuditMember

Happening = AuditLog | AuditMember
"""Both have `version` and `changes`; who and when stands in the entry, which a member carries as `log`."""


async def newest(session: AsyncSession, record: Base, *, limit: int) -> list[Happening]:
    """The last `limit` happenings, newest first, in two statements."""
    own = _own(record).order_by(AuditLog.id.desc()).limit(limit)
    member = _as_member(record).order_by(AuditMember.id.desc()).limit(limit)
    return (await _both(session, own, member))[::-1][:limit]


async def since(session: AsyncSession, record: Base, *, version: int) -> list[Happening]:
    """Every happening after which the record had a later version than this, oldest first."""
    own = _own(record).where(AuditLog.version > version)
    return await _both(session, own, _as_member(record).where(AuditMember.version > version))


def number(record: Base) -> ColumnElement[int]:
    """How many there are, as part of another statement."""
    own = _own(record).with_only_columns(func.count(AuditLog.id)).scalar_subquery()
    member = select(func.count(AuditMember.id)).where(*_is_member(record)).scalar_subquery()
    total: ColumnElement[int] = own + member
    return total


def log_of(happening: Happening) -> AuditLog:
    """The entry that says who and when."""
    return happening.log if isinstance(happening, AuditMember) else happening


async def _both(session: AsyncSession, own: Select[AuditLog], member: Select[AuditMember]) -> list[Happening]:
    entries = (await session.scalars(own)).all()
    members = (await session.scalars(member)).all()
    return sorted([*entries, *members], key=lambda happening: log_of(happening).id)


def _own(record: Any) -> Select[AuditLog]:
    return select(AuditLog).where(AuditLog.table_name == record.__tablename__, AuditLog.record_id == record.id)


def _as_member(record: Any) -> Select[AuditMember]:
    joined = select(AuditMember).join(AuditMember.log).options(contains_eager(AuditMember.log))
    return joined.where(*_is_member(record))


def _is_member(record: Any) -> tuple[ColumnElement[bool], ...]:
    return AuditMember.table_name == record.__tablename__, AuditMember.record_id == record.id
