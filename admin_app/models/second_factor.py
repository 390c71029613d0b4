"""What somebody has besides a password: the secret behind six-digit codes, and codes for the day the phone is lost."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime


class SecondFactor(Identified, Timestamped, Base):
    """At most one per person. It counts from its first right code on; until then it is only being set up."""

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    sealed_secret: Mapped[str] = mapped_column(String(300))
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)
    last_used_step: Mapped[int] = mapped_column(default=0)
    """the time step of the newest code that was accepted: neither it nor an older one is accepted again"""


class RecoveryCode(Identified, Timestamped, Base):
    """One of ten, good once; only its hash is stored."""

    __tablename__ = "recovery_codes"

    second_factor_id: Mapped[int] = mapped_column(ForeignKey("second_factors.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None)

    __table_args__ = (UniqueConstraint("second_factor_id", "code_hash"),)
