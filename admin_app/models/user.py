"""People: customers, who never sign in, and the desk."""

from datetime import datetime
from typing import ClassVar, Optional

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped, Versioned
from admin_app.db.types import UTCDateTime, string_enum
from admin_app.permissions import Role


class User(Identified, Timestamped, Versioned, Base):
    """Somebody with an e-mail address. Never deleted, only deactivated."""

    __tablename__ = "users"
    MACHINE_COLUMNS: ClassVar[frozenset[str]] = frozenset({"updated_at", "last_sign_in_at", "password_hash"})

    email: Mapped[str] = mapped_column(String(254), unique=True)
    full_name: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(string_enum(Role, "role"), default=Role.CUSTOMER)
    password_hash: Mapped[str | None] = mapped_column(String(200), default=None)
    is_active: Mapped[bool] = mapped_column(default=True)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), default=None, index=True)

    manager: Mapped[Optional["User"]] = relationship(remote_side="User.id", lazy="raise")

    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_lower"),
        Index("ix_users_full_name_id", "full_name", "id"),
        Index("ix_users_role_full_name_id", "role", "full_name", "id"),
        Index("ix_users_created_at_id", "created_at", "id"),
    )

    @validates("email")
    def normalise_email(self, key: str, email: str) -> str:
        """Addresses compare without regard to case, so they are stored in one case."""
        return email.strip().lower()

    def __str__(self) -> str:
        return f"{self.full_name} <{self.email}>"
