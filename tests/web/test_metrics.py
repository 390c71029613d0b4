"""The figures of all workers: who may read them, and that nobody who collects them is misled."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from admin_app import clock
from admin_app.db.database import Database
from admin_app.models import Incident
from admin_app.services.blocks import troubles
from admin_app.services.records import audit, traffic, workers
from admin_app.services.records.incidents import Standing
from admin_app.services.records.workers import Told, Worker
from admin_app.web import metrics
from tests.services.scenes import Desk
from tests.web.browsing import Visitor
from tests.web.scene import Scene
from tests.web.test_perform import failing

Window = Callable[..., Visitor]
Visit = Callable[..., Awaitable[Visitor]]
Labels = frozenset[tuple[str, str]]

TOKEN = "read the figures"
SOMEBODY_ELSE = ("192.0.2.7", 4711)


def figures_in(text: str) -> dict[str, dict[Labels, float]]:
    """Name and labels to value, as Prometheus' own parser reads them."""
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series = found.setdefault(sample.name, {})
            labels = frozenset(sample.labels.items())
            assert labels not in series, f"{sample.name} {labels} twice"
            series[labels] = sample.value
    return found


def total(found: dict[str, dict[Labels, float]], name: str, **labels: str) -> float:
    """The sum of the series that have these labels."""
    return sum(value for series, value in found[name].items() if series >= labels.items())


class TestWhoMayRead:
    @pytest.fixture(params=[TOKEN, ""], ids=["token", "no token"])
    def token(self, request: pytest.FixtureRequest) -> str:
        """Set, or not."""
        return str(request.param)

    @pytest.fixture
    def chosen_settings(self, token: str) -> dict[str, Any]:
        """With it."""
        return {"metrics_token": token}

    async def test_loopback_and_whoever_has_the_token(self, window: Window, token: str) -> None:
        wrong = ["", TOKEN, "Bearer", "Bearer ", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}"]
        cells: list[tuple[Any, dict[str, Any], int]] = [
            (("127.0.0.1", 1), {}, 200),
            (("::1", 1), {}, 200),
            *((("127.0.0.1", 1), {name: "127.0.0.1"}, 403) for name in ("X-Forwarded-For", "Forwarded", "Via")),
            (None, {}, 403),
            (SOMEBODY_ELSE, {}, 403),
            *((SOMEBODY_ELSE, {"Authorization": given}, 403) for given in wrong),
            (SOMEBODY_ELSE, {"Authorization": "Bearer ünï".encode("latin-1")}, 403),
            (SOMEBODY_ELSE, {"Authorization": f"Bearer {TOKEN}"}, 200 if token else 403),
        ]
        for client, headers, status in cells:
            answer = await window(client=client).get("/metrics", headers=headers)
            assert answer.status_code == status, (client, headers)
            assert ("desk_pool" in answer.text) is (status == 200), (client, headers)


class TestFigures:
    async def test_they_count_what_happened_and_nobody_is_named(
        self,
        app: Starlette,
        desk: Desk,
        scene: Scene,
        database: Database,
        visit: Visit,
        window: Window,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        sam, path = await visit("sam"), f"/admin/ticket/details/{scene.ticket.id}"
        for _ in range(3):
            await sam.get(path)
        await sam.get("/admin/no-such-page")
        app.state.errors.seen["KeyError"] = 2
        open_now = [Incident(kind=f"errors:{mark}", ended_at=None) for mark in "ab"]
        app.state.lookout._standing = Standing(clock.now(), [*open_now, Incident(kind="leak", ended_at=clock.now())])
        answer = await window().get("/metrics")
        found = figures_in(answer.text)
        route = {"method": "GET", "route": "/admin/ticket/details/{pk:path}"}
        assert total(found, "desk_requests_total", **route, status="2xx") == 3
        assert total(found, "desk_requests_total", route="none", status="4xx") == 1
        assert total(found, "desk_request_seconds_count", **route) == 3
        assert total(found, "desk_request_seconds_bucket", **route, le="+Inf") == 3
        assert total(found, "desk_request_seconds_sum", **route) > 0
        assert total(found, "desk_errors_total", kind="KeyError") == 2
        assert {dict(kind)["kind"]: count for kind, count in found["desk_open_incidents"].items() if count} == {
            "errors": 2
        }
        assert 0 <= total(found, "desk_audit_lag_seconds") < 3600
        assert found["desk_workers_reachable"] == {frozenset(): 1.0}
        for name, pool in database.engines.pools.items():
            assert total(found, "desk_pool_limit", pool=name) == pool.limit
            assert total(found, "desk_pool_checked_out", pool=name) == 0
        assert answer.headers["content-type"].startswith("text/plain")
        assert [word for word in ("Sam", "desk.example", path) if word in answer.text] == []
        monkeypatch.setattr(audit, "newest_at", failing(TimeoutError()))
        assert "desk_audit_lag_seconds" not in figures_in((await window().get("/metrics")).text), "nobody knows"

    def test_workers_of_another_version_are_understood_as_far_as_they_go(self) -> None:
        other = [["GET", "/", {"2xx": 1}, [1], 1.0]]  # with other buckets
        told = Told([worker("new"), worker("old", counts={}), worker("next", counts={"requests": other})], True)
        found = figures_of(told)
        assert {dict(series)["worker"] for series in found["desk_requests_total"]} == {"new"}
        assert {dict(series)["worker"] for series in found["desk_retries_total"]} == {"new", "old", "next"}
        assert total(found, "desk_replica_reads_total", outcome="behind") == 2
        assert found["desk_open_incidents"].keys() == {frozenset({("kind", kind)}) for kind in troubles.KINDS}

    def test_no_label_can_grow(self) -> None:
        told = traffic.Traffic()
        for status in range(100, 600):
            told.note("GET", "/", status, 0.01)
        [[_, _, outcomes, buckets, _]] = told.packed()
        assert (len(outcomes), sum(buckets)) == (5, 500)


def worker(name: str, **fields: Any) -> Worker:
    """One that has seen a bit of everything."""
    seen = traffic.Traffic()
    seen.note("GET", "/admin/", 200, 0.02)
    counts = {"requests": seen.packed(), "retries": 1, "errors": {"KeyError": 1}, "slow_statements": 1}
    counts["replica_reads"] = {"replica": 7, "behind": 2, "gone": 0}
    status = dict.fromkeys((*metrics.POOL_GAUGES, *metrics.POOL_COUNTERS, "total", "recent_timeouts"), 1)
    waits = {"count": 0, "p50": 0.0, "p95": 0.0, "p99": 0.0, "longest": 0.0}
    pools = [{"name": "main", **status, "waits": waits, "holdings": [], "longest": None}]
    usual = {"host": "h", "pid": 1, "started_at": clock.now(), "version": "1", "state": workers.SERVING, "age": 0.0}
    return Worker(name=name, **{**usual, "pools": pools, "counts": json.loads(json.dumps(counts)), **fields})


def figures_of(told: Told) -> dict[str, dict[Labels, float]]:
    """As they are read at the other end."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics.Figures(told, 1.0, {"leak": 1}))
    return figures_in(generate_latest(registry).decode())


def every_metric() -> Iterator[tuple[str, set[str]]]:
    """Each name with its labels."""
    for name, series in figures_of(Told([worker("a")], True)).items():
        yield name, {label for labels in series for label, _ in labels}
