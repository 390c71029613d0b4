"""What a person sees first."""

from datetime import timedelta

import pytest

from admin_app.models import Priority, Status, Ticket
from admin_app.services.operations import tickets
from admin_app.services.pages import dashboard


def titles(rows) -> list[str]:
    return [ticket.title for ticket in rows]


class TestSummary:
    async def test_of_an_empty_desk_is_empty(self, desk) -> None:
        summary = await desk.read(dashboard.summary, desk.cast.sam)
        assert summary == dashboard.Summary([], [], [], [], {"mine": 0, "ownerless": 0, "overdue": 0}, {})

    async def test_mine_are_my_open_ones_the_most_urgent_first(self, desk) -> None:
        for title, priority in (("low", Priority.LOW), ("high", Priority.HIGH), ("high too", Priority.HIGH)):
            await desk.ticket(title=title, priority=priority, owner="sam@desk.example")
        await desk.ticket(title="sid's", owner="sid@desk.example")
        done = await desk.ticket(title="done", owner="sam@desk.example")
        await desk.run(tickets.close, desk.cast.sam, done.id, resolution="done", version=1)
        summary = await desk.read(dashboard.summary, desk.cast.sam)
        assert titles(summary.mine) == ["high", "high too", "low"]
        assert summary.counts["mine"] == 3
        assert (summary.mine[0].owner, summary.mine[0].customer) == ("Sam Staff", "Kim Customer")

    async def test_ownerless_are_open_ones_that_nobody_owns(self, desk) -> None:
        await desk.ticket(title="low", priority=Priority.LOW)
        await desk.ticket(title="critical", priority=Priority.CRITICAL)
        await desk.ticket(title="owned", owner="sid@desk.example")
        done = await desk.ticket(title="done")
        await desk.run(tickets.close, desk.cast.sam, done.id, resolution="done", version=1)
        summary = await desk.read(dashboard.summary, desk.cast.sam)
        assert (titles(summary.ownerless), summary.counts["ownerless"]) == (["critical", "low"], 2)

    async def test_overdue_are_late_ones_the_latest_first(self, desk, stopped_clock) -> None:
        for title, hours in (("late", -1), ("very late", -9), ("soon", 1), ("right now", 0)):
            await desk.ticket(title=title, due_at=stopped_clock.time + timedelta(hours=hours))
        summary = await desk.read(dashboard.summary, desk.cast.sam)
        assert (titles(summary.overdue), summary.counts["overdue"]) == (["very late", "late"], 2)

    async def test_recent_are_the_last_touched_whatever_their_state(self, desk, stopped_clock) -> None:
        made = []
        for title in ("one", "two", "three"):
            stopped_clock.forward(minutes=1)
            made.append(await desk.ticket(title=title))
        stopped_clock.forward(minutes=1)
        await desk.run(tickets.close, desk.cast.sam, made[0].id, resolution="done", version=1)
        summary = await desk.read(dashboard.summary, desk.cast.sam)
        assert titles(summary.recent) == ["one", "three", "two"]

    async def test_lists_are_short_and_counts_go_on_to_one_beyond_what_is_shown(self, desk) -> None:
        await desk.store(*(Ticket(ticket_number=f"T-{n}", title="t", creator_id=desk.cast.kim.id) for n in range(20)))
        summary = await desk.read(dashboard.summary, desk.cast.sam)
        assert (len(summary.ownerless), summary.counts["ownerless"]) == (8, 20)
        assert (len(summary.recent), summary.by_status) == (8, {Status.NEW: 20})
        more = range(20, dashboard.COUNTED + 5)
        await desk.store(*(Ticket(ticket_number=f"T-{n}", title="t", creator_id=desk.cast.kim.id) for n in more))
        summary = await desk.read(dashboard.summary, desk.cast.sam)
        assert (summary.counts["ownerless"], summary.by_status) == (1_001, {Status.NEW: 1_001})

    async def test_counts_by_status(self, desk) -> None:
        for status in (Status.OPEN, Status.OPEN, Status.CLOSED):
            ticket = await desk.ticket()
            await desk.set(Ticket, ticket.id, status=status)
        summary = await desk.read(dashboard.summary, desk.cast.sam)
        assert summary.by_status == {Status.OPEN: 2, Status.CLOSED: 1}

    @pytest.mark.parametrize("rows", [1, 30])
    async def test_sends_six_statements_however_much_there_is(self, desk, rows: int, statement_counter) -> None:
        await desk.store(
            *(
                Ticket(ticket_number=f"T-{n}", title="t", creator_id=desk.cast.kim.id, owner_id=desk.cast.sam.id)
                for n in range(rows)
            )
        )
        with statement_counter() as counted:
            await desk.read(dashboard.summary, desk.cast.sam)
        assert counted.total == 6
