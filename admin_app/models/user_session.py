"""Sign-in sessions on the server's side, so that they can be ended."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime
from admin_app.models.user import User


class UserSession(Identified, Timestamped, Base):
    """The browser holds an opaque id; this row holds only its hash."""

    __tablename__ = "user_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ip: Mapped[str | None] = mapped_column(String(45), default=None)
    user_agent: Mapped[str | None] = mapped_column(String(300), default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    stepped_up_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    """when the person last proved, in this sign-in, that it is still them"""

    by_provider: Mapped[bool] = mapped_column(default=False, server_default=false())
    """the provider of single sign-on has vouched for them, and for whatever second factor it asks for"""

    user: Mapped[User] = relationship(lazy="raise")

    __table_args__ = (Index("ix_user_sessions_user_id_id", "user_id", "id"),)
