"""From where on something is trouble, and what is said of it."""

from dataclasses import replace
from typing import Any

from admin_app import clock
from admin_app.db.holdings import Holding
from admin_app.db.own_view import FileView, ServerView
from admin_app.services.blocks import troubles
from admin_app.services.blocks.troubles import Thresholds
from admin_app.services.records import pool
from admin_app.services.records.error_tracking.storing import Alarming
from admin_app.services.records.pool import PoolStatus, Waits
from admin_app.services.records.workers import Known, Worker

FINE = PoolStatus("main", 5, 5, 0, 0, 5, 5, 0, 0, 0, 0, Waits(0, 0, 0, 0, 0), [], None)
NEVER = Thresholds(waiting=0, timeouts=0, suspect=0, transaction=0, database=0)
LONG_HELD = Holding("GET /admin/x", "Sam Staff", clock.now(), 31.0, "r1", taken_in=("web/views/ticket.py:12 show",))
OLD = ServerView([], 301.0, 5, 100, [], [])
ERRORS = [Alarming("f" * 64, "KeyError", 12, "3f2a91c0")]


def worker(*pools: PoolStatus, number: int = 1) -> Worker:
    return Worker(
        f"w{number}", f"web-{number}", number, clock.now(), "1", "serving", 0.5, [pool.packed(p) for p in pools]
    )


def known(*workers: Worker, **values: Any) -> Known:
    usual = {"samples": [], "view": None, "view_age": 0.0, "failing_since": None, "failing_for": 0.0}
    return Known(workers=workers or [worker(FINE)], **{**usual, **values})


def kinds(seen: Known, limits: Thresholds = Thresholds(), errors: list[Alarming] | None = None) -> list[str]:  # noqa: B008
    return [each.kind for each in troubles.found(seen, errors or [], limits)]


class TestFound:
    def test_a_healthy_desk_has_none(self) -> None:
        assert kinds(known(view=FileView(1, 2, 3))) == []

    def test_each_of_them_from_its_threshold_on_and_not_below(self) -> None:
        exports = replace(FINE, name="exports", holdings=[LONG_HELD])
        below = known(
            worker(replace(FINE, waiting=3, waiting_for=9.9, recent_timeouts=10), exports, number=1),
            worker(replace(FINE, waiting_for=60.0, recent_timeouts=9, holdings=[replace(LONG_HELD, seconds=29.4)])),
            view=replace(OLD, oldest_transaction=300.0),
        )
        assert kinds(below) == []
        above = known(
            worker(replace(FINE, waiting=3, waiting_for=10.0, recent_timeouts=10)),
            worker(replace(FINE, waiting=1, waiting_for=2.0, recent_timeouts=10, holdings=[LONG_HELD]), number=2),
            view=OLD,
        )
        assert kinds(above, errors=ERRORS) == ["waiting", "timeouts", "leak", "transaction", f"errors:{'f' * 64}"]
        assert kinds(above, NEVER) == []
        assert {kind.split(":")[0] for kind in kinds(above, errors=ERRORS)} | {"database"} == set(troubles.KINDS)
        found = {each.kind: each for each in troubles.found(above, ERRORS, Thresholds())}
        assert "waiting for a connection for 10 s: 3 wait now" in found["waiting"].text
        assert found["timeouts"].text.startswith("20 requests gave up")
        assert "GET /admin/x has held one for 32 s in process 2 on web-2" in found["leak"].text
        two = known(worker(replace(FINE, holdings=[LONG_HELD, LONG_HELD])))
        assert "In all, 2 are held" in troubles.found(two, [], Thresholds())[0].text
        assert "Sam" not in str(found["leak"]), "a web hook need not know who it was"
        assert "r1 in the log. It was taken in web/views/ticket.py:12 show." in found["leak"].advice
        assert "12 errors of one kind in 5 minutes: KeyError (reference 3f2a91c0)" in found[f"errors:{'f' * 64}"].text
        assert {kind for kind, each in found.items() if each.is_critical} == {"waiting", "timeouts"}

    def test_a_holder_of_whom_little_is_known_is_told_as_well(self) -> None:
        nobody = replace(LONG_HELD, request_id="", taken_in=())
        [leak] = troubles.found(known(worker(replace(FINE, holdings=[nobody]))), [], Thresholds())
        assert "request id – in the log. When" in leak.advice

    def test_while_the_database_is_silent_that_alone_is_known(self) -> None:
        stale = worker(replace(FINE, waiting=3, waiting_for=99.0))
        silent = known(stale, failing_since=clock.now(), failing_for=10.0)
        assert kinds(silent) == ["database"]
        assert kinds(replace(silent, failing_for=9.9)) == []
        assert kinds(silent, NEVER) == []
