"""One kind of error: how often, since when, and when somebody was last alarmed about it."""

from datetime import datetime

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime


class ErrorGroup(Identified, Timestamped, Base):
    """One row per fingerprint. Whoever reports writes it first, so that reports of one kind wait for one another."""

    __tablename__ = "error_groups"

    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(100))
    message: Mapped[str] = mapped_column(String(500))
    total: Mapped[int] = mapped_column(default=0)
    first_seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    latest_references: Mapped[list[str]] = mapped_column(JSON, default=list)
    """The newest first."""
    alerted_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)

    __table_args__ = (Index("ix_error_groups_last_seen_at_id", "last_seen_at", "id"),)
