"""Whichever statement fails, a bulk change and its undo leave nothing behind, and work when they are repeated."""

from itertools import count

import pytest

from admin_app.models import AuditLog, AuditMember, Batch, BatchKind, BatchState, TicketWatcher
from tests.services.batches.bulk.scenes import BIN, applied, many_tickets, previewed, undone
from tests.support.failing import Injected, error_at_commit, error_at_statement

FEW = 3
FEWEST_STATEMENTS = 6


@pytest.fixture(params=BatchKind)
async def batch(request, desk) -> Batch:
    """A preview of each kind, for tickets with an owner, a watcher, a comment and a file."""
    kind = request.param
    ids = await many_tickets(desk, FEW, **(BIN if kind is BatchKind.RESTORE else {}))
    await desk.store(*(TicketWatcher(ticket_id=n, user_id=desk.cast.ada.id) for n in ids))
    return await previewed(desk, kind, ids)


async def failures_until_it_works(desk, step) -> int:
    """Have the COMMIT fail, then the first statement, then the second …; how many there are."""
    before = await desk.everything()
    with error_at_commit(desk.database.engines), pytest.raises(Injected):
        await step()
    assert await desk.everything() == before, "something was left behind by an error at COMMIT"
    for number in count(1):
        failed_at = await attempt(desk, number, step)
        if not failed_at:
            return number - 1
        assert await desk.everything() == before, f"something was left behind by an error at {failed_at}"
    raise AssertionError("it never worked")


async def attempt(desk, number: int, step) -> str:
    """The statement at which the step failed; empty when it went through."""
    try:
        with error_at_statement(desk.database.engines, number):
            await step()
    except Injected as error:
        return str(error)
    return ""


class TestApply:
    async def test_leaves_nothing_behind_and_works_afterwards(self, desk, batch, capsys) -> None:
        statements = await failures_until_it_works(desk, lambda: applied(desk, batch))
        with capsys.disabled():
            dialect = desk.database.engines.dialect
            print(
                f"\nR-04 {dialect}, bulk {batch.kind}: an error at each of {statements} statements left nothing behind"
            )
        assert statements >= FEWEST_STATEMENTS
        assert (await desk.stored(Batch, batch.id)).state is BatchState.APPLIED
        assert len(await desk.rows(AuditMember)) == FEW


class TestUndo:
    async def test_leaves_nothing_behind_and_works_afterwards(self, desk, batch) -> None:
        await applied(desk, batch)
        assert await failures_until_it_works(desk, lambda: undone(desk, batch)) >= FEWEST_STATEMENTS
        assert (await desk.stored(Batch, batch.id)).state is BatchState.UNDONE
        assert len(await desk.rows(AuditMember)) == 2 * FEW


class TestTheMeasure:
    async def test_a_batch_in_two_transactions_is_noticed(self, desk, batch) -> None:
        """The negative control: whoever commits midway leaves an entry behind when the second half fails."""

        async def in_two_halves() -> None:
            await desk.store(AuditLog(actor_name="", actor_role="", actor_kind="user", action="UNDO", table_name=""))
            await applied(desk, batch)

        with pytest.raises(AssertionError, match="left behind"):
            await failures_until_it_works(desk, in_two_halves)
