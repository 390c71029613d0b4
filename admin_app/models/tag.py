"""Words that group tickets."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped


class Tag(Identified, Timestamped, Base):
    """A lower-case word."""

    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(String(50), unique=True)

    __table_args__ = (CheckConstraint("name = lower(name)", name="name_lower"),)

    def __str__(self) -> str:
        return self.name


ticket_tags = Table(
    "ticket_tags",
    Base.metadata,
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_ticket_tags_tag_id_ticket_id", "tag_id", "ticket_id"),
)
"""Plain many-to-many: the pair is all there is to know."""
