"""Tickets as CSV: everything the list shows, nothing it hides, safe to open, and able to come back."""

import csv
import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from admin_app.actor import Actor
from admin_app.errors import PermissionDenied
from admin_app.models import AuditAction, AuditLog, Channel, Priority, Status, Tag, Ticket, ticket_tags
from admin_app.permissions import Permission, Role
from admin_app.services.batches import csv_export
from admin_app.services.batches.csv_export import Export
from admin_app.services.batches.csv_import import mapping
from admin_app.services.operations import following
from admin_app.services.pages.ticket_list import TicketFilter
from tests.services.batches.csv_files import import_bytes
from tests.services.scenes import EVERY_ROLE, Desk

MAPPING = Path(__file__).resolve().parents[3] / "config" / "import-desk-export.toml"
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''@x", "'plain'"]


async def exported(desk: Desk, wanted: TicketFilter | None = None, actor: Actor | None = None) -> tuple[Export, bytes]:
    export = Export(actor or desk.cast.sue, wanted or TicketFilter())
    chunks = [chunk async for chunk in export.chunks(desk.database.read)]
    return export, b"".join(chunks)


def lines_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


async def numbers(desk: Desk, **wanted: Any) -> list[str]:
    _, content = await exported(desk, TicketFilter(**wanted))
    return [line["Number"] for line in lines_of(content)]


class TestChunks:
    async def test_every_column_is_in_peoples_words(self, desk: Desk) -> None:
        ticket = await desk.ticket(
            title='Lamp "Aria", broken',
            description="First line\nsecond line",
            priority=Priority.CRITICAL,
            channel=Channel.SOCIAL,
            category="Lamps",
            owner="sid@desk.example",
            due_at=datetime(2031, 5, 1, 8, 30, tzinfo=UTC),
        )
        await desk.set(Ticket, ticket.id, status=Status.ON_HOLD, created_at=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
        await desk.run(following.tag, desk.cast.sam, ticket.id, names="urgent, lamps")
        _, content = await exported(desk)
        assert lines_of(content) == [
            {
                "Number": "T-000001",
                "Title": 'Lamp "Aria", broken',
                "Description": "First line\nsecond line",
                "Status": "On hold",
                "Priority": "Critical",
                "Channel": "Social",
                "Category": "Lamps",
                "Customer": "Kim Customer",
                "Customer e-mail": "kim@desk.example",
                "Owner": "Sid Staff",
                "Owner e-mail": "sid@desk.example",
                "Resolution": "",
                "Created": "2030-01-02 03:04:05+00:00",
                "First response": "",
                "Resolved": "",
                "Closed": "",
                "Due": "2031-05-01 08:30:00+00:00",
                "External key": "",
                "Tags": "lamps, urgent",
            }
        ]

    async def test_deleted_tickets_stay_out(self, desk: Desk) -> None:
        await desk.deleted_ticket()
        kept = await desk.ticket()
        assert await numbers(desk) == [kept.ticket_number]

    async def test_it_takes_the_filters_of_the_list(self, desk: Desk) -> None:
        mine = await desk.ticket(owner="sue@desk.example", title="Lamp")
        theirs = await desk.ticket(priority=Priority.HIGH, title="Kettle")
        assert await numbers(desk, owner="me") == [mine.ticket_number]
        assert await numbers(desk, priority=Priority.HIGH) == [theirs.ticket_number]
        assert await numbers(desk, search="kett") == [theirs.ticket_number]
        assert await numbers(desk, status=Status.CLOSED) == []

    async def test_page_after_page_no_row_is_lost_or_doubled(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_export, "PAGE_ROWS", 3)
        for number in range(7):
            ticket = await desk.ticket()
            await desk.run(following.tag, desk.cast.sam, ticket.id, names=f"tag{number}")
        export, content = await exported(desk)
        lines = lines_of(content)
        assert [line["Number"] for line in lines] == [f"T-00000{n}" for n in range(1, 8)]
        assert [line["Tags"] for line in lines] == [f"tag{n}" for n in range(7)]
        assert export.rows == 7

    async def test_statements_grow_with_pages_not_with_rows(
        self, desk: Desk, statement_counter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(6):
            await desk.ticket()
        with statement_counter() as counted:
            await exported(desk)
        assert counted.total == 3
        monkeypatch.setattr(csv_export, "PAGE_ROWS", 3)
        with statement_counter() as counted:
            await exported(desk)
        assert counted.total == 5

    async def test_between_pages_it_holds_no_connection(self, desk: Desk) -> None:
        await desk.ticket()
        export = Export(desk.cast.sue, TicketFilter())
        async for _ in export.chunks(desk.database.read):
            assert [pool.checkedout() for pool in desk.database.engines.pools.values()] == [0] * len(
                desk.database.engines.pools
            )

    async def test_an_empty_desk_is_a_header(self, desk: Desk) -> None:
        export, content = await exported(desk)
        assert content.decode() == ",".join(csv_export.HEADINGS) + "\r\n"
        assert export.rows == 0

    @pytest.mark.parametrize("role", sorted(EVERY_ROLE))
    async def test_only_those_who_may_export(self, desk: Desk, role: Role) -> None:
        actor = desk.as_role(role)
        if actor.can(Permission.TICKET_EXPORT):
            await exported(desk, actor=actor)
        else:
            with pytest.raises(PermissionDenied):
                Export(actor, TicketFilter())


class TestRecord:
    async def test_the_entry_has_rows_checksum_and_filter(self, desk: Desk) -> None:
        await desk.ticket(priority=Priority.HIGH)
        export, content = await exported(desk, TicketFilter(priority=Priority.HIGH, search="printer"))
        async with desk.recorded() as recorded:
            await desk.database.run(export.record)
        entry = recorded.entry
        assert (entry.action, entry.table_name, entry.actor_name) == (AuditAction.EXPORT, "tickets", "Sue Supervisor")
        assert entry.changes["rows"] == [0, 1]
        assert entry.changes["sha256"] == [None, hashlib.sha256(content).hexdigest()]
        assert entry.changes["filter"] == [None, "search=printer, priority=3"]

    async def test_without_a_filter_it_names_none(self, desk: Desk) -> None:
        export, _ = await exported(desk)
        await desk.database.run(export.record)
        assert "filter" not in (await desk.rows(AuditLog))[-1].changes


class TestRoundTrip:
    async def test_no_cell_is_a_formula_and_an_import_gives_the_original_back(self, desk: Desk) -> None:
        for text in DANGEROUS:
            ticket = await desk.ticket()
            await desk.set(Ticket, ticket.id, title=text, description=text, category=text[:100])
        _, content = await exported(desk)
        cells = [cell for line in lines_of(content) for cell in line.values()]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
        summary, rejections = await import_bytes(desk, content, by=mapping.load(MAPPING))
        assert (summary.imported, rejections) == (len(DANGEROUS), [])
        back = (await desk.rows(Ticket))[len(DANGEROUS) :]
        assert [(t.title, t.description, t.category) for t in back] == [(text, text, text) for text in DANGEROUS]

    async def test_a_ticket_comes_back_as_it_was(self, desk: Desk) -> None:
        ticket = await desk.ticket(owner="sid@desk.example", priority=Priority.LOW, channel=Channel.PHONE)
        moment = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
        ended = {"status": Status.CLOSED, "resolution": "Done.", "resolved_at": moment, "closed_at": moment}
        await desk.set(Ticket, ticket.id, created_at=moment, first_response_at=moment, **ended)
        await desk.run(following.tag, desk.cast.sam, ticket.id, names="lamps")
        _, content = await exported(desk)
        await import_bytes(desk, content, by=mapping.load(MAPPING))
        before, after = await desk.rows(Ticket)
        same = (
            "title description status priority channel category creator_id owner_id resolution created_at "
            "first_response_at resolved_at closed_at due_at"
        )
        for name in same.split():
            assert getattr(after, name) == getattr(before, name), name
        pairs = await desk.database.read(lambda session: session.execute(ticket_tags.select()))
        assert {pair.ticket_id for pair in pairs} == {before.id, after.id}
        assert [tag.name for tag in await desk.rows(Tag)] == ["lamps"]
