"""A write is all of it or none of it: whichever statement fails, every table is as it was."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from admin_app.db.engine import Engines
from admin_app.models import Priority, Ticket
from admin_app.services.operations import tickets
from tests.services.every_service import TABLE, Call, Row, Scene

HOUSEKEEPING = ("PRAGMA", "BEGIN")


class Lightning(Exception):
    """Strikes in the middle of a transaction."""


@contextmanager
def lightning_at(engines: Engines, number: int) -> Iterator[None]:
    """The statement with this number fails before it is sent."""
    numbers = itertools.count(1)

    def strike(connection, cursor, statement: str, *rest) -> None:
        if not statement.startswith(HOUSEKEEPING) and next(numbers) == number:
            raise Lightning(statement)

    event.listen(engines.write.sync_engine, "before_cursor_execute", strike)
    try:
        yield
    finally:
        event.remove(engines.write.sync_engine, "before_cursor_execute", strike)


@contextmanager
def lightning_at_commit(engines: Engines) -> Iterator[None]:
    """Everything is sent, and the COMMIT itself fails as it does on a full disk."""
    dialect = engines.write.sync_engine.dialect

    def strike(connection) -> None:
        raise Lightning("COMMIT")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dialect, "do_commit", strike)
        yield


async def strike_everywhere(scene: Scene, call: Call) -> int:
    """Lightning at the first statement, at the second …, until the write goes through; how many there are."""
    desk, ada = scene.desk, scene.desk.cast.ada
    before, struck = await desk.everything(), []
    for number in itertools.count(1):
        try:
            with lightning_at(desk.database.engines, number):
                await desk.run(call, ada, scene)
        except Lightning as lightning:
            struck.append(str(lightning))
            assert await desk.everything() == before, f"left behind: {struck[-1]}"
        else:
            break
    assert any(statement.startswith(("INSERT", "UPDATE", "DELETE")) for statement in struck)
    assert await desk.everything() != before, "nothing was written even without lightning"
    return len(struck)


class TestEveryWrite:
    @pytest.mark.parametrize("row", [row for row in TABLE if row.writes], ids=lambda row: row.name)
    async def test_a_failure_at_any_statement_leaves_everything_as_it_was(
        self, scene: Scene, row: Row, capsys: pytest.CaptureFixture[str]
    ) -> None:
        statements = await strike_everywhere(scene, row.call)
        if row.name.split()[0] in {"hand", "restore", "purge"}:
            with capsys.disabled():
                dialect = scene.desk.database.engines.dialect
                print(f"\nR-04 {dialect}, {row.name}: an error at each of {statements} statements left nothing behind")

    async def test_a_write_in_two_transactions_would_be_noticed(self, scene: Scene) -> None:
        """The negative control: the ticket first, what the log says of it afterwards."""

        async def in_two(session, actor, scene) -> None:
            await scene.desk.set(Ticket, scene.live.id, title="Half of it")
            await tickets.edit(session, actor, scene.live.id, {"priority": Priority.LOW}, version=1)

        with pytest.raises(AssertionError, match="left behind"):
            await strike_everywhere(scene, in_two)

    @pytest.mark.parametrize("row", [row for row in TABLE if row.writes], ids=lambda row: row.name)
    async def test_a_failing_commit_leaves_everything_as_it_was_and_the_next_one_works(
        self, scene: Scene, row: Row
    ) -> None:
        desk, ada = scene.desk, scene.desk.cast.ada
        async with desk.nothing_written():
            with pytest.raises(Lightning), lightning_at_commit(desk.database.engines):
                await desk.run(row.call, ada, scene)
        await desk.run(row.call, ada, scene)
