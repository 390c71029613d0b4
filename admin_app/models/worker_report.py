"""What each worker process last said of itself, where every other finds it."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from admin_app.db.base import Base, Identified
from admin_app.db.mixins import Timestamped
from admin_app.db.types import UTCDateTime


class WorkerReport(Identified, Timestamped, Base):
    """One worker. `db/worker_reports.py` writes and reads it; on SQLite files do, and the table stays empty."""

    __tablename__ = "worker_reports"

    worker: Mapped[str] = mapped_column(String(100), unique=True)
    reported_at: Mapped[datetime] = mapped_column(UTCDateTime)
    figures: Mapped[str] = mapped_column(Text)
