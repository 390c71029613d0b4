"""Who somebody is at the provider of single sign-on."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.models.user import User


class ExternalIdentity(Identified, Timestamped, Base):
    """An issuer never gives one subject to two people, while an e-mail address may change hands."""

    __tablename__ = "external_identities"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))

    user: Mapped[User] = relationship(lazy="raise")

    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("user_id", "issuer"))
