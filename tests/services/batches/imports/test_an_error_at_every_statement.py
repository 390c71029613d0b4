"""Whichever statement fails, what an import says of itself is what is in the tables, and it can be gone on with."""

from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import func, select

from admin_app import clock
from admin_app.models import AuditAction, AuditLog, ImportMode, ImportRejection, ImportState, Ticket, TicketImport
from admin_app.services.batches.imports import runs
from tests.services.batches.csv_files import csv_bytes, row, rows, rules
from tests.services.batches.imports.importing import Importing, Watch
from tests.services.scenes import Desk
from tests.support.failing import Injected, error_at_commit, error_at_statement

pytestmark = pytest.mark.usefixtures("small_batches")

GOOD = csv_bytes(rows(3))
MIXED = csv_bytes([*rows(2), row(Id="3", State="Frozen")])
FEWEST_STATEMENTS = 8


async def fails_at(importing: Importing, number: int, mode: ImportMode, at: int) -> str:
    """Run an import; the statement at which it failed (0 is the COMMIT), empty when it went through."""
    turn, watch = await importing.turn(number, mode), Watch()
    engines, failed_at = importing.desk.database.engines, ""
    try:
        with error_at_statement(engines, at) if at else error_at_commit(engines):
            await importing.conduct(turn, watch)
    except Injected as error:
        failed_at = str(error)
    acked = max((done for done, _, _ in watch.told), default=0)
    if mode is ImportMode.GOOD_ROWS:
        assert acked <= (await importing.stored(number)).total, f"acknowledged rows were lost at {failed_at}"
    return failed_at


async def agree(desk: Desk, importing: Importing, number: int) -> None:
    """The import's own counts, its tickets, its rejected rows and its audit entry say the same."""
    found = await importing.stored(number)
    with_key = select(func.count(Ticket.id)).where(Ticket.external_key.startswith(f"{number}:"))
    turned_away = select(func.count(ImportRejection.id)).where(ImportRejection.import_id == number)
    noted = select(func.count(AuditLog.id)).where(
        AuditLog.action == AuditAction.IMPORT, AuditLog.batch_id == found.batch_id
    )
    stored, rejected, entries = [
        await desk.database.read(lambda session, s=statement: session.scalar(s))
        for statement in (with_key, turned_away, noted)
    ]
    assert (found.imported, found.rejected, found.total) == (stored, rejected, stored + rejected)
    assert entries == (1 if found.state is ImportState.FINISHED else 0)


async def import_again_and_again(desk: Desk, importing: Importing, content: bytes, mode: ImportMode) -> int:
    """Have each statement of an import fail once, then go on with it; how many statements there are."""
    for at in count():
        number = (await importing.sent(content)).id
        await importing.choose(number, rules(external_key={"column": "Id", "prefix": f"{number}:"}))
        failed_at = await fails_at(importing, number, mode, at)
        await agree(desk, importing, number)
        if not failed_at:
            return at - 1
        if mode is ImportMode.ALL_OR_NOTHING:
            assert (await importing.stored(number)).imported == 0, f"half of it is in after an error at {failed_at}"
        if not at:  # every COMMIT failed, also the one that calls it unfinished: time tells
            await desk.set(TicketImport, number, updated_at=clock.now() - timedelta(hours=1))
        assert (await importing.ran(number, mode)).state is ImportState.FINISHED
        await agree(desk, importing, number)
    raise AssertionError("it never worked")


class TestGoodRows:
    async def test_counts_and_rows_agree_after_every_error_and_it_goes_on(
        self, desk: Desk, importing: Importing, capsys: pytest.CaptureFixture[str]
    ) -> None:
        statements = await import_again_and_again(desk, importing, MIXED, ImportMode.GOOD_ROWS)
        with capsys.disabled():
            dialect = desk.database.engines.dialect
            print(f"\nR-04 {dialect}, import: counts and rows agreed after an error at each of {statements} statements")
        assert statements >= FEWEST_STATEMENTS


class TestAllOrNothing:
    async def test_nothing_is_in_after_every_error_and_it_goes_through_afterwards(
        self, desk: Desk, importing: Importing
    ) -> None:
        assert await import_again_and_again(desk, importing, GOOD, ImportMode.ALL_OR_NOTHING) >= FEWEST_STATEMENTS


class TestTheMeasure:
    async def test_counts_in_a_transaction_of_their_own_are_noticed(
        self, desk: Desk, importing: Importing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The negative control: rows are committed without what is said of them."""

        async def later(journal, session, before, after, rejections) -> None:
            """Whoever counts after the commit counts nothing when that comes to nothing."""

        monkeypatch.setattr(runs._Journal, "batch", later)
        with pytest.raises(AssertionError):
            await import_again_and_again(desk, importing, MIXED, ImportMode.GOOD_ROWS)
