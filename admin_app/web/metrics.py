"""`/metrics`: the figures of all workers on all hosts, in Prometheus' text format.

Every worker's figures are series of their own, by the label `worker`; nobody adds them up here. A sum would fall when
a worker ends, and a counter that falls looks like one that began anew: `sum(rate(…))` is right, whoever comes and goes.

Whichever worker answers tells the same. It first reports itself and reads what all others reported; even its own
figures are those of that report, so that the next worker that is asked is never behind this one. While the others
cannot be read it tells of itself alone: figures from memory might be older than what somebody else has answered. So one
address of the desk is scraped, whichever worker or host is behind it. Open incidents belong to no worker: they are as
the one that answers last read them, some seconds ago.

Labels come from short lists: workers, their hosts, versions and states, pools, rows of the table of routes, a few
methods, the first digit of a status, kinds of incidents, and kinds of errors, of which all but some fifty are called
"other".
"""

import asyncio
import hmac
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

import anyio.to_thread
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from admin_app import clock
from admin_app.errors import TimedOut, Unavailable
from admin_app.services.blocks import troubles
from admin_app.services.records import audit, pool, traffic
from admin_app.services.records.workers import Told, Worker
from admin_app.web.desk import Desk, desk_of
from admin_app.web.proxies import came_directly

LOOPBACK = frozenset({"127.0.0.1", "::1"})
PATIENCE_SECONDS = 0.5
"""How long the database may take to say how old the newest audit entry is."""

POOL_GAUGES = {
    "size": "Connections that are kept.",
    "checked_in": "Connections that are open and free.",
    "checked_out": "Connections in use.",
    "overflow": "Connections beyond those that are kept.",
    "limit": "The most connections that there can be.",
    "waiting": "Requests that wait for a connection now.",
}
POOL_COUNTERS = {
    "timeouts": "Requests that waited for a connection in vain.",
    "invalidated": "Connections thrown away because they broke or whoever used them left.",
    "cancelled": "Of those: whoever used them left.",
    "connects": "Connections opened.",
    "busy": "Times that SQLite was busy for longer than anybody waits.",
}


async def metrics(request: Request) -> Response:
    """Open to loopback, elsewhere only with the bearer token."""
    desk = desk_of(request)
    if not _may_read_metrics(request, desk.metrics_token):
        return PlainTextResponse("not allowed\n", status_code=403)
    told, audit_lag = await asyncio.gather(desk.crew.refreshed(), _audit_lag(desk))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(told, audit_lag, desk.watch.lookout.open_kinds))
    return Response(await anyio.to_thread.run_sync(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)


class Figures(Collector):
    """What all workers have told, as families of series."""

    def __init__(self, told: Told, audit_lag: float | None, incidents: Mapping[str, int]) -> None:
        self.told = told
        self.audit_lag = audit_lag
        self.incidents = incidents

    def collect(self) -> Iterator[Metric]:
        """Every family, also one without a series yet."""
        workers = self.told.workers
        yield from _workers(workers)
        yield GaugeMetricFamily(
            "desk_workers_reachable", "1 while the figures of all workers can be read.", int(self.told.is_complete)
        )
        yield from _requests(workers)
        yield from _pools(workers)
        yield from _troubles(workers)
        yield self._incidents()
        lag = GaugeMetricFamily(
            "desk_audit_lag_seconds",
            "Age of the newest audit entry; a change is in one transaction with its entry, so no change is newer.",
        )
        if self.audit_lag is not None:
            lag.add_metric([], self.audit_lag)
        yield lag

    def _incidents(self) -> Metric:
        found = GaugeMetricFamily("desk_open_incidents", "Incidents that are not over.", labels=["kind"])
        for kind in troubles.KINDS:
            found.add_metric([kind], self.incidents.get(kind, 0))
        return found


def _workers(workers: Sequence[Worker]) -> Iterator[Metric]:
    info = GaugeMetricFamily(
        "desk_worker_info", "1 for each worker process.", labels=["worker", "host", "version", "state"]
    )
    started = GaugeMetricFamily("desk_worker_start_time_seconds", "When it started, in Unix time.", labels=["worker"])
    for worker in workers:
        info.add_metric([worker.name, worker.host, worker.version, worker.state], 1)
        started.add_metric([worker.name], worker.started_at.timestamp())
    yield from (info, started)


def _requests(workers: Sequence[Worker]) -> Iterator[Metric]:
    labels = ["worker", "method", "route"]
    answered = CounterMetricFamily("desk_requests", "Requests by how they ended.", labels=[*labels, "status"])
    seconds = HistogramMetricFamily("desk_request_seconds", "How long requests took.", labels=labels)
    names = [*map(str, traffic.BOUNDS), "+Inf"]
    for worker in workers:
        for (method, route), one in traffic.unpacked(worker.counts.get("requests", [])).items():
            for status, count in one.outcomes.items():
                answered.add_metric([worker.name, method, route, status], count)
            buckets = list(zip(names, map(float, accumulate(one.buckets)), strict=True))
            seconds.add_metric([worker.name, method, route], buckets, one.seconds)
    yield from (answered, seconds)


def _pools(workers: Sequence[Worker]) -> Iterator[Metric]:
    labels = ["worker", "pool"]
    gauges = {name: GaugeMetricFamily(f"desk_pool_{name}", text, labels=labels) for name, text in POOL_GAUGES.items()}
    counters = {
        name: CounterMetricFamily(f"desk_pool_{name}", text, labels=labels) for name, text in POOL_COUNTERS.items()
    }
    longest = GaugeMetricFamily("desk_pool_held_longest_seconds", "The connection held longest now.", labels=labels)
    waits = GaugeMetricFamily(
        "desk_pool_wait_p95_seconds", "What 95 of the last 100 waits stayed within.", labels=labels
    )
    for worker in workers:
        for status in map(pool.unpacked, worker.pools):
            place = [worker.name, status.name]
            for name, family in (gauges | counters).items():
                family.add_metric(place, getattr(status, name))
            longest.add_metric(place, max((held.seconds for held in status.holdings), default=0.0))
            waits.add_metric(place, status.waits.p95 / 1000)
    yield from (*gauges.values(), *counters.values(), longest, waits)


def _troubles(workers: Sequence[Worker]) -> Iterator[Metric]:
    retries = CounterMetricFamily("desk_retries", "Units of work that were run again.", labels=["worker"])
    slow = CounterMetricFamily("desk_slow_statements", "Statements over SLOW_QUERY_MS.", labels=["worker"])
    errors = CounterMetricFamily("desk_errors", "Errors that nobody foresaw.", labels=["worker", "kind"])
    replica = CounterMetricFamily(
        "desk_replica_reads",
        "Reads meant for the replica: it answered, or the primary did because it was behind or gone.",
        labels=["worker", "outcome"],
    )
    for worker in workers:
        retries.add_metric([worker.name], worker.counts.get("retries", 0))
        slow.add_metric([worker.name], worker.counts.get("slow_statements", 0))
        for kind, count in worker.counts.get("errors", {}).items():
            errors.add_metric([worker.name, kind], count)
        for outcome, count in worker.counts.get("replica_reads", {}).items():
            replica.add_metric([worker.name, outcome], count)
    yield from (retries, slow, errors, replica)


async def _audit_lag(desk: Desk) -> float | None:
    """None while the database does not say, and when there is no entry yet."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            newest = await desk.database.read(audit.newest_at, aside=True)
    except (TimeoutError, Unavailable, TimedOut):
        return None
    return max(0.0, (clock.now() - newest).total_seconds()) if newest else None


def _may_read_metrics(request: Request, token: str) -> bool:
    is_local = request.client is not None and request.client.host in LOOPBACK
    if is_local and came_directly(request.headers):
        return True
    given = request.headers.get("authorization", "")
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


ROUTES = [Route("/metrics", metrics, methods=["GET"])]
