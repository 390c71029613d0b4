"""A file that was sent."""

import io

import pytest

from admin_app.errors import Conflict, InvalidInput, NotFound, PermissionDenied, TooLarge
from admin_app.models import ImportRejection, ImportState, TicketImport
from admin_app.services.batches.imports import uploads
from tests.services.batches.csv_files import csv_bytes, row, rows
from tests.services.batches.imports.importing import Importing
from tests.services.scenes import Desk


class TestReceive:
    def test_every_row_is_counted_and_the_bytes_are_kept(self, store) -> None:
        upload = uploads.receive(store, "folder/tickets.csv", io.BytesIO(csv_bytes(rows(3))))
        assert (upload.file_name, upload.row_count, upload.header[0]) == ("tickets.csv", 3, "Id")
        assert store.path_of(upload.stored.key).read_bytes() == csv_bytes(rows(3))

    @pytest.mark.parametrize("content", [b"", b"a,b\r\n", b"a\r\n1\r\n" + b"x" * 1_100_000])
    def test_what_cannot_be_imported_to_its_end_is_not_kept(self, store, content) -> None:
        with pytest.raises(InvalidInput):
            uploads.receive(store, "tickets.csv", io.BytesIO(content))
        assert not store.folder.exists()

    def test_a_file_needs_a_name_and_has_a_limit(self, store) -> None:
        with pytest.raises(InvalidInput):
            uploads.receive(store, "", io.BytesIO(csv_bytes(rows(1))))
        with pytest.raises(TooLarge):
            uploads.receive(store, "a.csv", io.BytesIO(csv_bytes(rows(12_000))))


class TestKeep:
    async def test_it_is_remembered(self, desk: Desk, importing: Importing) -> None:
        found = await importing.sent(csv_bytes(rows(2)))
        assert (found.state, found.row_count, found.actor_id) == (ImportState.UPLOADED, 2, desk.cast.sue.id)

    async def test_only_by_those_who_may_import(self, desk: Desk, store) -> None:
        upload = uploads.receive(store, "a.csv", io.BytesIO(csv_bytes(rows(1))))
        await desk.refusal(PermissionDenied, uploads.keep, desk.cast.sam, upload, store=store)

    async def test_bytes_that_went_with_another_import_meanwhile_are_asked_for_again(self, desk: Desk, store) -> None:
        upload = uploads.receive(store, "a.csv", io.BytesIO(csv_bytes(rows(1))))
        store.remove([upload.stored.key])
        error = await desk.refusal(Conflict, uploads.keep, desk.cast.sue, upload, store=store)
        assert "Send it once more" in str(error)

    async def test_files_of_a_day_ago_go_and_reports_of_a_week_ago(
        self, desk: Desk, importing: Importing, stopped_clock
    ) -> None:
        number = await importing.mapped(csv_bytes([row(State="Frozen")]))
        await importing.ran(number, is_check=True)
        stopped_clock.forward(hours=23)
        await importing.sent(csv_bytes(rows(2)))
        assert len(importing.files()) == 2
        stopped_clock.forward(hours=2)
        await importing.sent(csv_bytes(rows(3)))
        assert len(importing.files()) == 2
        assert (await importing.stored(number)).storage_key == ""
        assert len(await desk.rows(ImportRejection)) == 1
        stopped_clock.forward(days=7)
        await importing.sent(csv_bytes(rows(4)))
        assert await desk.rows(ImportRejection) == []

    async def test_the_same_bytes_stay_for_whom_they_are_fresh(self, importing: Importing, stopped_clock) -> None:
        old = await importing.sent(csv_bytes(rows(1)))
        stopped_clock.forward(hours=25)
        new = await importing.sent(csv_bytes(rows(1)))
        assert ((await importing.stored(old.id)).storage_key, len(importing.files())) == ("", 1)
        assert (await importing.stored(new.id)).storage_key

    async def test_a_run_that_goes_on_keeps_its_file(self, desk: Desk, importing: Importing, stopped_clock) -> None:
        old = await importing.sent(csv_bytes(rows(1)))
        stopped_clock.forward(hours=25)
        await desk.set(TicketImport, old.id, state=ImportState.RUNNING, updated_at=stopped_clock.time)
        await importing.sent(csv_bytes(rows(2)))
        assert (await importing.stored(old.id)).storage_key


class TestFind:
    @pytest.mark.parametrize("number", [0, -1, 99, 2**40])
    async def test_what_is_not_there(self, desk: Desk, number: int) -> None:
        await desk.refusal(NotFound, uploads.find, desk.cast.sue, number)

    async def test_only_by_those_who_may_import(self, desk: Desk, importing: Importing) -> None:
        found = await importing.sent(csv_bytes(rows(1)))
        assert (await desk.read(uploads.find, desk.cast.sue, found.id)).actor.full_name == "Sue Supervisor"
        await desk.refusal(PermissionDenied, uploads.find, desk.cast.sam, found.id)
