"""One ticket as one line: what no spreadsheet runs, and what comes back as it was."""

import json
from datetime import UTC, datetime
from pathlib import Path

from admin_app.models import Channel, ExportFormat, Priority, Status, Tag, Ticket, ticket_tags
from admin_app.services.batches import formula_safety
from admin_app.services.batches.csv_import import mapping
from admin_app.services.operations import following
from tests.services.batches.csv_files import import_bytes
from tests.services.batches.exports.exporting import DANGEROUS, exported, lines_of
from tests.services.scenes import Desk

MAPPING = Path(__file__).resolve().parents[4] / "config" / "import-desk-export.toml"


class TestCsvLine:
    async def test_no_cell_is_a_formula_and_an_import_gives_the_original_back(self, desk: Desk) -> None:
        for text in DANGEROUS:
            ticket = await desk.ticket()
            await desk.set(Ticket, ticket.id, title=text, description=text, category=text, resolution=text)
        content = await exported(desk)
        lines = lines_of(content)
        assert [cell for line in lines for cell in line.values() if cell.startswith(tuple(formula_safety.STARTS))] == []
        by_hand = [formula_safety.defused(text) for text in DANGEROUS]
        for heading in ("Title", "Description", "Category", "Resolution"):
            assert [line[heading] for line in lines] == by_hand, "the database defuses as the program does"
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
        await import_bytes(desk, await exported(desk), by=mapping.load(MAPPING))
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


class TestJsonLine:
    async def test_texts_are_as_they_are_stored_and_nothing_is_null(self, desk: Desk) -> None:
        await desk.ticket(title='=1+1 "quoted"\u2028 ünïcode', description="two\nlines")
        [line] = (await exported(desk, ExportFormat.JSONL)).decode().removesuffix("\n").split("\n")
        row = json.loads(line)
        assert (row["Title"], row["Description"]) == ('=1+1 "quoted"\u2028 ünïcode', "two\nlines")
        assert (row["Owner"], row["Tags"], row["Priority"]) == (None, None, "Medium")
