"""This worker process among all others: tells them how it is every two seconds, and remembers what they told.

Nobody who asks waits for the database: what is known is in memory, with its age, also while the database is down.
"""

import asyncio
import contextlib
import logging
import os
import platform
import re
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from admin_app import clock
from admin_app.db.own_view import OwnView
from admin_app.db.worker_reports import DEAD_AFTER_SECONDS, Report, WorkerReports

logger = logging.getLogger("admin_app.workers")

REPORTS_EVERY = 2.0
SAMPLES_EVERY = 5.0
REMEMBERED_SAMPLES = 180
"""Fifteen minutes."""

LOOKS_EVERY = 10.0
"""So often the database is asked for its own view while nobody looks at the page; then with every report."""

REFRESHED_WITHIN = 0.8
"""Somebody who collects figures gives up after a second."""

LIVE_AFTER = 5.0
"""Whoever could not report for so long tells its figures as they are, and no other worker tells them any more."""

WATCHED_FOR = 10.0
LEAVES_WITHIN = 1.5
FOR_LONG = frozenset({"exports", "replica_exports"})
"""Pools whose connections are meant to be held for long: the time line is about the others."""

SERVING, DRAINING = "serving", "draining"


@dataclass(frozen=True)
class Worker:
    """One process as it last told of itself, `age` seconds ago; `pools` are figures as its report has them."""

    name: str
    host: str
    pid: int
    started_at: datetime
    version: str
    state: str
    age: float
    pools: Sequence[Mapping[str, Any]]
    is_me: bool = False
    counts: Mapping[str, Any] = field(default_factory=dict)
    """What only ever grows, since it started."""


@dataclass(frozen=True)
class Sample:
    """All workers together, the most since the sample before; `in_use` is None when the others could not be asked."""

    at: datetime
    in_use: int | None = None
    limit: int = 0
    waiting: int = 0
    gave_up: int = 0
    """Since the sample before."""


@dataclass(frozen=True)
class Known:
    """All that this worker knows."""

    workers: Sequence[Worker]
    """This one first."""
    samples: Sequence[Sample]
    view: OwnView | None
    view_age: float
    failing_since: datetime | None
    """Since when neither the others nor the database could be asked; then all but this worker is as it was before."""
    failing_for: float


@dataclass(frozen=True)
class Told:
    """What workers have reported; not complete when this one alone could be asked."""

    workers: Sequence[Worker]
    is_complete: bool


class Crew:
    """Tells and remembers. `pools` and `counts` give this process's figures, `look` the database's view of itself."""

    def __init__(
        self,
        reports: WorkerReports,
        pools: Callable[[], Sequence[Mapping[str, Any]]],
        look: Callable[[], Awaitable[OwnView]],
        version: str,
        counts: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._reports = reports
        self._pools = pools
        self._counts = counts
        self._look = look
        self._me = _introduction(version)
        self._name = f"{_plain(self._me['host'])}-{self._me['pid']}-{secrets.token_hex(4)}"
        self._others: list[Report] = []
        self._heard_at = time.monotonic()
        self._mine: dict[str, Any] = {}
        """As the others find it."""
        self._told_at = float("-inf")
        self._turn = asyncio.Lock()
        self._turns: set[asyncio.Task[None]] = set()
        """Those that somebody else than the clock has asked for."""
        self._samples: deque[Sample] = deque(maxlen=REMEMBERED_SAMPLES)
        self._sampled_at = float("-inf")
        self._given_up: dict[str, int] = {}
        self._peak: tuple[int, int, int] | None = None
        """In use, limit and waiting, the most since the last sample."""
        self._view: OwnView | None = None
        self._view_at = float("-inf")
        self._looked_at = float("-inf")
        self._failing: tuple[datetime, float] | None = None
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    @property
    def is_draining(self) -> bool:
        """Whether this worker takes no new work."""
        return bool(self._me["state"] == DRAINING)

    def start(self) -> None:
        """Report from now on."""
        self._loop = asyncio.create_task(self._run())

    def drain(self) -> None:
        """Tell the others that this worker finishes what it has begun, and then goes."""
        self._me["state"] = DRAINING
        self._wake.set()

    async def leave(self) -> None:
        """Take the report back; a database that does not answer must not keep a process from ending."""
        for turn in self._turns:
            turn.cancel()
        if self._loop is None:
            return
        self._loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._loop
        try:
            async with asyncio.timeout(LEAVES_WITHIN):
                await self._reports.remove(self._name)
        except Exception as error:
            logger.info("the report of this worker stays for a while", extra={"reason": type(error).__name__})

    def known(self) -> Known:
        """What there is to know, for somebody who looks: from now on the database is asked with every report."""
        now = time.monotonic()
        if now - self._looked_at > WATCHED_FOR:
            self._wake.set()
        self._looked_at = now
        return self.glimpse()

    def glimpse(self) -> Known:
        """What there is to know, this very moment; this worker's own figures are never old."""
        now = time.monotonic()
        since_heard = now - self._heard_at
        others = [
            _worker(report.figures, report.worker, report.age + since_heard)
            for report in self._others
            if self._failing or report.age + since_heard <= DEAD_AFTER_SECONDS
        ]
        return Known(
            workers=[_worker(self._figures(), self._name, 0.0, is_me=True), *others],
            samples=list(self._samples),
            view=self._view,
            view_age=now - self._view_at,
            failing_since=self._failing[0] if self._failing else None,
            failing_for=now - self._failing[1] if self._failing else 0.0,
        )

    async def refreshed(self) -> Told:
        """Report now, and give everybody's figures as any other worker finds them; within `REFRESHED_WITHIN`.

        A counter must not be lower than what any worker has given before. So this one's are those of its last report,
        and nobody's are told from memory. Only after `LIVE_AFTER` without a report it tells its own as they are, and
        the others, should they see that report, leave it out until there is another.
        """
        asked_at = time.monotonic()
        turn = asyncio.create_task(self.report())
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)
        await asyncio.wait({turn}, timeout=REFRESHED_WITHIN)
        now = time.monotonic()
        is_complete = self._told_at >= asked_at
        mine = self._mine if now - self._told_at <= LIVE_AFTER else self._figures()
        others = [
            _worker(report.figures, report.worker, report.age)
            for report in self._others
            if is_complete and report.age <= LIVE_AFTER
        ]
        return Told([_worker(mine, self._name, 0.0, is_me=True), *others], is_complete)

    async def report(self) -> None:
        """One turn: tell, listen, take a sample when it is time; never fails."""
        async with self._turn:
            await self._report()

    async def _report(self) -> None:
        began_at, mine = time.monotonic(), self._figures()
        try:
            heard = await self._reports.exchange(self._name, mine)
            self._told_at, self._mine = began_at, mine
            self._others = [report for report in heard if report.worker != self._name]
            self._heard_at = time.monotonic()
            if self._is_time_to_look():
                self._view, self._view_at = await self._look(), time.monotonic()
        except Exception as error:
            self._fails(error)
        else:
            self._works()
        self._note_peak()
        if time.monotonic() - self._sampled_at >= SAMPLES_EVERY:
            self._take_sample()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            await self.report()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORTS_EVERY):
                    await self._wake.wait()

    def _is_time_to_look(self) -> bool:
        now = time.monotonic()
        is_watched = now - self._looked_at < WATCHED_FOR
        return is_watched or self._failing is not None or now - self._view_at >= LOOKS_EVERY

    def _figures(self) -> dict[str, Any]:
        return {**self._me, "pools": list(self._pools()), "counts": dict(self._counts())}

    def _note_peak(self) -> None:
        """What is high for a moment between two samples must not be missed."""
        if self._failing is not None:
            return
        told = list(self._told().values())
        in_use, limit, waiting = (
            sum(_sum(figures, name) for figures in told) for name in ("checked_out", "limit", "waiting")
        )
        before = self._peak
        self._peak = (max(before[0], in_use), limit, max(before[2], waiting)) if before else (in_use, limit, waiting)

    def _take_sample(self) -> None:
        self._sampled_at = time.monotonic()
        peak, self._peak = self._peak, None
        if self._failing is not None or peak is None:
            self._samples.append(Sample(clock.now()))
            return
        given_up = {name: _sum(figures, "timeouts") for name, figures in self._told().items()}
        more = sum(count - self._given_up.get(name, count) for name, count in given_up.items())
        self._given_up = given_up
        self._samples.append(Sample(clock.now(), *peak, gave_up=more))

    def _told(self) -> dict[str, Mapping[str, Any]]:
        """The figures of everybody, by name."""
        return {self._name: self._figures(), **{report.worker: report.figures for report in self._others}}

    def _fails(self, error: Exception) -> None:
        if self._failing is None:
            self._failing = (clock.now(), time.monotonic())
            logger.warning("the other workers cannot be asked", extra={"reason": type(error).__name__})

    def _works(self) -> None:
        if self._failing is not None:
            self._failing = None
            logger.info("the other workers can be asked again")


def _introduction(version: str) -> dict[str, Any]:
    return {
        "host": platform.node(),
        "pid": os.getpid(),
        "started_at": clock.now().isoformat(),
        "version": version,
        "state": SERVING,
    }


def _plain(host: str) -> str:
    """A host's name as a file may be called."""
    return re.sub(r"[^A-Za-z0-9]+", "-", host)[:60]


def _worker(figures: Mapping[str, Any], name: str, age: float, *, is_me: bool = False) -> Worker:
    return Worker(
        name=name,
        host=figures["host"],
        pid=figures["pid"],
        started_at=datetime.fromisoformat(figures["started_at"]),
        version=figures["version"],
        state=figures["state"],
        age=age,
        pools=figures["pools"],
        is_me=is_me,
        counts=figures.get("counts", {}),  # an older version of the desk has none
    )


def _sum(figures: Mapping[str, Any], name: str) -> int:
    return sum(pool[name] for pool in figures["pools"] if pool.get("name") not in FOR_LONG)
