"""What one entry of the audit log did to each of many records. Append-only, as the log is."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.models.audit_log import AuditLog


class AuditMember(Identified, Timestamped, Base):
    """One record of a batch: what changed in it, and its version afterwards. It outlives the record."""

    __tablename__ = "audit_members"

    audit_log_id: Mapped[int] = mapped_column(ForeignKey("audit_logs.id"))
    table_name: Mapped[str] = mapped_column(String(50))
    record_id: Mapped[int]
    record_label: Mapped[str] = mapped_column(String(254), default="")
    version: Mapped[int | None] = mapped_column(default=None)
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    log: Mapped[AuditLog] = relationship(lazy="raise")

    __table_args__ = (
        Index("ix_audit_members_record", "table_name", "record_id", "id"),
        Index("ix_audit_members_audit_log_id_id", "audit_log_id", "id"),
        Index("ix_audit_members_record_label", "record_label"),
    )
