"""What several tables have in common: times, soft deletion, the lock counter."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, ForeignKey, String, event, inspect
from sqlalchemy.orm import Mapped, Mapper, declared_attr, mapped_column

from admin_app import clock
from admin_app.db.types import UTCDateTime


class Timestamped:
    """When a row was made and last written."""

    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=lambda: clock.now(), sort_order=900)
    updated_at: Mapped[datetime] = mapped_column(
        UTCDateTime, default=lambda: clock.now(), onupdate=lambda: clock.now(), sort_order=901
    )


class SoftDeletable:
    """A row that can be deleted and brought back. Rows deleted together share a batch."""

    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=None, sort_order=910)
    delete_reason: Mapped[str | None] = mapped_column(String(500), default=None, sort_order=912)
    delete_batch_id: Mapped[str | None] = mapped_column(String(32), default=None, sort_order=913)

    @declared_attr
    def deleted_by_id(cls) -> Mapped[int | None]:  # noqa: N805 - SQLAlchemy passes the class
        """Who deleted it; null when the command line did."""
        return mapped_column(ForeignKey("users.id"), default=None, sort_order=911)


class Versioned:
    """A lock counter that grows when a person's columns change.

    Columns named in `MACHINE_COLUMNS` are written by the desk itself: a change to those alone leaves the
    version, so that nobody's open form turns stale for it.
    """

    MACHINE_COLUMNS: ClassVar[frozenset[str]] = frozenset({"updated_at"})

    version: Mapped[int] = mapped_column(default=1, sort_order=920)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy passes the class
        """Every UPDATE says `WHERE version = :known`; `bump_version` decides whether it grows."""
        return {"version_id_col": cls.version, "version_id_generator": False}


@event.listens_for(Versioned, "before_update", propagate=True)
def bump_version(mapper: Mapper[Any], connection: Connection, target: Versioned) -> None:
    """Count one up when a column that people write has changed."""
    state = inspect(target, raiseerr=True)
    columns = {attribute.key for attribute in mapper.column_attrs}
    written = {key for key in columns if state.attrs[key].history.has_changes()}
    if written - target.MACHINE_COLUMNS - {"version"}:
        target.version += 1
