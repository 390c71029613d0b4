"""The health of this process's connection pools. Needs no connection, so it answers when there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from admin_app.actor import Actor
from admin_app.db.pools import Holding, LongestHolding, WatchedPool
from admin_app.permissions import Permission


@dataclass(frozen=True)
class Waits:
    """How long the last requests waited for a connection, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True)
class PoolStatus:
    """One pool as people read it. `total` is checked in plus checked out; `limit` is the most there can be."""

    name: str
    size: int
    checked_in: int
    checked_out: int
    overflow: int
    total: int
    limit: int
    waiting: int
    timeouts: int
    recent_timeouts: int
    invalidated: int
    waits: Waits
    holdings: Sequence[Holding]
    longest: LongestHolding | None

    @property
    def is_exhausted(self) -> bool:
        """Nobody else can get a connection right now."""
        return self.checked_out >= self.limit

    @property
    def is_strained(self) -> bool:
        """Somebody waits, or gave up within the last five minutes, or hardly anything is left."""
        return self.waiting > 0 or self.recent_timeouts > 0 or self.checked_out >= 0.8 * self.limit


def status(actor: Actor, pools: Mapping[str, WatchedPool]) -> list[PoolStatus]:
    """The state of every pool of this process, this very moment."""
    actor.require(Permission.POOL_VIEW)
    return [read(name, watched) for name, watched in pools.items()]


def read(name: str, watched: WatchedPool) -> PoolStatus:
    """One pool's figures; overflow counts connections beyond `size` and is never negative."""
    checked_in, checked_out = watched.checkedin(), watched.checkedout()
    watch = watched.watch
    return PoolStatus(
        name=name,
        size=watched.size(),
        checked_in=checked_in,
        checked_out=checked_out,
        overflow=max(0, watched.overflow()),
        total=checked_in + checked_out,
        limit=watched.limit,
        waiting=watch.waiting,
        timeouts=watch.timeouts,
        recent_timeouts=watch.recent_timeouts,
        invalidated=watch.invalidated,
        waits=_waits(list(watch.waits)),
        holdings=watch.holdings(),
        longest=watch.longest,
    )


def _waits(seconds: list[float]) -> Waits:
    if len(seconds) < 2:
        only = 1000 * seconds[0] if seconds else 0.0
        return Waits(len(seconds), only, only, only, only)
    cuts = quantiles(seconds, n=100, method="inclusive")
    return Waits(len(seconds), 1000 * cuts[49], 1000 * cuts[94], 1000 * cuts[98], 1000 * max(seconds))
