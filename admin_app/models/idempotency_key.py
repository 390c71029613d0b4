"""Writes that were already applied, so that a repeated POST is not applied again."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped


class IdempotencyKey(Identified, Timestamped, Base):
    """Committed together with the change that it stands for."""

    __tablename__ = "idempotency_keys"

    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    record_id: Mapped[int | None] = mapped_column(default=None)
