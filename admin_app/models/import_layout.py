"""What the columns of a layout meant the last time."""

from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped


class ImportLayout(Identified, Timestamped, Base):
    """A header, by its fingerprint, and the mapping that somebody chose for it."""

    __tablename__ = "import_layouts"

    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)
