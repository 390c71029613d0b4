"""Reports of failures that nobody foresaw."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from admin_app import clock
from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime


class ErrorReport(Identified, Timestamped, Base):
    """Written in a transaction of its own, after the failed one rolled back."""

    __tablename__ = "error_reports"

    reference: Mapped[str] = mapped_column(String(8), unique=True)
    kind: Mapped[str] = mapped_column(String(100))
    fingerprint: Mapped[str] = mapped_column(String(64))
    message: Mapped[str] = mapped_column(String(500))
    path: Mapped[str] = mapped_column(String(300))
    actor_id: Mapped[int | None] = mapped_column(default=None)
    request_id: Mapped[str | None] = mapped_column(String(32), default=None)
    occurred_at: Mapped[datetime] = mapped_column(UTCDateTime, default=lambda: clock.now())
    occurrences: Mapped[int] = mapped_column(default=1, server_default="1")
    """More than one when errors came so fast that a worker only counted them; the rest is of the last of them."""

    __table_args__ = (
        Index("ix_error_reports_fingerprint_occurred_at", "fingerprint", "occurred_at", "id"),
        Index("ix_error_reports_occurred_at_id", "occurred_at", "id"),
    )
