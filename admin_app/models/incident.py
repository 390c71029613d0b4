"""Something that ops should look at: since when, until when, and whether somebody was told."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy import text as written
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime


class Incident(Identified, Timestamped, Base):
    """At most one of a kind is open: whichever worker writes the row, of all on all hosts, is the one that tells."""

    __tablename__ = "incidents"

    kind: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(String(500))
    advice: Mapped[str] = mapped_column(String(500))
    is_critical: Mapped[bool]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    is_untold: Mapped[bool] = mapped_column(default=False)
    """Whether something of it waits for the end of the quiet hours."""

    __table_args__ = (
        Index(
            "uq_incidents_open_kind",
            "kind",
            unique=True,
            postgresql_where=written("ended_at IS NULL"),
            sqlite_where=written("ended_at IS NULL"),
        ),
        Index("ix_incidents_last_seen_at", "last_seen_at"),
    )
