"""Checking a file and importing it."""

from datetime import timedelta
from typing import Any

import pytest

from admin_app import clock
from admin_app.errors import Conflict, NotFound, PermissionDenied, Unavailable
from admin_app.models import (
    AuditAction,
    AuditLog,
    ImportMode,
    ImportRejection,
    ImportState,
    Ticket,
    TicketImport,
    UserSession,
)
from admin_app.services.batches.csv_import import running
from admin_app.services.batches.imports import runs, uploads
from tests.services.batches.csv_files import csv_bytes, row, rows, rules
from tests.services.batches.imports.importing import Importing, Watch, counts
from tests.services.scenes import Desk

ALL = ImportMode.ALL_OR_NOTHING
MIXED = [*rows(5), row(Id="2"), row(Id="6", State="Frozen"), row(Id="7", Mail="c1@customer.example")]
"""Five good rows, then: known, bad, good."""

pytestmark = pytest.mark.usefixtures("small_batches")


def reported(rejections: Any) -> list[tuple[Any, ...]]:
    return [(bad.line, bad.column, bad.reason, bad.cells) for bad in rejections]


class TestCheck:
    async def test_its_report_is_that_of_the_run(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(MIXED))
        checked = await importing.ran(number, is_check=True)
        told = reported(await desk.rows(ImportRejection))
        assert (checked.state, await desk.rows(Ticket), await desk.rows(AuditLog)) == (ImportState.CHECKED, [], [])
        done = await importing.ran(number)
        assert done.state is ImportState.FINISHED
        assert counts(checked) == counts(done) == (8, 6, 1, 1, 5)
        assert reported(await desk.rows(ImportRejection)) == told
        assert done.rows_per_second > 0

    async def test_one_that_breaks_off_can_be_repeated(
        self, desk: Desk, importing: Importing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = await importing.mapped(csv_bytes(MIXED))
        turn = await importing.turn(number, is_check=True)
        with pytest.raises(Conflict):
            await importing.conduct(turn, Watch(patience=1))
        found = await importing.stored(number)
        assert (found.state, found.failure, found.total) == (ImportState.UPLOADED, runs.LEFT, 2)
        assert counts(await importing.ran(number)) == (8, 6, 1, 1, 5)


class TestGoodRows:
    async def test_the_file_goes_when_it_is_over(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(MIXED))
        found = await importing.ran(number)
        assert (found.storage_key, importing.files()) == ("", [])
        [entry] = [entry for entry in await desk.rows(AuditLog) if entry.action is AuditAction.IMPORT]
        assert entry.batch_id == found.batch_id

    async def test_progress_is_told(self, importing: Importing) -> None:
        watch = Watch()
        await importing.conduct(await importing.turn(await importing.mapped(csv_bytes(MIXED))), watch)
        assert [(done, total) for done, total, _ in watch.told] == [(2, 8), (4, 8), (6, 8), (8, 8)]
        assert watch.told[-1][2] == "8 of 8 rows imported; 1 turned away"

    @pytest.mark.parametrize("key", [{"external_key": rules().external_key.model_dump()}, {"external_key": None}])
    async def test_one_that_is_left_stays_as_far_as_it_came_and_is_gone_on_with(
        self, desk: Desk, importing: Importing, key: dict[str, Any]
    ) -> None:
        """Exactly, whether or not a key tells rows apart."""
        number = await importing.mapped(csv_bytes(rows(7)), rules(**key))
        with pytest.raises(Conflict):
            await importing.conduct(await importing.turn(number), Watch(patience=2))
        found = await importing.stored(number)
        assert (found.state, found.failure) == (ImportState.UNFINISHED, runs.LEFT)
        assert counts(found) == (4, 4, 0, 0, 4)
        assert len(await desk.rows(Ticket)) == 4
        batch_id, seconds = found.batch_id, found.seconds
        found = await importing.ran(number)
        assert (counts(found), found.state) == ((7, 7, 0, 0, 7), ImportState.FINISHED)
        assert (found.batch_id, found.seconds > seconds) == (batch_id, True)
        assert len(await desk.rows(Ticket)) == 7

    async def test_a_fault_is_told_and_kept(
        self, desk: Desk, importing: Importing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fails(*args: Any, **options: Any) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(running.storing.ticket_numbers, "take", fails)
        number = await importing.mapped(csv_bytes(MIXED))
        with pytest.raises(Unavailable):
            await importing.conduct(await importing.turn(number))
        found = await importing.stored(number)
        assert (found.state, found.failure) == (ImportState.UNFINISHED, Unavailable.default_message)

    async def test_while_the_database_is_away_nothing_can_be_noted(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(MIXED))
        turn = await importing.turn(number)

        async def away(work: Any, *, repeatable: bool = False) -> Any:
            raise Unavailable

        with pytest.raises(Unavailable):
            await runs.conduct(away, desk.cast.sue, importing.store, turn, Watch())
        assert (await importing.stored(number)).state is ImportState.RUNNING

    async def test_whoever_was_overtaken_writes_nothing_more(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(MIXED))
        old = await importing.turn(number)
        await desk.set(TicketImport, number, updated_at=clock.now() - timedelta(minutes=2))
        new = await importing.turn(number)
        with pytest.raises(Conflict, match="Somebody else"):
            await importing.conduct(old)
        assert await desk.rows(Ticket) == []
        assert (await importing.stored(number)).state is ImportState.RUNNING
        await importing.conduct(new)
        assert len(await desk.rows(Ticket)) == 6

    @pytest.mark.parametrize("mode", [ImportMode.GOOD_ROWS, ALL])
    async def test_the_end_of_the_sign_in_stops_it(self, desk: Desk, importing: Importing, mode: ImportMode) -> None:
        """Somebody who is deactivated, demoted or signed out while a long file comes in adds no more of it."""
        now, sue = clock.now(), desk.cast.sue
        fields = {"last_seen_at": now, "expires_at": now + timedelta(hours=1)}
        here = await desk.store(UserSession(token_hash="x", user_id=sue.id, **fields))
        number = await importing.mapped(csv_bytes(rows(7)))
        turn = await importing.turn(number, mode, sign_in_id=here.id)

        async def run(work: Any, *, repeatable: bool = False) -> Any:
            if mode is ALL or (await importing.stored(number)).total == 4:
                await desk.set(UserSession, here.id, revoked_at=now)
            return await desk.database.run(work, repeatable=repeatable)

        with pytest.raises(Conflict, match="sign-in"):
            await runs.conduct(run, sue, importing.store, turn, Watch())
        found, stays = await importing.stored(number), 0 if mode is ALL else 4
        assert (found.state, found.failure, found.total) == (ImportState.UNFINISHED, runs.SIGNED_OUT, stays)
        assert len(await desk.rows(Ticket)) == stays

    async def test_whoever_is_overtaken_at_the_very_end_does_not_end_it(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(2)))
        turn = await importing.turn(number)

        async def run(work: Any, *, repeatable: bool = False) -> Any:
            result = await desk.database.run(work, repeatable=repeatable)
            await desk.set(TicketImport, number, claim="another")
            return result

        with pytest.raises(Conflict, match="Somebody else"):
            await runs.conduct(run, desk.cast.sue, importing.store, turn, Watch())
        assert (await importing.stored(number)).state is ImportState.RUNNING

    async def test_only_those_who_may_import(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(MIXED))
        turn = await importing.turn(number)
        with pytest.raises(PermissionDenied):
            await runs.conduct(desk.database.run, desk.cast.sam, importing.store, turn, Watch())


class TestAllOrNothing:
    async def test_all(self, desk: Desk, importing: Importing) -> None:
        found = await importing.ran(await importing.mapped(csv_bytes([*rows(5), row(Id="2")])), ALL)
        assert (found.state, counts(found), importing.files()) == (ImportState.FINISHED, (6, 5, 1, 0, 5), [])
        assert len([entry for entry in await desk.rows(AuditLog) if entry.action is AuditAction.IMPORT]) == 1

    async def test_nothing_and_every_bad_row_is_told(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes([row(Id="0", State="Frozen"), *MIXED]))
        found = await importing.ran(number, ALL)
        assert (found.state, counts(found)) == (ImportState.REFUSED, (9, 6, 1, 2, 5))
        assert (await desk.rows(Ticket), await desk.rows(AuditLog)) == ([], [])
        assert [bad.line for bad in await desk.rows(ImportRejection)] == [2, 9]

    async def test_bad_rows_that_become_good_meanwhile(
        self, importing: Importing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refuse(*args: Any) -> None:
            return None

        monkeypatch.setattr(running, "import_at_once", refuse)
        found = await importing.ran(await importing.mapped(csv_bytes(rows(3))), ALL)
        assert found.state is ImportState.CHECKED

    async def test_one_that_is_left_wrote_nothing_and_starts_anew(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(5)))
        with pytest.raises(Conflict):
            await importing.conduct(await importing.turn(number, ALL), Watch(patience=2))
        assert (await importing.stored(number)).state is ImportState.UNFINISHED
        assert await desk.rows(Ticket) == []
        assert counts(await importing.ran(number, ALL)) == (5, 5, 0, 0, 5)

    async def test_only_those_who_may_import(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(1)))
        await desk.refusal(PermissionDenied, runs.start, desk.cast.sam, number, mode=ALL)


class TestStart:
    async def refused(self, desk: Desk, number: int, **options: Any) -> str:
        options = {"mode": ImportMode.GOOD_ROWS, **options}
        return str(await desk.refusal(Conflict, runs.start, desk.cast.sue, number, **options))

    async def test_what_is_not_there(self, desk: Desk) -> None:
        await desk.refusal(NotFound, runs.start, desk.cast.sue, 99, mode=ALL)

    async def test_before_the_columns_are_explained(self, desk: Desk, importing: Importing) -> None:
        found = await importing.sent(csv_bytes(rows(1)))
        assert "what the columns of this file mean" in await self.refused(desk, found.id)

    async def test_without_its_file(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(1)))
        await desk.set(TicketImport, number, storage_key="")
        assert "no longer kept" in await self.refused(desk, number)

    async def test_while_somebody_is_at_it(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(1)))
        await importing.turn(number, ALL)
        assert "Somebody is at this import" in await self.refused(desk, number)
        await desk.set(TicketImport, number, updated_at=clock.now() - timedelta(minutes=2))
        assert "Somebody is at this import" in await self.refused(desk, number), "all or nothing may be silent"
        await desk.set(TicketImport, number, updated_at=clock.now() - timedelta(hours=1))
        await importing.turn(number)

    @pytest.mark.parametrize("state", runs.ENDED)
    async def test_once_it_has_ended(self, desk: Desk, importing: Importing, state: ImportState) -> None:
        number = await importing.mapped(csv_bytes(rows(1)))
        await desk.set(TicketImport, number, state=state)
        assert "This import has ended." in await self.refused(desk, number)

    async def test_when_rows_are_in_it_can_only_be_gone_on_with(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(5)))
        with pytest.raises(Conflict):
            await importing.conduct(await importing.turn(number), Watch(patience=1))
        assert "gone on with" in await self.refused(desk, number, is_check=True)
        assert "gone on with" in await self.refused(desk, number, mode=ALL)

    async def test_a_missing_file_ends_the_run(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(1)))
        turn = await importing.turn(number)
        importing.store.remove([turn.storage_key])
        with pytest.raises(NotFound):
            await importing.conduct(turn)
        assert (await importing.stored(number)).state is ImportState.UNFINISHED
        assert uploads.AT_WORK
