"""Between the errors of this worker and the database: a flood is counted in memory and written in a few rows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.db.sessions import after_commit
from admin_app.services.records.error_tracking import storing
from admin_app.services.records.error_tracking.sightings import Sighting
from admin_app.services.records.error_tracking.storing import Alert, Counted

logger = logging.getLogger("admin_app.errors")

T = TypeVar("T")
Run = Callable[[Callable[[AsyncSession], Awaitable[T]]], Awaitable[T]]

STORED_ONE_BY_ONE = 20
"""Reports of one kind and window that get a row of their own; later ones of that window are only counted."""

MOST_KINDS = 200
MOST_NAMES = 50
OTHER = "other"
FLUSH_AFTER_SECONDS = 5.0


@dataclass
class _Pile:
    """What this worker has seen of one kind in its window, and what of it still waits to be written."""

    opened_at: datetime
    admitted: int = 0
    fresh: list[Sighting] = field(default_factory=list)
    counted: int = 0
    last_counted: Sighting | None = None

    @property
    def is_waiting(self) -> bool:
        return bool(self.fresh or self.counted)

    def take(self) -> list[Counted]:
        """What waits, oldest first."""
        taken = [Counted(sighting) for sighting in self.fresh]
        if self.last_counted is not None:
            taken.append(Counted(self.last_counted, self.counted))
        self.fresh, self.counted, self.last_counted = [], 0, None
        return taken

    def give_back(self, taken: list[Counted]) -> None:
        """They could not be written: from now on they are only counted."""
        self.counted += sum(each.occurrences for each in taken)
        self.last_counted = self.last_counted or taken[-1].sighting


class ErrorTracker:
    """The one way in for error reports. Nothing in here fails the request that it is called from.

    At most one connection is used at a time, for everything that waits by then. Of each kind the first
    `STORED_ONE_BY_ONE` of a window are stored before `report` returns; the others are counted and written
    as one row every `FLUSH_AFTER_SECONDS`. Memory holds at most `MOST_KINDS` kinds.
    """

    def __init__(
        self,
        run: Run[Any],
        ring: Callable[[Alert], None],
        *,
        alert_at: int = storing.ALERT_AT,
        flush_after: float = FLUSH_AFTER_SECONDS,
    ) -> None:
        self.alert_at = alert_at
        """So many of one kind within the window ring; 0: none do."""
        self._run = run
        self._ring = ring
        self._flush_after = flush_after
        self._piles: dict[str, _Pile] = {}
        self._lock = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self.seen: dict[str, int] = {}
        """Since the start, by the name of the kind; from the fiftieth name on together as `OTHER`."""
        self.untracked = 0
        """Errors of more kinds than fit; the log has them."""

    @property
    def kinds(self) -> int:
        """How many kinds are kept in memory."""
        return len(self._piles)

    async def report(self, sighting: Sighting) -> bool:
        """Store it, or count it; False when it is only counted for now."""
        name = sighting.kind if sighting.kind in self.seen or len(self.seen) < MOST_NAMES else OTHER
        self.seen[name] = self.seen.get(name, 0) + 1
        pile = self._pile_for(sighting)
        if pile is None:
            self.untracked += 1
            return False
        if pile.admitted >= STORED_ONE_BY_ONE:
            pile.counted += 1
            pile.last_counted = sighting
            self._flush_later()
            return False
        pile.admitted += 1
        pile.fresh.append(sighting)
        async with self._lock:
            if sighting in pile.fresh:  # else it went with somebody who had the lock before
                await self._write_waiting()
        return True

    async def flush(self) -> None:
        """Write what was only counted so far."""
        async with self._lock:
            await self._write_waiting()

    async def close(self) -> None:
        """Write the rest; for the end of the process."""
        if self._timer is not None:
            self._timer.cancel()
        await self.flush()

    def _pile_for(self, sighting: Sighting) -> _Pile | None:
        """The pile of this kind in the window of now; None when there is no room for one more kind."""
        now = sighting.occurred_at
        pile = self._piles.get(sighting.fingerprint)
        if pile is None:
            if len(self._piles) >= MOST_KINDS:
                self._forget_quiet_kinds(now)
            if len(self._piles) >= MOST_KINDS:
                return None
            pile = self._piles[sighting.fingerprint] = _Pile(opened_at=now)
        elif now - pile.opened_at >= storing.WINDOW:
            pile.opened_at, pile.admitted = now, 0
        return pile

    def _forget_quiet_kinds(self, now: datetime) -> None:
        self._piles = {
            fingerprint: pile
            for fingerprint, pile in self._piles.items()
            if pile.is_waiting or now - pile.opened_at < storing.WINDOW
        }

    async def _write_waiting(self) -> None:
        """One transaction for everything that waits, in the order of fingerprints, so that no two workers deadlock."""
        taken = [(pile, pile.take()) for _, pile in sorted(self._piles.items()) if pile.is_waiting]
        if not taken:
            return
        is_written = False

        async def store(session: AsyncSession) -> None:
            for _, counted in taken:
                alert = await storing.store(session, counted, alert_at=self.alert_at)
                if alert is not None:
                    self._ring_after_commit(session, alert)

        try:
            await self._run(store)
            is_written = True
        except Exception:
            logger.exception("error reports could not be stored", extra={"event": "errors.store"})
        finally:
            if not is_written:  # also when the request that wrote for all of them was cancelled
                self._give_back(taken)

    def _give_back(self, taken: list[tuple[_Pile, list[Counted]]]) -> None:
        """Into the piles of now: one that went quiet meanwhile may have made room."""
        for pile, counted in taken:
            self._piles.setdefault(counted[0].sighting.fingerprint, pile).give_back(counted)
        self._flush_later()

    def _ring_after_commit(self, session: AsyncSession, alert: Alert) -> None:
        after_commit(session, lambda: self._ring(alert))

    def _flush_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._flush_after, self._start_flush)

    def _start_flush(self) -> None:
        self._timer = None
        self._flushing = asyncio.get_running_loop().create_task(self.flush())
