"""Readiness is told at once, whatever the database does."""

import asyncio
import time

import pytest

from admin_app.db import readiness
from admin_app.db.readiness import Readiness
from tests.support import chaos


class Checked:
    """A database that answers when it is told to."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.calls = 0
        self.thawed = asyncio.Event()
        self.thawed.set()

    async def __call__(self) -> bool:
        self.calls += 1
        await self.thawed.wait()
        return self.answers


class TestAsk:
    @pytest.mark.parametrize("answers", [True, False])
    async def test_it_tells_what_the_check_says(self, answers: bool) -> None:
        assert await Readiness(Checked(answers=answers)).ask() is answers

    async def test_a_frozen_database_keeps_nobody_waiting(self) -> None:
        database = Checked()
        database.thawed.clear()
        probe = Readiness(database)
        started = time.monotonic()
        assert await probe.ask() is False
        assert time.monotonic() - started < chaos.seconds(with_others=5.0, alone=0.5)
        assert readiness.PATIENCE_SECONDS < 0.1, "on a machine of its own that is all it takes"
        await probe.close()

    async def test_a_good_answer_counts_for_a_moment_while_the_next_is_under_way(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database = Checked()
        probe = Readiness(database)
        assert await probe.ask() is True
        database.thawed.clear()
        assert await probe.ask() is True
        monkeypatch.setattr(readiness, "REMEMBERED_SECONDS", 0.0)
        assert await probe.ask() is False
        await probe.close()

    async def test_everybody_who_asks_meanwhile_shares_one_check(self) -> None:
        database = Checked()
        database.thawed.clear()
        probe = Readiness(database)
        await asyncio.gather(*(probe.ask() for _ in range(20)))
        database.thawed.set()
        assert await probe.ask() is True
        assert database.calls == 1


class TestClose:
    async def test_a_check_that_never_began_is_nothing_to_give_up(self) -> None:
        await Readiness(Checked()).close()
