"""The health of the connection pools, read from pools that are really used."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.exc import TimeoutError as PoolTimeout

from admin_app.db import pools
from admin_app.db.engine import PoolOptions, create_engines
from admin_app.db.holders import Holder, current_holder
from admin_app.services.records import pool


@pytest.fixture
async def engines(database_url):
    """Two connections and one more in need."""
    engines = create_engines(database_url, PoolOptions(size=2, max_overflow=1, timeout=0.05))
    yield engines
    await engines.dispose()


@pytest.fixture
def pages(engines):
    """The pool that pages read from."""
    return engines.pools.get("readers") or engines.pools["main"]


class TestRead:
    async def test_a_pool_that_nobody_has_used_shows_zeros_and_no_negative_overflow(self, pages) -> None:
        seen = pool.read("main", pages)
        assert (seen.size, seen.limit) == (2, 3)
        assert (seen.checked_in, seen.checked_out, seen.overflow, seen.total) == (0, 0, 0, 0)
        assert (seen.waiting, seen.timeouts, seen.invalidated) == (0, 0, 0)
        assert seen.waits == pool.Waits(0, 0.0, 0.0, 0.0, 0.0)
        assert (list(seen.holdings), seen.longest) == ([], None)
        assert not seen.is_strained
        assert not seen.is_exhausted

    async def test_connections_in_use_and_at_rest_add_up(self, engines, pages) -> None:
        async with engines.read.connect() as first:
            await first.execute(select(1))
            async with engines.read.connect() as second:
                await second.execute(select(1))
            seen = pool.read("main", pages)
        assert (seen.checked_in, seen.checked_out, seen.overflow, seen.total) == (1, 1, 0, 2)

    async def test_the_third_of_two_counts_as_overflow_and_exhausts_the_pool(self, engines, pages) -> None:
        async with engines.read.connect(), engines.read.connect():
            assert not pool.read("main", pages).is_exhausted
            async with engines.read.connect():
                seen = pool.read("main", pages)
        assert (seen.checked_out, seen.overflow, seen.total) == (3, 1, 3)
        assert seen.is_exhausted
        assert seen.is_strained

    async def test_giving_up_is_counted_and_strains_the_pool(self, engines, pages) -> None:
        async with engines.read.connect(), engines.read.connect(), engines.read.connect():
            with pytest.raises(PoolTimeout):
                await engines.read.connect()
        seen = pool.read("main", pages)
        assert (seen.timeouts, seen.waiting, seen.checked_out) == (1, 0, 0)
        assert seen.is_strained
        assert seen.waits.longest >= 50

    async def test_a_strain_of_some_minutes_ago_is_over_but_still_counted(self, pages, monkeypatch) -> None:
        pages.watch.gave_up()
        assert pool.read("main", pages).is_strained
        later = pools.time.monotonic() + pools.RECENT_SECONDS + 1
        monkeypatch.setattr(pools, "time", SimpleNamespace(monotonic=lambda: later))
        seen = pool.read("main", pages)
        assert (seen.timeouts, seen.recent_timeouts, seen.is_strained) == (1, 0, False)

    async def test_says_who_holds_a_connection_and_who_held_one_longest(self, engines, pages) -> None:
        current_holder.set(Holder("POST /admin/ticket/edit/7", "Sam Staff"))
        async with engines.read.connect():
            [holding] = pool.read("main", pages).holdings
        assert (holding.route, holding.actor) == ("POST /admin/ticket/edit/7", "Sam Staff")
        assert holding.seconds >= 0
        longest = pool.read("main", pages).longest
        assert longest is not None
        assert (longest.route, longest.actor) == ("POST /admin/ticket/edit/7", "Sam Staff")

    async def test_a_broken_connection_is_counted(self, engines, pages) -> None:
        async with engines.read.connect() as connection:
            await connection.invalidate()
        assert pool.read("main", pages).invalidated == 1

    async def test_one_waiting_person_strains_the_pool(self, pages) -> None:
        pages.watch.waiting = 1
        assert pool.read("main", pages).is_strained


class TestWaits:
    async def test_a_single_wait_is_every_percentile(self, pages) -> None:
        pages.watch.waits.append(0.25)
        assert pool.read("main", pages).waits == pool.Waits(1, 250, 250, 250, 250)

    async def test_percentiles_are_in_milliseconds_and_between_the_waits(self, pages) -> None:
        pages.watch.waits.extend(number / 1000 for number in range(101))
        waits = pool.read("main", pages).waits
        assert (waits.count, waits.longest) == (101, 100)
        assert (waits.p50, waits.p95, waits.p99) == pytest.approx((50, 95, 99))

    async def test_no_percentile_exceeds_the_longest_wait(self, pages) -> None:
        pages.watch.waits.extend([0.0, 1.0])
        waits = pool.read("main", pages).waits
        assert waits.p50 == pytest.approx(500)
        assert waits.p99 <= waits.longest == 1000


class TestTotal:
    async def test_figures_add_up_and_waits_are_as_if_one_process_had_measured_them(self, engines, pages) -> None:
        async with engines.read.connect():
            quick = pool.read("main", pages)
        pages.watch.waits.clear()
        pages.watch.waits.extend([0.1] * 300 + [2.0] * 5)
        slow = pool.read("main", pages)
        both = pool.total([replace(quick, overflow=1, connects=7), slow])
        assert (both.size, both.limit, both.checked_out, both.checked_in) == (4, 6, 1, 1)
        assert (both.overflow, both.connects, both.total) == (1, 8, 2)
        assert len(both.holdings) == 1
        assert both.longest == slow.longest
        assert both.waits.count == 306
        assert both.waits.p50 == pytest.approx(100)
        assert both.waits.longest == pytest.approx(2000)

    async def test_workers_that_nobody_asked_yet_change_no_wait(self, pages) -> None:
        pages.watch.waits.append(0.25)
        measured, idle = pool.read("main", pages), replace(pool.read("main", pages), waits=pool.Waits(0, 0, 0, 0, 0))
        assert pool.total([measured, idle]).waits.p95 == 250
        assert pool.total([idle, idle]).waits.count == 0


class TestPacked:
    async def test_a_status_comes_out_of_a_report_as_it_went_in(self, engines, pages) -> None:
        current_holder.set(Holder("GET /x", "Sue", "abc"))
        async with engines.read.connect() as connection:
            await connection.execute(select(1))
            before = pool.read("main", pages)
        packed = json.loads(json.dumps(pool.packed(before)))
        assert pool.unpacked({**packed, "a figure of tomorrow": 1}) == before
        idle = replace(before, longest=None, holdings=[])
        assert pool.unpacked(json.loads(json.dumps(pool.packed(idle)))) == idle

    async def test_a_report_names_only_so_many(self, engines, pages) -> None:
        async with engines.read.connect():
            [one] = pool.read("main", pages).holdings
        crowd = replace(pool.read("main", pages), holdings=[one] * 100)
        assert len(pool.packed(crowd)["holdings"]) == pool.MOST_TOLD
