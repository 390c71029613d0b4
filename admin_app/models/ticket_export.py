"""A file of tickets that somebody takes out: what it is to hold, and how far it has come."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime, string_enum


class ExportFormat(StrEnum):
    """Kinds of file."""

    CSV = "csv"
    JSONL = "jsonl"
    XLSX = "xlsx"


class ExportState(StrEnum):
    """How far an export has come."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TicketExport(Identified, Timestamped, Base):
    """`row_count` and `sha256` are those of what has gone out; the checksum is there once the file is whole."""

    __tablename__ = "ticket_exports"

    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None)
    """Nobody, for one of the command line."""
    format: Mapped[ExportFormat] = mapped_column(string_enum(ExportFormat, "format"))
    query: Mapped[str] = mapped_column(Text, default="")
    """Filter, search and sort as the address of the list has them."""
    state: Mapped[ExportState] = mapped_column(string_enum(ExportState, "state"), default=ExportState.WAITING)
    row_count: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    heard_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    """When it last told how far it was."""
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)

    __table_args__ = (Index("ix_ticket_exports_actor_id_id", "actor_id", "id"),)
