"""A customer's request and everything that hangs on it."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import ClassVar, Optional

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.sql.expression import text

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import SoftDeletable, Timestamped, Versioned
from admin_app.db.types import SmallEnum, UTCDateTime, string_enum
from admin_app.models.tag import Tag, ticket_tags
from admin_app.models.user import User


class Status(StrEnum):
    """Where the work on a ticket stands. Deletion is its own axis, never a status."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    CLOSED = "closed"


ACTIVE_STATUSES = (Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD)
"""Statuses in which somebody still owes the customer something."""


class Priority(IntEnum):
    """How urgent; a number, so that it sorts."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Channel(StrEnum):
    """How the request came in."""

    EMAIL = "email"
    PHONE = "phone"
    CHAT = "chat"
    SOCIAL = "social"
    WEB = "web"


LIVE: TextClause = text("deleted_at IS NULL")
DELETED: TextClause = text("deleted_at IS NOT NULL")
ACTIVE: TextClause = text("deleted_at IS NULL AND status IN ('new', 'open', 'pending', 'on_hold')")


def _live(name: str, *columns: str) -> Index:
    return Index(f"ix_tickets_live_{name}", *columns, postgresql_where=LIVE, sqlite_where=LIVE)


def _active(name: str, *columns: str) -> Index:
    return Index(f"ix_tickets_active_{name}", *columns, postgresql_where=ACTIVE, sqlite_where=ACTIVE)


class Ticket(Identified, Timestamped, SoftDeletable, Versioned, Base):
    """Soft-deletable and versioned; its number is never reused."""

    __tablename__ = "tickets"
    MACHINE_COLUMNS: ClassVar[frozenset[str]] = frozenset(
        {"updated_at", "first_response_at", "resolved_at", "closed_at"}
    )

    ticket_number: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[Status] = mapped_column(string_enum(Status, "status"), default=Status.NEW)
    priority: Mapped[Priority] = mapped_column(SmallEnum(Priority), default=Priority.MEDIUM)
    channel: Mapped[Channel] = mapped_column(string_enum(Channel, "channel"), default=Channel.WEB)
    category: Mapped[str] = mapped_column(String(100), default="")
    creator_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), default=None, index=True)
    resolution: Mapped[str | None] = mapped_column(Text, default=None)
    first_response_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    external_key: Mapped[str | None] = mapped_column(String(200), unique=True, default=None)

    creator: Mapped[User] = relationship(foreign_keys=[creator_id], lazy="raise")
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id], lazy="raise")
    parent: Mapped[Optional["Ticket"]] = relationship(remote_side="Ticket.id", lazy="raise")
    tags: Mapped[list[Tag]] = relationship(secondary=ticket_tags, order_by=Tag.name, lazy="raise")

    __table_args__ = (
        _live("created_at", "created_at", "id"),
        _live("updated_at", "updated_at", "id"),
        _live("title", "title", "id"),
        _live("status", "status", "created_at", "id"),
        _live("priority", "priority", "created_at", "id"),
        _live("channel", "channel", "created_at", "id"),
        _live("owner", "owner_id", "created_at", "id"),
        _live("creator", "creator_id", "created_at", "id"),
        _live("due_at", "due_at", "id"),
        _active("owner", "owner_id", "priority", "id"),
        _active("due", "due_at", "id"),
        Index("ix_tickets_trash", "deleted_at", "id", postgresql_where=DELETED, sqlite_where=DELETED),
        Index("ix_tickets_delete_batch_id", "delete_batch_id", postgresql_where=DELETED, sqlite_where=DELETED),
    )

    @property
    def is_active(self) -> bool:
        """Work is still owed."""
        return self.status in ACTIVE_STATUSES

    def __str__(self) -> str:
        return f"{self.ticket_number} {self.title}"
