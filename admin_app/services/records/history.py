"""What happened to one record: entries of its own, and batches that it was a member of."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager
from sqlalchemy.sql.elements import ColumnElement

from admin_app.db.base import Base
from admin_app.models.audit_log import AuditLog
from admin_app.models.audit_member import AuditMember

NOTHING: Mapping[str, Any] = MappingProxyType({})

Happening = AuditLog | AuditMember
"""Both have `version` and `changes`; who and when stands in the entry, which a member carries as `log`."""


async def newest(session: AsyncSession, record: Base, *, limit: int) -> list[Happening]:
    """The last `limit` happenings, newest first, in two statements."""
    values = {"table": record.__tablename__, "record": _id_of(record), "most": limit}
    return (await _both(session, *_NEWEST, values))[::-1][:limit]


async def since(session: AsyncSession, record: Base, *, version: int) -> list[Happening]:
    """Every happening after which the record had a later version than this, oldest first."""
    own = _own(record).where(AuditLog.version > version)
    return await _both(session, own, _as_member(record).where(AuditMember.version > version))


def number(record: Base) -> ColumnElement[int]:
    """How many there are, as part of another statement."""
    own = _own(record).with_only_columns(func.count(AuditLog.id)).scalar_subquery()
    member = (
        select(func.count(AuditMember.id))
        .where(*_is_of(AuditMember, record.__tablename__, _id_of(record)))
        .scalar_subquery()
    )
    total: ColumnElement[int] = own + member
    return total


def log_of(happening: Happening) -> AuditLog:
    """The entry that says who and when."""
    return happening.log if isinstance(happening, AuditMember) else happening


async def _both(
    session: AsyncSession, own: Select[AuditLog], member: Select[AuditMember], values: Mapping[str, Any] = NOTHING
) -> list[Happening]:
    entries = (await session.scalars(own, values)).all()
    members = (await session.scalars(member, values)).all()
    return sorted([*entries, *members], key=lambda happening: log_of(happening).id)


def _id_of(record: Any) -> int:
    number: int = record.id
    return number


def _own(record: Any) -> Select[AuditLog]:
    return select(AuditLog).where(*_is_of(AuditLog, record.__tablename__, record.id))


def _as_member(record: Any) -> Select[AuditMember]:
    return _members().where(*_is_of(AuditMember, record.__tablename__, record.id))


def _members() -> Select[AuditMember]:
    return select(AuditMember).join(AuditMember.log).options(contains_eager(AuditMember.log))


def _is_of(model: Any, table: Any, record: Any) -> tuple[ColumnElement[bool], ...]:
    return model.table_name == table, model.record_id == record


def _newest() -> tuple[Select[AuditLog], Select[AuditMember]]:
    table: Any = bindparam("table")
    record: Any = bindparam("record")
    most: Any = bindparam("most")
    own = select(AuditLog).where(*_is_of(AuditLog, table, record)).order_by(AuditLog.id.desc()).limit(most)
    member = _members().where(*_is_of(AuditMember, table, record)).order_by(AuditMember.id.desc()).limit(most)
    return own, member


_NEWEST = _newest()
"""Asked on every page of a ticket, hence built once."""
