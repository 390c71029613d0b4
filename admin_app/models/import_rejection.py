"""Rows of an imported file that were turned away."""

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped


class ImportRejection(Identified, Timestamped, Base):
    """One row as it stood in the file, where, and why. Committed together with the good rows of its batch."""

    __tablename__ = "import_rejections"

    import_id: Mapped[int] = mapped_column(ForeignKey("ticket_imports.id", ondelete="CASCADE"))
    line: Mapped[int]
    column: Mapped[str] = mapped_column(String(1000), default="")
    reason: Mapped[str] = mapped_column(Text)
    cells: Mapped[list[str]] = mapped_column(JSON)
    is_damaged: Mapped[bool] = mapped_column(default=False)
    """The cells are not those of the header, because the line could not be read."""

    __table_args__ = (Index("ix_import_rejections_import_id_id", "import_id", "id"),)
