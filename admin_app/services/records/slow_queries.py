"""The slow statements of this process. Needs no connection, so it answers when there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles

from admin_app.actor import Actor
from admin_app.db.slow_queries import SlowQueries, SlowStatement
from admin_app.permissions import Permission


@dataclass(frozen=True)
class SlowQuery:
    """One kind of statement as people read it; times in milliseconds, `p95` of the last hundred."""

    fingerprint: str
    statement: str
    count: int
    p95: float
    longest: float
    last_seen_at: datetime
    routes: Sequence[str]
    """The newest first."""


@dataclass(frozen=True)
class SlowQueryStatus:
    """Every kind, the slowest first, and what they were measured with."""

    queries: Sequence[SlowQuery]
    threshold: float
    forgotten: int


def status(actor: Actor, slow: SlowQueries) -> SlowQueryStatus:
    """The slow statements of this process since it started, this very moment."""
    actor.require(Permission.SLOW_QUERIES_VIEW)
    queries = [_read(fingerprint, statement) for fingerprint, statement in slow.kinds()]
    queries.sort(key=lambda query: query.p95, reverse=True)
    return SlowQueryStatus(queries, 1000 * slow.threshold_seconds, slow.forgotten)


def _read(fingerprint: str, statement: SlowStatement) -> SlowQuery:
    return SlowQuery(
        fingerprint=fingerprint,
        statement=statement.statement,
        count=statement.count,
        p95=1000 * _p95(list(statement.durations)),
        longest=1000 * statement.longest,
        last_seen_at=statement.last_seen_at,
        routes=list(reversed(statement.routes)),
    )


def _p95(seconds: list[float]) -> float:
    return seconds[0] if len(seconds) == 1 else quantiles(seconds, n=20, method="inclusive")[-1]
