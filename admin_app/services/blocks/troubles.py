"""What is wrong right now, by what all workers told: one sentence and what to do next for each kind of trouble."""

from collections.abc import Sequence
from dataclasses import dataclass

from admin_app.db.holdings import Holding
from admin_app.db.own_view import ServerView
from admin_app.services.records import pool
from admin_app.services.records.error_tracking import storing
from admin_app.services.records.error_tracking.storing import WINDOW_MINUTES, Alarming
from admin_app.services.records.incidents import Trouble
from admin_app.services.records.pool import PoolStatus
from admin_app.services.records.workers import FOR_LONG, Known, Worker

DATABASE, ERRORS = "database", "errors"
KINDS = (DATABASE, "waiting", "timeouts", "leak", "transaction", ERRORS)
"""Of errors there is one for each kind of error, by its fingerprint."""

RAISE_THE_SIZE = "When nobody does, raise POOL_SIZE, within what the database allows for all workers together."


@dataclass(frozen=True)
class Thresholds:
    """From where on something is trouble, in seconds where nothing else is said; 0 stands for never."""

    waiting: float = 10.0
    timeouts: int = 20
    """within five minutes, of all workers"""
    suspect: float = 30.0
    transaction: float = 300.0
    database: float = 10.0
    errors: int = storing.ALERT_AT
    """of one kind within five minutes"""


def found(known: Known, errors: Sequence[Alarming], limits: Thresholds) -> list[Trouble]:
    """All of it; while the database does not answer that alone is known, the rest is as old as its last answer."""
    if known.failing_since is not None:
        return _database(known, limits)
    pools = [(worker, pool.unpacked(values)) for worker in known.workers for values in worker.pools]
    return [
        *_waiting(pools, limits),
        *_timeouts(pools, limits),
        *_leaks(pools, limits),
        *_transaction(known, limits),
        *(_errors(each) for each in errors),
    ]


def _database(known: Known, limits: Thresholds) -> list[Trouble]:
    if not 0 < limits.database <= known.failing_for:
        return []
    me = known.workers[0]
    text = f"The database does not answer, as seen from {me.host}."
    advice = (
        "Look whether the database server runs and can be reached from this host, and whether its disk is full. "
        "The desk goes on by itself when it answers again."
    )
    return [Trouble(DATABASE, text, advice, is_critical=True, details={"host": me.host})]


def _waiting(pools: Sequence[tuple[Worker, PoolStatus]], limits: Thresholds) -> list[Trouble]:
    queues = [(worker, one) for worker, one in pools if one.waiting and 0 < limits.waiting <= one.waiting_for]
    if not queues:
        return []
    waiting = sum(one.waiting for _, one in queues)
    worker, worst = max(queues, key=lambda queue: queue[1].waiting_for)
    text = (
        f"Somebody has been waiting for a connection for {worst.waiting_for:.0f} s: {waiting} wait now, "
        f"{worst.checked_out} of {worst.limit} connections of the pool “{worst.name}” are in use on {worker.host}, "
        f"process {worker.pid}."
    )
    advice = f"Look who holds connections for long: a slow page or a report is the usual cause. {RAISE_THE_SIZE}"
    details = {"waiting": waiting, "host": worker.host, "pid": worker.pid, "pool": worst.name}
    return [Trouble("waiting", text, advice, is_critical=True, details=details)]


def _timeouts(pools: Sequence[tuple[Worker, PoolStatus]], limits: Thresholds) -> list[Trouble]:
    count = sum(one.recent_timeouts for _, one in pools)
    if not 0 < limits.timeouts <= count:
        return []
    text = (
        f"{count} requests gave up waiting for a connection within {WINDOW_MINUTES} minutes; people get “busy, try "
        "again”."
    )
    advice = f"Look who holds connections for long. {RAISE_THE_SIZE}"
    return [Trouble("timeouts", text, advice, is_critical=True, details={"timeouts": count})]


def _leaks(pools: Sequence[tuple[Worker, PoolStatus]], limits: Thresholds) -> list[Trouble]:
    held: list[tuple[float, Worker, Holding]] = [
        (holding.seconds + worker.age, worker, holding)
        for worker, one in pools
        if one.name not in FOR_LONG
        for holding in one.holdings
    ]
    suspects = [each for each in held if 0 < limits.suspect < each[0]]
    if not suspects:
        return []
    seconds, worker, oldest = max(suspects, key=lambda each: each[0])
    text = (
        f"A connection may never come back: {oldest.route} has held one for {seconds:.0f} s in process {worker.pid} on "
        f"{worker.host}."
    )
    if len(suspects) > 1:
        text += f" In all, {len(suspects)} are held for longer than any page should need."
    place = f" It was taken in {oldest.taken_in[0]}." if oldest.taken_in else ""
    advice = (
        f"Look up the request id {oldest.request_id or '–'} in the log.{place} When that request is long over, "
        "restart this worker to get the connection back, and tell whoever maintains the desk."
    )
    details = {"route": oldest.route, "request_id": oldest.request_id, "host": worker.host, "pid": worker.pid}
    return [Trouble("leak", text, advice, details=details)]


def _transaction(known: Known, limits: Thresholds) -> list[Trouble]:
    if not isinstance(known.view, ServerView) or not 0 < limits.transaction < known.view.oldest_transaction:
        return []
    seconds = round(known.view.oldest_transaction)
    text = f"The oldest transaction of the database is open for {seconds} s."
    advice = (
        "It keeps rows from being cleaned up and holds its locks. Look on the pool page whom it blocks, and in "
        "pg_stat_activity whose it is; pg_terminate_backend ends it."
    )
    return [Trouble("transaction", text, advice, details={"seconds": seconds})]


def _errors(each: Alarming) -> Trouble:
    text = f"{storing.sentence(each)}."
    advice = "Look the reference up on the page of errors; the log has the trace."
    details = {"kind": each.kind, "count": each.count, "reference": each.reference, "fingerprint": each.fingerprint}
    return Trouble(f"{ERRORS}:{each.fingerprint}", text, advice, details=details)
