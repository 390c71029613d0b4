"""Which kinds of error there are, how often lately, and the last reports of one kind."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.db.keyset import Order
from admin_app.errors import NotFound
from admin_app.models.error_group import ErrorGroup
from admin_app.models.error_report import ErrorReport
from admin_app.permissions import Permission
from admin_app.services.records import listing
from admin_app.services.records.error_tracking.storing import WINDOW

LAST_SEEN_FIRST = Order((ErrorGroup.last_seen_at, ErrorGroup.id), descending=True)
NEWEST_FIRST = Order((ErrorReport.occurred_at, ErrorReport.id), descending=True)


@dataclass(frozen=True)
class Kinds:
    """One page of kinds, and by fingerprint how many errors the window holds."""

    page: listing.Page[ErrorGroup]
    in_window: Mapping[str, int]


@dataclass(frozen=True)
class Reports:
    """One kind, and a page of its reports, newest first."""

    group: ErrorGroup
    in_window: int
    page: listing.Page[ErrorReport]


async def page(session: AsyncSession, actor: Actor, *, request: listing.PageRequest) -> Kinds:
    """The kinds of error, last seen first, in three statements."""
    actor.require(Permission.ERRORS_VIEW)
    found = await listing.paginate(session, select(ErrorGroup), order=LAST_SEEN_FIRST, request=request)
    return Kinds(found, await _in_window(session, [group.fingerprint for group in found.rows]))


async def reports(session: AsyncSession, actor: Actor, fingerprint: str, *, request: listing.PageRequest) -> Reports:
    """One kind with its reports; `NotFound` when there is no such kind."""
    actor.require(Permission.ERRORS_VIEW)
    group = await session.scalar(select(ErrorGroup).where(ErrorGroup.fingerprint == fingerprint.replace("\x00", "")))
    if group is None:
        raise NotFound("There is no such kind of error.")
    statement = select(ErrorReport).where(ErrorReport.fingerprint == group.fingerprint)
    found = await listing.paginate(session, statement, order=NEWEST_FIRST, request=request)
    counts = await _in_window(session, [group.fingerprint])
    return Reports(group, counts.get(group.fingerprint, 0), found)


async def kind_of(session: AsyncSession, actor: Actor, reference: str) -> str:
    """The fingerprint behind a reference that somebody read out; `NotFound` when no report has it."""
    actor.require(Permission.ERRORS_VIEW)
    wanted = reference.replace("\x00", "").strip().lower()
    found = await session.scalar(select(ErrorReport.fingerprint).where(ErrorReport.reference == wanted))
    if found is None:
        raise NotFound(
            "No report has this reference. When errors come very fast most of them are only counted; "
            "the log has a line for each."
        )
    return found


async def _in_window(session: AsyncSession, fingerprints: list[str]) -> dict[str, int]:
    statement = (
        select(ErrorReport.fingerprint, func.sum(ErrorReport.occurrences))
        .where(ErrorReport.fingerprint.in_(fingerprints), ErrorReport.occurred_at > clock.now() - WINDOW)
        .group_by(ErrorReport.fingerprint)
    )
    return {row[0]: int(row[1]) for row in await session.execute(statement)}
