"""Sign-ins that are on their way through the provider of single sign-on."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime


class SignInFlow(Identified, Timestamped, Base):
    """The provider brings the state back and the browser its cookie; this row holds only the hashes of both."""

    __tablename__ = "sign_in_flows"

    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    browser_hash: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    code_verifier: Mapped[str] = mapped_column(String(128))
    next_path: Mapped[str] = mapped_column(Text)
    ip: Mapped[str | None] = mapped_column(String(45), default=None, index=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
