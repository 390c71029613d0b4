"""The health of connection pools, of one worker and of all together. Needs no connection, so it always answers."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from itertools import accumulate
from statistics import quantiles
from typing import Any

from admin_app.db.holdings import Holding
from admin_app.db.pools import LongestHolding, WatchedPool

MOST_TOLD = 20
"""So many held connections a worker names to the others, the oldest first."""


@dataclass(frozen=True)
class Waits:
    """How long the last requests waited for a connection, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    longest: float
    spread: Sequence[float] = field(default=(), compare=False)
    """The quickest, and what each twentieth more stayed within."""


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
    connects: int = 0
    cancelled: int = 0
    busy: int = 0
    waiting_for: float = 0.0
    """Seconds since when somebody or other has always been waiting."""

    @property
    def is_exhausted(self) -> bool:
        """Nobody else can get a connection right now."""
        return self.checked_out >= self.limit

    @property
    def is_strained(self) -> bool:
        """Somebody waits, or gave up within the last five minutes, or hardly anything is left."""
        return self.waiting > 0 or self.recent_timeouts > 0 or self.checked_out >= 0.8 * self.limit


SUMMED = (
    *("size", "checked_in", "checked_out", "overflow", "total", "limit", "waiting"),
    *("timeouts", "recent_timeouts", "invalidated", "connects", "cancelled", "busy"),
)


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
        waits=_waits([1000 * seconds for seconds in watch.waits]),
        holdings=watch.holdings(),
        longest=watch.longest,
        connects=watch.connects,
        cancelled=watch.cancelled,
        busy=watch.busy,
        waiting_for=watch.waiting_for,
    )


def total(statuses: Sequence[PoolStatus]) -> PoolStatus:
    """Pools of one name put together: figures added up, waits as if one process had measured them."""
    sums: dict[str, Any] = {name: sum(getattr(one, name) for one in statuses) for name in SUMMED}
    held = [one.longest for one in statuses if one.longest is not None]
    return PoolStatus(
        name=statuses[0].name,
        **sums,
        waits=_together([one.waits for one in statuses]),
        holdings=sorted((each for one in statuses for each in one.holdings), key=lambda each: -each.seconds),
        longest=max(held, key=lambda one: one.seconds, default=None),
        waiting_for=max(one.waiting_for for one in statuses),
    )


def packed(one: PoolStatus) -> dict[str, Any]:
    """As plain values, for the report that other workers read."""
    values = asdict(replace(one, holdings=one.holdings[:MOST_TOLD]))
    for holding in values["holdings"]:
        holding["since"] = holding["since"].isoformat()
    return values


def unpacked(values: Mapping[str, Any]) -> PoolStatus:
    """From a report; figures that only another version of the desk knows are left out."""
    known = _known(PoolStatus, values)
    known["waits"] = Waits(**_known(Waits, values["waits"]))
    known["longest"] = LongestHolding(**_known(LongestHolding, values["longest"])) if values["longest"] else None
    known["holdings"] = [_holding(each) for each in values["holdings"]]
    return PoolStatus(**known)


def _holding(values: Mapping[str, Any]) -> Holding:
    known = _known(Holding, values)
    known["since"], known["taken_in"] = datetime.fromisoformat(known["since"]), tuple(known["taken_in"])
    return Holding(**known)


def _known(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def _waits(milliseconds: list[float]) -> Waits:
    if len(milliseconds) < 2:
        only = milliseconds[0] if milliseconds else 0.0
        return Waits(len(milliseconds), only, only, only, only, (only,) if milliseconds else ())
    cuts = quantiles(milliseconds, n=100, method="inclusive")
    spread = [min(milliseconds), *cuts[4::5], max(milliseconds)]
    return Waits(
        len(milliseconds), cuts[49], cuts[94], cuts[98], max(milliseconds), [round(value, 3) for value in spread]
    )


def _together(all_waits: Iterable[Waits]) -> Waits:
    """Each twentieth of each worker's waits counts for as many as it stands for."""
    measured = [waits for waits in all_waits if waits.count and waits.spread]
    if len(measured) < 2:
        return measured[0] if measured else _waits([])
    count = sum(waits.count for waits in measured)
    points = sorted((value, waits.count / len(waits.spread)) for waits in measured for value in waits.spread)
    passed = list(accumulate(weight for _, weight in points))

    def within(share: float) -> float:
        return points[bisect_left(passed, share * count)][0]

    return Waits(count, within(0.5), within(0.95), within(0.99), points[-1][0])
