"""Incidents: of all workers on all hosts exactly one opens one, and exactly one ends it; those two tell people.

Every worker looks for trouble every two seconds and settles what it found. What decides is the database: of each kind
one row may be open, and a row is ended by whoever changes it first. An incident is over when no worker has seen it for
`OVER_AFTER`, so that one that comes and goes is told once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import delete, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.db.upserts import insert_or_skip
from admin_app.models.incident import Incident

SEEN_EVERY = timedelta(seconds=4)
"""So often an open incident is noted as still there."""

OVER_AFTER = timedelta(seconds=10)
SHOWN_FOR = timedelta(hours=24)
KEPT_FOR = timedelta(days=90)
"""Older ones go when another begins, so that there are never more than of such a time."""
MOST_SHOWN = 20
LONGEST_KIND, LONGEST_TEXT = 100, 500
AS_STORED = {"synchronize_session": False, "populate_existing": True}


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong right now; all that is wrong of one kind is one trouble."""

    kind: str
    text: str
    advice: str
    is_critical: bool = False
    """Whether it is told in quiet hours too."""
    details: Mapping[str, object] = field(default_factory=dict)


class Turn(Enum):
    """What became of an incident."""

    OPENED = "opened"
    OVER = "over"
    LATER = "later"
    """It was kept quiet, and is told now that the quiet hours have ended."""


@dataclass(frozen=True)
class News:
    """What this worker, and no other, is to tell: people, or for now the log alone when the incident is kept."""

    turn: Turn
    incident: Incident


@dataclass(frozen=True)
class Standing:
    """What the database knew of incidents at `now`, which is its own time."""

    now: datetime
    incidents: Sequence[Incident] = ()
    """The open ones, and those that are over since yesterday; the newest first."""

    @property
    def open(self) -> dict[str, Incident]:
        """Those that are not over, by kind."""
        return {each.kind: each for each in self.incidents if each.ended_at is None}


async def standing(session: AsyncSession) -> Standing:
    """What there is to know, in one statement, or two on PostgreSQL."""
    now = await _now(session)
    waits = or_(Incident.ended_at.is_(None), Incident.is_untold, Incident.last_seen_at > now - SHOWN_FOR)
    statement = select(Incident).where(waits).order_by(Incident.ended_at.is_(None).desc(), Incident.id.desc())
    return Standing(now, (await session.scalars(statement.limit(MOST_SHOWN))).all())


def must_settle(known: Standing, troubles: Sequence[Trouble], *, is_quiet: bool) -> bool:
    """Whether there is anything to write; mostly there is not."""
    kinds, found = {trouble.kind for trouble in troubles}, known.open
    is_late = any(
        known.now - incident.last_seen_at >= (SEEN_EVERY if incident.kind in kinds else OVER_AFTER)
        for incident in found.values()
    )
    return is_late or bool(kinds - found.keys()) or (not is_quiet and any(each.is_untold for each in known.incidents))


async def settle(
    session: AsyncSession, troubles: Sequence[Trouble], *, is_quiet: bool, told: Collection[str] = ()
) -> list[News]:
    """Open what is new, note what is still there, end what is over; in the order of kinds, so that nobody deadlocks.

    What is `told` already, by its kind, is opened without a word. In quiet hours only what is critical is told at
    once; the rest is kept, and told by the first who settles after them.
    """
    known = await standing(session)
    now, found = known.now, known.open
    by_kind = {trouble.kind: trouble for trouble in troubles}
    news: list[News] = []
    if by_kind.keys() - found.keys():
        await _forget_old(session, now)
    for kind in sorted(by_kind.keys() | found.keys()):
        if kind not in found:
            news += await _open(session, by_kind[kind], now, is_kept=is_quiet, is_told=kind in told)
        elif kind in by_kind:
            await _note(session, found[kind], by_kind[kind], now)
        else:
            news += await _end(session, found[kind], now, is_kept=is_quiet)
    return news if is_quiet else _once([*news, *await _kept(session)])


async def remember(session: AsyncSession, trouble: Trouble, opened_at: datetime, ended_at: datetime) -> None:
    """Write down what was told while the database could not be asked, and is over."""
    times = {"opened_at": opened_at, "last_seen_at": ended_at, "ended_at": ended_at}
    session.add(Incident(**_columns(trouble), **times))


async def _open(session: AsyncSession, trouble: Trouble, now: datetime, *, is_kept: bool, is_told: bool) -> list[News]:
    is_kept = is_kept and not trouble.is_critical and not is_told
    values = {**_columns(trouble), "opened_at": now, "last_seen_at": now, "is_untold": is_kept}
    statement = insert_or_skip(session, Incident).values(**values).returning(Incident)
    opened = (await session.scalars(statement)).one_or_none()
    return [News(Turn.OPENED, opened)] if opened is not None and not is_told else []


async def _note(session: AsyncSession, incident: Incident, trouble: Trouble, now: datetime) -> None:
    if now - incident.last_seen_at >= SEEN_EVERY:
        still = (Incident.id == incident.id, Incident.last_seen_at <= now - SEEN_EVERY)
        values = {"last_seen_at": now, "text": trouble.text[:LONGEST_TEXT]}
        await session.execute(update(Incident).where(*still).values(**values).execution_options(**AS_STORED))


async def _end(session: AsyncSession, incident: Incident, now: datetime, *, is_kept: bool) -> list[News]:
    if now - incident.last_seen_at < OVER_AFTER:
        return []
    is_kept = is_kept and not incident.is_critical
    over = (Incident.id == incident.id, Incident.ended_at.is_(None), Incident.last_seen_at <= now - OVER_AFTER)
    values = {"ended_at": Incident.last_seen_at, "is_untold": true() if is_kept else Incident.is_untold}
    statement = update(Incident).where(*over).values(**values).returning(Incident)
    ended = (await session.scalars(statement.execution_options(**AS_STORED))).one_or_none()
    return [News(Turn.OVER, ended)] if ended is not None else []


async def _kept(session: AsyncSession) -> list[News]:
    """Everything that waited for the end of the quiet hours; of all workers one gets it."""
    statement = update(Incident).where(Incident.is_untold).values(is_untold=False).returning(Incident)
    found = (await session.scalars(statement.execution_options(**AS_STORED))).all()
    return [News(Turn.LATER, incident) for incident in sorted(found, key=lambda each: each.id)]


async def _forget_old(session: AsyncSession, now: datetime) -> None:
    """Whatever is open, or still to be told, is kept, however old."""
    over = (Incident.last_seen_at < now - KEPT_FOR, Incident.ended_at.is_not(None), Incident.is_untold.is_(False))
    await session.execute(delete(Incident).where(*over).execution_options(synchronize_session=False))


def _once(news: Sequence[News]) -> list[News]:
    """What ended after the quiet hours, and had been kept in them, is told with all that was kept."""
    later = {each.incident.id for each in news if each.turn is Turn.LATER}
    return [each for each in news if each.turn is Turn.LATER or each.incident.id not in later]


def _columns(trouble: Trouble) -> dict[str, object]:
    return {
        "kind": trouble.kind[:LONGEST_KIND],
        "text": trouble.text[:LONGEST_TEXT],
        "advice": trouble.advice[:LONGEST_TEXT],
        "is_critical": trouble.is_critical,
        "details": dict(trouble.details),
    }


async def _now(session: AsyncSession) -> datetime:
    """The time that all workers share: the database's, or that of the one machine with the file."""
    if session.get_bind().dialect.name == "sqlite":
        return clock.now()
    moment: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return moment
