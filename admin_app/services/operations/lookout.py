"""On the lookout: every two seconds each worker asks itself what is wrong, and one of all tells people.

While the database answers it decides who tells, so there is one message per incident and one when it is over, however
many workers and hosts there are. While it does not, a file on this host decides: one message per host then. Whoever is
killed between writing a row and sending its message takes the message along; the row stays on the page of the pool.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.db.claims import Claim, Claims
from admin_app.models.incident import Incident
from admin_app.services.blocks import tidings, troubles
from admin_app.services.blocks.troubles import Thresholds
from admin_app.services.records import incidents
from admin_app.services.records.alarms import Alarm
from admin_app.services.records.error_tracking import storing
from admin_app.services.records.error_tracking.storing import Alarming
from admin_app.services.records.incidents import OVER_AFTER, News, Standing, Trouble
from admin_app.services.records.quiet_hours import QuietHours
from admin_app.services.records.workers import Known

logger = logging.getLogger("admin_app.alarms")

T = TypeVar("T")
LOOKS_EVERY = 2.0


class Records(Protocol):
    """A database that is asked, and written to, past the pools."""

    async def glance(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Read."""
        ...

    async def note(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Write and commit."""
        ...


class Lookout:
    """Looks, settles with all others what is an incident, and tells what is its to tell."""

    def __init__(
        self,
        glimpse: Callable[[], Known],
        records: Records,
        claims: Claims,
        alarm: Alarm,
        *,
        limits: Thresholds,
        quiet: QuietHours | None = None,
    ) -> None:
        self._glimpse = glimpse
        self._records = records
        self._claims = claims
        self._alarm = alarm
        self._limits = limits
        self._quiet = quiet
        self._standing = Standing(clock.now())
        self._troubles: Sequence[Trouble] = ()
        self._is_settled = True
        self._loop: asyncio.Task[None] | None = None

    @property
    def incidents(self) -> Sequence[Incident]:
        """As the database last had them."""
        return self._standing.incidents

    @property
    def unsettled(self) -> Sequence[Trouble]:
        """What this worker sees, and could not write down."""
        return [] if self._is_settled else self._troubles

    @property
    def open_kinds(self) -> Counter[str]:
        """How many incidents are open, of each of `troubles.KINDS`, also of those that could not be written down."""
        kinds = {*self._standing.open, *(each.kind for each in self.unsettled)}
        return Counter(kind.partition(":")[0] for kind in kinds)

    def start(self) -> None:
        """Look from now on."""
        self._loop = asyncio.create_task(self._run())

    async def leave(self) -> None:
        """Look no longer."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop

    async def look(self) -> None:
        """One turn; never fails."""
        known = self._glimpse()
        try:
            await self._settle(known)
            self._is_settled = True
        except Exception as error:
            if self._is_settled:
                logger.warning("incidents are told by each host alone", extra={"reason": type(error).__name__})
            self._is_settled = False
        try:
            await self._settle_on_this_host(known)
        except OSError as error:
            logger.warning("incidents cannot be told while the disk fails", extra={"reason": type(error).__name__})
        self._alarm.try_again()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOKS_EVERY)  # first of all the workers tell each other how they are
            await self.look()

    async def _settle(self, known: Known) -> None:
        """With all others."""
        alarming: Sequence[Alarming] = ()
        try:
            if known.failing_since is not None:
                raise ConnectionError
            self._standing, alarming = await self._records.glance(self._read)
        finally:
            self._troubles = troubles.found(known, alarming, self._limits)
        is_quiet = self._is_quiet()
        if not incidents.must_settle(self._standing, self._troubles, is_quiet=is_quiet):
            return
        told, found = await asyncio.to_thread(self._told), self._troubles
        self._tell(
            await self._records.note(lambda session: incidents.settle(session, found, is_quiet=is_quiet, told=told))
        )
        self._standing = await self._records.glance(incidents.standing)

    async def _settle_on_this_host(self, known: Known) -> None:
        """What the database cannot decide; and what was told that way, once it is over or the database has it."""
        now = clock.now()
        for trouble in self._to_be_told_here():
            if await asyncio.to_thread(self._claims.stake, trouble.kind, tidings.packed(trouble, now)):
                self._alarm.ring(tidings.on_this_host(trouble, now))
        kinds = {trouble.kind for trouble in self._troubles}
        for claim in await asyncio.to_thread(self._claims.all):
            await self._end_claim(claim, now, is_there=claim.kind in kinds)

    async def _end_claim(self, claim: Claim, now: datetime, *, is_there: bool) -> None:
        if is_there:
            if self._is_settled:  # the database has it by now, and nobody needs to hear of it again
                await asyncio.to_thread(self._claims.take_back, claim.kind)
            return
        if not self._is_settled or claim.silent < OVER_AFTER.total_seconds():
            return
        if not await asyncio.to_thread(self._claims.take_back, claim.kind):
            return
        trouble, opened_at = tidings.unpacked(claim.told)
        ended_at = max(opened_at, now - timedelta(seconds=claim.silent))
        self._alarm.ring(tidings.over_on_this_host(trouble, opened_at, ended_at))
        with contextlib.suppress(Exception):  # it was told; only the page will not show that it was
            await self._records.note(lambda session: incidents.remember(session, trouble, opened_at, ended_at))

    def _to_be_told_here(self) -> Sequence[Trouble]:
        """Not what the database has already; and in quiet hours what is critical alone, the rest when they are over."""
        known, is_quiet = self._standing.open, self._is_quiet()
        return [each for each in self.unsettled if each.kind not in known and (each.is_critical or not is_quiet)]

    def _told(self) -> Collection[str]:
        return {claim.kind for claim in self._claims.all()}

    def _tell(self, news: Sequence[News]) -> None:
        for message in tidings.messages([each for each in news if not each.incident.is_untold]):
            self._alarm.ring(message)
        for message in tidings.messages([each for each in news if each.incident.is_untold]):
            self._alarm.log(message)

    def _is_quiet(self) -> bool:
        return self._quiet is not None and self._quiet.cover(clock.now())

    async def _read(self, session: AsyncSession) -> tuple[Standing, list[Alarming]]:
        return await incidents.standing(session), await storing.alarming(session, alert_at=self._limits.errors)
