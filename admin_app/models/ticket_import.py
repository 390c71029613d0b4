"""A file of tickets that somebody sent: what it holds, what its columns mean, and how far its import has come."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime, string_enum
from admin_app.models.user import User


class ImportMode(StrEnum):
    """What a bad row means for the good ones."""

    GOOD_ROWS = "good_rows"
    ALL_OR_NOTHING = "all_or_nothing"


class ImportState(StrEnum):
    """How far an import has come."""

    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    UNFINISHED = "unfinished"
    FINISHED = "finished"
    REFUSED = "refused"
    UNDONE = "undone"


class TicketImport(Identified, Timestamped, Base):
    """`batch_id` is what its audit entries carry. The counts are those of the last check or run."""

    __tablename__ = "ticket_imports"

    batch_id: Mapped[str] = mapped_column(String(32), unique=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None)
    state: Mapped[ImportState] = mapped_column(string_enum(ImportState, "state"), default=ImportState.UPLOADED)
    mode: Mapped[ImportMode] = mapped_column(string_enum(ImportMode, "mode"), default=ImportMode.GOOD_ROWS)
    claim: Mapped[str] = mapped_column(String(32), default="")
    """Whose turn it is: each check or run draws a word of its own, and who holds an old one writes nothing more."""
    file_name: Mapped[str] = mapped_column(String(255))
    storage_key: Mapped[str] = mapped_column(String(200), default="", index=True)
    """Empty once the bytes are gone."""
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    row_count: Mapped[int]
    header: Mapped[list[str]] = mapped_column(JSON)
    mapping: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    total: Mapped[int] = mapped_column(default=0)
    imported: Mapped[int] = mapped_column(default=0)
    known: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    customers: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    """Spent on the counts, breaks between two runs not included."""
    failure: Mapped[str] = mapped_column(String(500), default="")
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    undone_count: Mapped[int] = mapped_column(default=0)
    kept_count: Mapped[int] = mapped_column(default=0)
    kept: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    """[id, label, reason] of the first tickets that the undo left as they were."""

    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id], lazy="raise")

    __table_args__ = (
        Index("ix_ticket_imports_sha256_id", "sha256", "id"),
        Index("ix_ticket_imports_created_at_id", "created_at", "id"),
    )

    @property
    def rows_per_second(self) -> float:
        """Of the last check or run."""
        return self.total / self.seconds if self.seconds else 0.0
