"""What a person should know about."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.sql.expression import text

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime, string_enum
from admin_app.models.ticket import Ticket
from admin_app.models.user import User

UNREAD = text("read_at IS NULL")


class NotificationType(StrEnum):
    """Why somebody is told."""

    TRANSFERRED = "transferred"
    COMMENTED = "commented"
    STATUS_CHANGED = "status_changed"
    DELETED = "deleted"
    RESTORED = "restored"
    PASSWORD_LINK = "password_link"  # noqa: S105 - a type's name


class Notification(Identified, Timestamped, Base):
    """Made only inside the transaction that it tells of."""

    __tablename__ = "notifications"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    type: Mapped[NotificationType] = mapped_column(string_enum(NotificationType, "type", constrained=False))
    message: Mapped[str] = mapped_column(String(500))
    ticket_id: Mapped[int | None] = mapped_column(
        ForeignKey("tickets.id", ondelete="SET NULL"), default=None, index=True
    )
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)

    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise")
    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id], lazy="raise")
    ticket: Mapped[Ticket | None] = relationship(lazy="raise")

    __table_args__ = (
        Index("ix_notifications_user_id_id", "user_id", "id"),
        Index("ix_notifications_unread", "user_id", "id", postgresql_where=UNREAD, sqlite_where=UNREAD),
    )
