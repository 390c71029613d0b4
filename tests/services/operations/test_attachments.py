"""Files on a ticket."""

import hashlib
from io import BytesIO
from pathlib import PurePosixPath

import pytest

from admin_app.errors import Gone, InvalidInput, NotFound, TooLarge
from admin_app.models import Attachment, AuditAction, Ticket
from admin_app.permissions import Role
from admin_app.services.operations import attachments, tickets

CONTENT = b"hello, desk"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def upload(store, filename: str = "log.txt", content: bytes = CONTENT) -> dict:
    return {"filename": filename, "content": BytesIO(content), "store": store}


class TestAttach:
    async def test_stores_the_file_and_its_row(self, desk, store) -> None:
        ticket = await desk.ticket()
        made = await desk.run(attachments.attach, desk.cast.sam, ticket.id, **upload(store, r"C:\logs\log.TXT"))
        stored = await desk.stored(Attachment, made.id)
        assert (stored.filename, stored.size, stored.sha256) == ("log.TXT", len(CONTENT), DIGEST)
        assert (stored.ticket_id, stored.uploaded_by_id) == (ticket.id, desk.cast.sam.id)
        assert store.path_of(stored.storage_key).read_bytes() == CONTENT

    async def test_what_the_browser_claims_about_its_type_is_not_believed(self, desk, store) -> None:
        ticket = await desk.ticket()
        content = b"<svg onload=alert(1)>"
        made = await desk.run(attachments.attach, desk.cast.sam, ticket.id, **upload(store, "a.svg", content))
        assert made.content_type == "application/octet-stream"

    async def test_writes_one_entry_on_the_ticket_and_leaves_its_version(self, desk, store) -> None:
        ticket = await desk.ticket(owner="sid@desk.example")
        async with desk.recorded() as written:
            await desk.run(attachments.attach, desk.cast.sam, ticket.id, **upload(store))
        entry = written.entry
        assert (entry.action, entry.table_name, entry.record_id) == (AuditAction.ATTACH, "tickets", ticket.id)
        assert entry.changes == {
            "filename": [None, "log.txt"],
            "size": [None, len(CONTENT)],
            "sha256": [None, DIGEST],
        }
        assert (await desk.stored(Ticket, ticket.id)).version == 1
        assert written.told == {}

    @pytest.mark.parametrize("filename", ["a.exe", "a.EXE", "a.txt.bat", "a.js", "a.exe.", "a.exe ", "../a.sh"])
    async def test_programs_are_refused_before_anything_is_stored(self, desk, store, filename: str) -> None:
        ticket = await desk.ticket()
        error = await desk.refusal(
            InvalidInput, attachments.attach, desk.cast.sam, ticket.id, **upload(store, filename)
        )
        assert set(error.fields) == {"file"}
        assert not store.folder.exists()

    @pytest.mark.parametrize("filename", ["holiday.jpg", "notes.txt", "program"])
    async def test_a_program_under_another_name_is_refused_too(self, desk, store, filename: str) -> None:
        ticket = await desk.ticket()
        form = upload(store, filename, b"MZ\x90\x00\x03" + bytes(200))
        error = await desk.refusal(InvalidInput, attachments.attach, desk.cast.sam, ticket.id, **form)
        assert error.fields == {
            "file": "This is a program, whatever its name. Put it into an archive if it must be here."
        }
        assert not store.folder.exists()

    @pytest.mark.parametrize(
        ("filename", "content", "content_type"),
        [
            ("a.html", b"\x89PNG\r\n\x1a\n", "image/png"),
            ("a.png", b"<html>", "application/octet-stream"),
            ("a", b"just words", "text/plain"),
        ],
    )
    async def test_its_type_is_told_by_its_content(
        self, desk, store, filename: str, content: bytes, content_type: str
    ) -> None:
        ticket = await desk.ticket()
        made = await desk.run(attachments.attach, desk.cast.sam, ticket.id, **upload(store, filename, content))
        assert (made.content_type, store.path_of(made.storage_key).read_bytes()) == (content_type, content)

    @pytest.mark.parametrize("filename", ["exe", "a.exe.zip", "a.txt", "README"])
    async def test_other_names_are_taken(self, desk, store, filename: str) -> None:
        ticket = await desk.ticket()
        made = await desk.run(attachments.attach, desk.cast.sam, ticket.id, **upload(store, filename))
        assert made.filename == filename

    async def test_an_empty_file_is_refused(self, desk, store) -> None:
        ticket = await desk.ticket()
        form = upload(store, content=b"")
        error = await desk.refusal(InvalidInput, attachments.attach, desk.cast.sam, ticket.id, **form)
        assert error.fields == {"file": "This file is empty."}

    async def test_a_file_over_the_limit_is_refused_and_leaves_no_bytes(self, desk, store) -> None:
        ticket = await desk.ticket()
        form = upload(store, content=b"x" * (store.limit + 1))
        await desk.refusal(TooLarge, attachments.attach, desk.cast.sam, ticket.id, **form)
        assert list(store.folder.iterdir()) == []

    async def test_a_form_without_a_file_is_refused(self, desk, store) -> None:
        ticket = await desk.ticket()
        form = upload(store, filename="")
        error = await desk.refusal(InvalidInput, attachments.attach, desk.cast.sam, ticket.id, **form)
        assert error.fields == {"file": "Choose a file."}

    async def test_a_deleted_ticket_takes_no_files(self, desk, store) -> None:
        ticket = await desk.deleted_ticket()
        await desk.refusal(Gone, attachments.attach, desk.cast.sam, ticket.id, **upload(store))


@pytest.fixture
async def attachment(desk, store) -> Attachment:
    """A file on a live ticket."""
    ticket = await desk.ticket()
    return await desk.run(attachments.attach, desk.cast.sam, ticket.id, **upload(store))


class TestFind:
    async def test_finds_a_file_with_its_ticket(self, desk, attachment) -> None:
        found = await desk.read(attachments.find, desk.cast.sid, attachment.id)
        assert (found.storage_key, found.ticket.id) == (attachment.storage_key, attachment.ticket_id)

    async def test_one_that_went_with_its_ticket_is_gone(self, desk, attachment) -> None:
        await desk.run(tickets.delete, desk.cast.sam, attachment.ticket_id, reason="a double", version=1)
        error = await desk.refusal(Gone, attachments.find, desk.cast.ada, attachment.id)
        assert error.ticket_id == attachment.ticket_id

    async def test_a_live_one_on_a_deleted_ticket_is_gone_as_well(self, desk, attachment) -> None:
        await desk.set(Ticket, attachment.ticket_id, deleted_at=attachment.created_at)
        assert (await desk.refusal(Gone, attachments.find, desk.cast.sam, attachment.id)).ticket_id is None

    async def test_a_deleted_one_on_a_live_ticket_is_gone(self, desk, attachment) -> None:
        await desk.set(Attachment, attachment.id, deleted_at=attachment.created_at)
        error = await desk.refusal(Gone, attachments.find, desk.cast.ada, attachment.id)
        assert str(error) == "This file was deleted."

    @pytest.mark.parametrize("number", [0, -1, 999_999, 2**31, 2**70])
    async def test_a_number_that_nobody_has_is_not_found(self, desk, number: int) -> None:
        await desk.refusal(NotFound, attachments.find, desk.cast.ada, number)

    @pytest.mark.parametrize("role", [Role.CUSTOMER, Role.OPS])
    async def test_is_not_found_by_those_who_may_not_see_tickets(self, desk, attachment, role: Role) -> None:
        await desk.refusal(NotFound, attachments.find, desk.as_role(role), attachment.id)


class TestSafeName:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\system.ini", "system.ini"),
            ("/etc/cron.d/job", "job"),
            ("a\x00b.txt", "ab.txt"),
            ("line\r\nbreak\t.txt", "linebreak.txt"),
            ("gpj.exe\u202e.txt", "gpj.exe.txt"),
            (" .hidden. ", "hidden"),
            ("Grüße aus 東京.txt", "Grüße aus 東京.txt"),
            ('quote".txt', 'quote".txt'),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("lpt9 .tar.gz", "_lpt9 .tar.gz"),
            ("console.txt", "console.txt"),
            ("\u2066invoice\u2069.pdf", "invoice.pdf"),
        ],
    )
    def test_keeps_the_last_part_without_what_does_harm(self, given: str, expected: str) -> None:
        assert attachments.safe_name(given) == expected

    @pytest.mark.parametrize("given", ["", ".", "..", "../", "a/", " . ", "\x00", "\u202e", "\ud800"])
    def test_a_name_of_which_nothing_is_left_is_refused(self, given: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            attachments.safe_name(given)
        assert caught.value.fields == {"file": "Choose a file."}

    @pytest.mark.parametrize(
        "given", ["x" * 300, "x" * 300 + ".txt", "x." + "y" * 300, "x" * 200 + "." + "y" * 100, "ä" * 300 + ".pdf"]
    )
    def test_a_long_name_is_cut_to_fit_its_column(self, given: str) -> None:
        name = attachments.safe_name(given)
        assert 1 <= len(name) <= 255
        assert name.startswith(given[:100])

    def test_a_long_name_keeps_its_suffix(self) -> None:
        name = attachments.safe_name("x" * 300 + ".tar.gz")
        assert len(name) == 255
        assert PurePosixPath(name).suffix == ".gz"
