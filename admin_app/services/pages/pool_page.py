"""The pools of all workers on one page. Needs no connection, so it answers when there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from admin_app.actor import Actor
from admin_app.db.holdings import Holding
from admin_app.db.own_view import OwnView
from admin_app.db.pools import WatchedPool
from admin_app.models.incident import Incident
from admin_app.permissions import Permission
from admin_app.services.operations.lookout import Lookout
from admin_app.services.records import pool
from admin_app.services.records.incidents import Trouble
from admin_app.services.records.pool import PoolStatus
from admin_app.services.records.workers import FOR_LONG, Crew, Sample, Worker


@dataclass(frozen=True)
class WorkerStatus:
    """One worker and its pools."""

    worker: Worker
    pools: Sequence[PoolStatus]


@dataclass(frozen=True)
class Held:
    """One connection in use, and in which worker; a suspect is held for longer than any request may take."""

    holding: Holding
    worker: Worker
    pool: str
    is_suspect: bool


@dataclass(frozen=True)
class PoolPage:
    """Everything that the page shows."""

    totals: Sequence[PoolStatus]
    workers: Sequence[WorkerStatus]
    held: Sequence[Held]
    """The longest held first."""
    samples: Sequence[Sample]
    view: OwnView | None
    view_age: float
    failing_since: datetime | None
    failing_for: float
    suspect_after: float
    incidents: Sequence[Incident]
    """Those that are open."""
    over: Sequence[Incident]
    """Those of the last day that are not, the newest first."""
    unsettled: Sequence[Trouble]
    """What this worker sees, and the database cannot be told."""

    @property
    def hosts(self) -> int:
        """On how many machines the workers are."""
        return len({each.worker.host for each in self.workers})

    def exhausted(self, name: str) -> int:
        """How many workers have no connection left in the pool of this name: those who ask them are refused."""
        return sum(one.is_exhausted for each in self.workers for one in each.pools if one.name == name)

    @property
    def suspects(self) -> Sequence[Held]:
        """Those that probably never come back."""
        return [held for held in self.held if held.is_suspect]


def show(
    actor: Actor, crew: Crew, lookout: Lookout, pools: Mapping[str, WatchedPool], *, suspect_after: float
) -> PoolPage:
    """This worker as it is now, all others as they last told; a connection is suspect after so many seconds."""
    actor.require(Permission.POOL_VIEW)
    known = crew.known()
    mine = [pool.read(name, watched) for name, watched in pools.items()]
    workers = [
        WorkerStatus(worker, mine if worker.is_me else [pool.unpacked(values) for values in worker.pools])
        for worker in known.workers
    ]
    return PoolPage(
        totals=_totals(workers),
        workers=workers,
        held=_held(workers, suspect_after),
        samples=known.samples,
        view=known.view,
        view_age=known.view_age,
        failing_since=known.failing_since,
        failing_for=known.failing_for,
        suspect_after=suspect_after,
        incidents=[each for each in lookout.incidents if each.ended_at is None],
        over=[each for each in lookout.incidents if each.ended_at is not None],
        unsettled=[] if known.failing_since else lookout.unsettled,
    )


def _totals(workers: Sequence[WorkerStatus]) -> list[PoolStatus]:
    names = dict.fromkeys(one.name for each in workers for one in each.pools)
    return [pool.total([one for each in workers for one in each.pools if one.name == name]) for name in names]


def _held(workers: Sequence[WorkerStatus], suspect_after: float) -> list[Held]:
    found = [
        Held(holding, each.worker, one.name, _is_suspect(holding, each.worker, one.name, suspect_after))
        for each in workers
        for one in each.pools
        for holding in one.holdings
    ]
    return sorted(found, key=lambda held: held.holding.seconds + held.worker.age, reverse=True)


def _is_suspect(holding: Holding, worker: Worker, pool_name: str, after: float) -> bool:
    return pool_name not in FOR_LONG and holding.seconds + worker.age > after
