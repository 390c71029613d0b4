"""What people say on a ticket."""

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import SoftDeletable, Timestamped, Versioned
from admin_app.models.ticket import LIVE, Ticket
from admin_app.models.user import User


class Comment(Identified, Timestamped, SoftDeletable, Versioned, Base):
    """Goes and comes back with its ticket."""

    __tablename__ = "comments"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    body: Mapped[str] = mapped_column(Text)
    is_internal: Mapped[bool] = mapped_column(default=False)

    ticket: Mapped[Ticket] = relationship(lazy="raise")
    author: Mapped[User | None] = relationship(foreign_keys=[author_id], lazy="raise")

    __table_args__ = (
        Index("ix_comments_live_ticket_id_id", "ticket_id", "id", postgresql_where=LIVE, sqlite_where=LIVE),
    )
