"""Files on a ticket. The bytes live in a content-addressed store outside the web root."""

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import SoftDeletable, Timestamped
from admin_app.models.ticket import LIVE, Ticket
from admin_app.models.user import User


class Attachment(Identified, Timestamped, SoftDeletable, Base):
    """Goes and comes back with its ticket."""

    __tablename__ = "attachments"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), index=True)
    comment_id: Mapped[int | None] = mapped_column(
        ForeignKey("comments.id", ondelete="SET NULL"), default=None, index=True
    )
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(String(200), index=True)
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None)

    ticket: Mapped[Ticket] = relationship(lazy="raise")
    uploaded_by: Mapped[User | None] = relationship(foreign_keys=[uploaded_by_id], lazy="raise")

    __table_args__ = (
        Index("ix_attachments_live_ticket_id_id", "ticket_id", "id", postgresql_where=LIVE, sqlite_where=LIVE),
    )
