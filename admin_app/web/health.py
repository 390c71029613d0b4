"""Is the process alive, can it take requests, and how does it feel? Without sign-in and without details."""

import hmac

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from admin_app.services.records import pool
from admin_app.web.desk import Desk, desk_of
from admin_app.web.proxies import came_directly

LOOPBACK = frozenset({"127.0.0.1", "::1"})
PROBES = ("/health/live", "/health/ready")
"""They say nothing that anybody could use, and load balancers ask them over plain http."""

DRAINING = "draining"
REASONS = {
    DRAINING: "this worker finishes what it has begun, and then ends",
    "database down": "it does not answer",
    "unmigrated": "the database needs a migration that this version of the desk brings",
    "exhausted": "every database connection of this worker is in use",
}


async def live(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("alive\n")


async def ready(request: Request) -> Response:
    """This worker takes requests and can answer them; else 503 with the reason, in one word and for people."""
    desk = desk_of(request)
    reason = DRAINING if desk.crew.is_draining else await desk.database.why_not_ready()
    if reason is None:
        return PlainTextResponse("ready\n")
    text = f"not ready: {reason} ({REASONS[reason]})\n"
    return PlainTextResponse(text, status_code=503, headers={"Retry-After": "2"})


async def metrics(request: Request) -> Response:
    """Figures in Prometheus' text format: open to loopback, elsewhere only with the bearer token."""
    desk = desk_of(request)
    if not _may_read_metrics(request, desk.metrics_token):
        return PlainTextResponse("not allowed\n", status_code=403)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(PoolFigures(desk))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class PoolFigures(Collector):
    """The figures of every pool of this process."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def collect(self) -> list[Metric]:
        """One gauge per figure, labelled by pool."""
        names = ("size", "checked_in", "checked_out", "overflow", "limit", "waiting", "timeouts", "invalidated")
        gauges = {name: GaugeMetricFamily(f"desk_pool_{name}", f"Pool: {name}", labels=["pool"]) for name in names}
        for pool_name, watched in self.desk.pools().items():
            status = pool.read(pool_name, watched)
            for name, gauge in gauges.items():
                gauge.add_metric([pool_name], getattr(status, name))
        return list(gauges.values())


def _may_read_metrics(request: Request, token: str) -> bool:
    is_local = request.client is not None and request.client.host in LOOPBACK
    if is_local and came_directly(request.headers):
        return True
    given = request.headers.get("authorization", "")
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


ROUTES = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
