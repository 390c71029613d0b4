"""Grouping and counting reports in the database, which also decides on the alert, for all workers together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.db.upserts import insert_or_skip
from admin_app.models.error_group import ErrorGroup
from admin_app.models.error_report import ErrorReport
from admin_app.services.records.error_tracking.sightings import Sighting

WINDOW = timedelta(minutes=5)
WINDOW_MINUTES = int(WINDOW.total_seconds() // 60)
ALERT_AT = 10
"""So many of one kind within the window, and somebody is told, unless the settings say another number."""

SHOWN_REFERENCES = 3


@dataclass(frozen=True)
class Counted:
    """A sighting, and for how many it stands."""

    sighting: Sighting
    occurrences: int = 1


@dataclass(frozen=True)
class Alert:
    """What somebody should look at."""

    kind: str
    message: str
    fingerprint: str
    count: int
    """of the window, as far as the database knew"""
    reference: str
    """of the report that made it an alert"""
    path: str
    occurred_at: datetime


async def store(session: AsyncSession, counted: Sequence[Counted], *, alert_at: int = ALERT_AT) -> Alert | None:
    """Store what was seen of one kind, oldest first; says whether to tell somebody, which it never does at 0.

    The group's row is locked first, so that workers that meet the same error at the same moment count one after
    the other: whoever brings the window to `alert_at` gets the alert, and nobody else within `WINDOW` after it. The
    window ends at the error itself, so it slides: no errors in five minutes fall between two windows.
    """
    last = counted[-1].sighting
    group = await _locked_group(session, counted[0].sighting)
    group.total += sum(each.occurrences for each in counted)
    group.last_seen_at = max(group.last_seen_at, last.occurred_at)
    group.message = last.message
    newest = [each.sighting.reference for each in reversed(counted)]
    group.latest_references = [*newest, *group.latest_references][:SHOWN_REFERENCES]
    session.add_all(ErrorReport(**vars(each.sighting), occurrences=each.occurrences) for each in counted)
    since = last.occurred_at - WINDOW
    count = await _count_since(session, group.fingerprint, since)
    if not is_alarming(count, alert_at) or (group.alerted_at is not None and group.alerted_at > since):
        return None
    group.alerted_at = last.occurred_at
    return Alert(
        kind=last.kind,
        message=last.message,
        fingerprint=last.fingerprint,
        count=count,
        reference=last.reference,
        path=last.path,
        occurred_at=last.occurred_at,
    )


@dataclass(frozen=True)
class Alarming:
    """A kind of error that somebody was told of, and that goes on."""

    fingerprint: str
    kind: str
    count: int
    """of the window that ends now"""
    reference: str


async def alarming(session: AsyncSession, *, alert_at: int = ALERT_AT) -> list[Alarming]:
    """The kinds of which there was an alert, while the window holds as many as it takes for one."""
    since = clock.now() - WINDOW
    lately = select(ErrorGroup).where(ErrorGroup.last_seen_at > since, ErrorGroup.alerted_at.is_not(None))
    found = [(group, await _count_since(session, group.fingerprint, since)) for group in await session.scalars(lately)]
    return [
        Alarming(group.fingerprint, group.kind, count, next(iter(group.latest_references), ""))
        for group, count in found
        if is_alarming(count, alert_at)
    ]


def is_alarming(count: int, alert_at: int) -> bool:
    """Whether so many of one kind within the window are worth telling; none are where the number is 0."""
    return 0 < alert_at <= count


def sentence(found: Alert | Alarming) -> str:
    """How people hear of a kind of error."""
    return f"{found.count} errors of one kind in {WINDOW_MINUTES} minutes: {found.kind} (reference {found.reference})"


async def _locked_group(session: AsyncSession, first: Sighting) -> ErrorGroup:
    statement: Select[ErrorGroup] = (
        select(ErrorGroup).where(ErrorGroup.fingerprint == first.fingerprint).with_for_update()
    )
    known = await session.scalar(statement)
    if known is not None:
        return known
    values = {
        "fingerprint": first.fingerprint,
        "kind": first.kind,
        "message": first.message,
        "first_seen_at": first.occurred_at,
        "last_seen_at": first.occurred_at,
    }
    await session.execute(insert_or_skip(session, ErrorGroup), [values])
    return (await session.scalars(statement)).one()


async def _count_since(session: AsyncSession, fingerprint: str, since: datetime) -> int:
    statement = select(func.coalesce(func.sum(ErrorReport.occurrences), 0)).where(
        ErrorReport.fingerprint == fingerprint, ErrorReport.occurred_at > since
    )
    return int((await session.execute(statement)).scalar_one())
