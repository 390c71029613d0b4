"""Links with which somebody sets a new password, once."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime


class PasswordLink(Identified, Timestamped, Base):
    """A person's newest link; this row holds only the hash of what makes it work."""

    __tablename__ = "password_links"

    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    refused_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    """when the audit log was told that it was tried in vain; once is enough"""
