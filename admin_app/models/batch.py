"""One change to many tickets: first a preview, then applied, perhaps undone."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime, string_enum
from admin_app.models.user import User


class BatchKind(StrEnum):
    """What is done to every ticket of a batch."""

    CLOSE = "close"
    ASSIGN = "assign"
    PRIORITY = "priority"
    TAG = "tag"
    DELETE = "delete"
    RESTORE = "restore"


class BatchState(StrEnum):
    """How far a batch has come."""

    PREVIEWED = "previewed"
    APPLIED = "applied"
    UNDONE = "undone"


class Batch(Identified, Timestamped, Base):
    """`batch_id` is what its audit entries, and the rows it deletes, carry."""

    __tablename__ = "batches"

    batch_id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[BatchKind] = mapped_column(string_enum(BatchKind, "kind"))
    state: Mapped[BatchState] = mapped_column(string_enum(BatchState, "state"), default=BatchState.PREVIEWED)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    plan: Mapped[list[list[int]]] = mapped_column(JSON, default=list)
    """[id, version] of every ticket that will be changed, as they were at the preview, in the order of ids."""
    refused: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    """[id, label, reason] of every ticket that was asked for and will not be changed."""
    kept: Mapped[list[list[Any]]] = mapped_column(JSON, default=list)
    """[id, label, reason] of every ticket that the undo left as it was."""
    planned_count: Mapped[int] = mapped_column(default=0)
    refused_count: Mapped[int] = mapped_column(default=0)
    kept_count: Mapped[int] = mapped_column(default=0)
    applied_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)

    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id], lazy="raise")

    __table_args__ = (
        Index("ix_batches_actor_id_id", "actor_id", "id"),
        Index("ix_batches_state_created_at", "state", "created_at"),
    )
