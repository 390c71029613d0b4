"""Readiness is told at once, whatever the database does."""

import asyncio
import time

import pytest

from admin_app.db import readiness
from admin_app.db.readiness import NotReady, Readiness
from tests.support import chaos


class Checked:
    """A database that answers when it is told to."""

    def __init__(self, fault: NotReady | None = None) -> None:
        self.fault = fault
        self.calls = 0
        self.thawed = asyncio.Event()
        self.thawed.set()

    async def __call__(self) -> NotReady | None:
        self.calls += 1
        await self.thawed.wait()
        return self.fault


class TestAsk:
    @pytest.mark.parametrize("fault", [None, NotReady.UNMIGRATED])
    async def test_it_tells_what_the_check_says(self, fault: NotReady | None) -> None:
        assert await Readiness(Checked(fault)).ask() is fault

    async def test_a_frozen_database_keeps_nobody_waiting(self) -> None:
        database = Checked()
        database.thawed.clear()
        probe = Readiness(database)
        started = time.monotonic()
        assert await probe.ask() is NotReady.DOWN
        assert time.monotonic() - started < chaos.seconds(with_others=5.0, alone=0.5)
        assert readiness.PATIENCE_SECONDS < 0.1, "on a machine of its own that is all it takes"
        await probe.close()

    async def test_a_good_answer_counts_for_a_moment_while_the_next_is_under_way(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database = Checked()
        probe = Readiness(database)
        assert await probe.ask() is None
        database.thawed.clear()
        assert await probe.ask() is None
        monkeypatch.setattr(readiness, "REMEMBERED_SECONDS", 0.0)
        assert await probe.ask() is NotReady.DOWN
        await probe.close()

    async def test_everybody_who_asks_meanwhile_shares_one_check(self) -> None:
        database = Checked()
        database.thawed.clear()
        probe = Readiness(database)
        await asyncio.gather(*(probe.ask() for _ in range(20)))
        database.thawed.set()
        assert await probe.ask() is None
        assert database.calls == 1


class TestClose:
    async def test_a_check_that_never_began_is_nothing_to_give_up(self) -> None:
        await Readiness(Checked()).close()
