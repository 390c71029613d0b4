"""Who wants to hear about a ticket, and how much."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_app import clock
from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime, string_enum
from admin_app.models.ticket import Ticket
from admin_app.models.user import User


class WatchLevel(StrEnum):
    """What a watcher is told of."""

    ALL = "all"
    REPLIES = "replies"
    MENTIONS = "mentions"

    @property
    def label(self) -> str:
        """As people read it."""
        return "Everything" if self is WatchLevel.ALL else self.value.capitalize()


class TicketWatcher(Identified, Timestamped, Base):
    """An association object: data about the relation between a person and a ticket."""

    __tablename__ = "ticket_watchers"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    level: Mapped[WatchLevel] = mapped_column(string_enum(WatchLevel, "level"), default=WatchLevel.ALL)
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None)
    added_at: Mapped[datetime] = mapped_column(UTCDateTime, default=lambda: clock.now())

    ticket: Mapped[Ticket] = relationship(lazy="raise")
    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise")
    added_by: Mapped[User | None] = relationship(foreign_keys=[added_by_id], lazy="raise")

    __table_args__ = (UniqueConstraint("ticket_id", "user_id"),)
