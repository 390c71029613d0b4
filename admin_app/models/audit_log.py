"""Who did what, and when. Append-only: triggers refuse UPDATE and DELETE."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from admin_app import clock
from admin_app.actor import ActorKind
from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime, string_enum


class AuditAction(StrEnum):
    """What was done; `table_name` beside it says to what."""

    CREATE = "CREATE"
    EDIT = "EDIT"
    RESOLVE = "RESOLVE"
    CLOSE = "CLOSE"
    REOPEN = "REOPEN"
    DELETE = "DELETE"
    RESTORE = "RESTORE"
    PURGE = "PURGE"
    TRANSFER_OWNERSHIP = "TRANSFER_OWNERSHIP"
    COMMENT = "COMMENT"
    ATTACH = "ATTACH"
    WATCH = "WATCH"
    UNWATCH = "UNWATCH"
    TAG = "TAG"
    IMPORT = "IMPORT"
    EXPORT = "EXPORT"
    SIGN_IN = "SIGN_IN"
    SIGN_IN_REFUSED = "SIGN_IN_REFUSED"
    SIGN_IN_THROTTLED = "SIGN_IN_THROTTLED"
    SIGN_OUT = "SIGN_OUT"
    END_SESSION = "END_SESSION"
    END_SESSIONS = "END_SESSIONS"
    CHANGE_PASSWORD = "CHANGE_PASSWORD"  # noqa: S105 - an action's name, not a password
    CHANGE_ROLE = "CHANGE_ROLE"
    DEACTIVATE = "DEACTIVATE"
    REACTIVATE = "REACTIVATE"
    REFUSED = "REFUSED"
    SECOND_FACTOR_BEGUN = "SECOND_FACTOR_BEGUN"
    SECOND_FACTOR_ON = "SECOND_FACTOR_ON"
    SECOND_FACTOR_OFF = "SECOND_FACTOR_OFF"
    SECOND_FACTOR_RESET = "SECOND_FACTOR_RESET"
    RECOVERY_CODES_NEW = "RECOVERY_CODES_NEW"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    CODE_REFUSED = "CODE_REFUSED"
    LINK_IDENTITY = "LINK_IDENTITY"
    UNLINK_IDENTITY = "UNLINK_IDENTITY"
    PASSWORD_REFUSED = "PASSWORD_REFUSED"  # noqa: S105 - an action's name, not a password
    RESET_LINK_MADE = "RESET_LINK_MADE"
    RESET_LINK_USED = "RESET_LINK_USED"
    RESET_LINK_REFUSED = "RESET_LINK_REFUSED"
    BULK_CLOSE = "BULK_CLOSE"
    BULK_ASSIGN = "BULK_ASSIGN"
    BULK_PRIORITY = "BULK_PRIORITY"
    BULK_TAG = "BULK_TAG"
    BULK_DELETE = "BULK_DELETE"
    BULK_RESTORE = "BULK_RESTORE"
    UNDO = "UNDO"
    TEST_ALERT = "TEST_ALERT"


class AuditLog(Identified, Timestamped, Base):
    """No foreign keys: an entry outlives what it describes."""

    __tablename__ = "audit_logs"

    occurred_at: Mapped[datetime] = mapped_column(UTCDateTime, default=lambda: clock.now())
    actor_id: Mapped[int | None] = mapped_column(default=None)
    actor_name: Mapped[str] = mapped_column(String(200))
    actor_role: Mapped[str] = mapped_column(String(20))
    actor_kind: Mapped[ActorKind] = mapped_column(string_enum(ActorKind, "actor_kind"))
    action: Mapped[AuditAction] = mapped_column(string_enum(AuditAction, "action", constrained=False))
    table_name: Mapped[str] = mapped_column(String(50))
    record_id: Mapped[int | None] = mapped_column(default=None)
    record_label: Mapped[str] = mapped_column(String(254), default="")
    version: Mapped[int | None] = mapped_column(default=None)
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reason: Mapped[str | None] = mapped_column(String(500), default=None)
    request_id: Mapped[str | None] = mapped_column(String(32), default=None)
    ip: Mapped[str | None] = mapped_column(String(45), default=None)
    batch_id: Mapped[str | None] = mapped_column(String(32), default=None)

    __table_args__ = (
        Index("ix_audit_logs_record", "table_name", "record_id", "id"),
        Index("ix_audit_logs_actor_id_id", "actor_id", "id"),
        Index("ix_audit_logs_action_id", "action", "id"),
        Index("ix_audit_logs_occurred_at_id", "occurred_at", "id"),
        Index("ix_audit_logs_batch_id_id", "batch_id", "id"),
    )
