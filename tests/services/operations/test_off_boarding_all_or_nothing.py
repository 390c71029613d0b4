"""An error at every single statement of an off-boarding: nothing is ever half done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from admin_app.db.database import Database
from admin_app.models import Ticket, User
from admin_app.services.operations import off_boarding
from admin_app.services.operations.off_boarding import Choice, Wanted
from tests.services.scenes import Desk
from tests.support.statements import HOUSEKEEPING

SPREAD = Wanted(Choice.SPREAD)
MOST_STATEMENTS = 500


class Broken(Exception):
    """Put in the way of one statement."""


@contextmanager
def broken_at(database: Database, position: int) -> Iterator[list[str]]:
    """The write statement number `position` fails before it is sent; yields those that were tried."""
    seen: list[str] = []

    def stop(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip().upper().startswith(HOUSEKEEPING):
            return
        seen.append(statement)
        if len(seen) == position:
            raise Broken(statement)

    engine = database.engines.write.sync_engine
    event.listen(engine, "before_cursor_execute", stop)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", stop)


async def off_board(desk: Desk) -> None:
    """Sue has Sam's tickets spread."""
    sue, sam = desk.cast.sue, desk.cast.sam.id
    plan = await desk.read(off_boarding.preview, sue, sam, wanted=SPREAD)
    await desk.run(off_boarding.off_board, sue, sam, wanted=SPREAD, reason="left", frozen=plan.frozen)


async def statements_of_preview(desk: Desk, statement_counter: Any) -> int:
    """Where readers and writers share one engine, the preview comes first."""
    if desk.database.engines.dialect == "sqlite":
        return 0
    with statement_counter() as counted:
        await desk.read(off_boarding.preview, desk.cast.sue, desk.cast.sam.id, wanted=SPREAD)
    return int(counted.total)


class TestAnErrorAtEveryStatement:
    async def test_leaves_everything_as_it_was(self, desk, statement_counter) -> None:
        for _ in range(4):
            await desk.ticket(owner="sam@desk.example")
        before = await statements_of_preview(desk, statement_counter)
        sent = 0
        for position in range(before + 1, before + MOST_STATEMENTS):
            async with _unless_done(desk) as ended:
                with broken_at(desk.database, position) as seen:
                    try:
                        await off_board(desk)
                    except Broken:
                        ended.is_broken = True
                sent = len(seen)
            if not ended.is_broken:
                break
        assert position == sent + 1, "the last round went through because no statement was left to break"
        assert position - before > 10
        assert not (await desk.stored(User, desk.cast.sam.id)).is_active
        assert desk.cast.sam.id not in {ticket.owner_id for ticket in await desk.rows(Ticket)}

    async def test_a_change_that_stays_behind_would_be_noticed(self, desk) -> None:
        """The negative control: one step in a transaction of its own."""
        await desk.ticket(owner="sam@desk.example")

        async def half() -> None:
            async with _unless_done(desk) as ended:
                await desk.set(User, desk.cast.sam.id, is_active=False)
                ended.is_broken = True

        with pytest.raises(AssertionError, match="these tables changed"):
            await half()


class _unless_done:  # noqa: N801 - reads as the words that it stands for
    """Everything is as before at the end of the block, unless nothing broke in it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.is_broken = False

    async def __aenter__(self) -> "_unless_done":
        self.before = await self.desk.everything()
        return self

    async def __aexit__(self, *error: Any) -> None:
        if self.is_broken:
            after = await self.desk.everything()
            changed = [name for name in after if after[name] != self.before[name]]
            assert changed == [], "these tables changed"
