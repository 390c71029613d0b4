"""Tries at passwords within the last minutes, counted where every process sees them."""

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime


class AttemptCounter(Identified, Timestamped, Base):
    """One account, one address or one device of an account; which one, only its hash says."""

    __tablename__ = "attempt_counters"

    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    tries: Mapped[list[float]] = mapped_column(JSON, default=list)
    """when, in seconds since 1970; no more of them than may be made"""
    last_try_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    """when the audit log was last told that there were too many"""
