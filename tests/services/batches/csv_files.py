"""CSV files and mappings that import tests are made of."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from admin_app.actor import Actor
from admin_app.services.batches.csv_import import mapping, running
from admin_app.services.batches.csv_import.drafting import Drafter, Rejection
from admin_app.services.batches.csv_import.mapping import ImportMapping
from admin_app.services.batches.csv_import.reading import CsvSource
from admin_app.services.batches.csv_import.running import ImportOptions, ImportSummary
from tests.services.scenes import Desk

HEADER = ("Id", "Mail", "Who", "Subject", "Text", "State", "Urgency", "Via", "Answer", "Answered", "Ended", "Labels")

GOOD = {
    "Id": "1",
    "Mail": "zoe@customer.example",
    "Who": "Zoe Zapata",
    "Subject": "Lamp flickers",
    "Text": "Since Monday.",
    "State": "Waiting",
    "Urgency": "high",
    "Via": "email",
    "Answer": "",
    "Answered": "2024-03-01 10:00",
    "Ended": "",
    "Labels": "lamps",
}

RULES: dict[str, Any] = {
    "name": "test",
    "date_formats": ["%Y-%m-%d %H:%M"],
    "external_key": {"column": "Id", "prefix": "test:"},
    "customer": {"email": "Mail", "name": "Who"},
    "columns": {
        "title": "Subject",
        "description": "Text",
        "status": "State",
        "priority": "Urgency",
        "channel": "Via",
        "resolution": "Answer",
        "first_response_at": "Answered",
        "created_at": ["Answered", "Ended"],
        "closed_at": "Ended",
        "tags": ["Labels"],
    },
    "values": {"status": {"Waiting": "pending", "Done": "closed"}},
}


def rules(**changes: Any) -> ImportMapping:
    """The usual mapping with some parts replaced."""
    return mapping.parse({**RULES, **changes}, name="test.toml")


def row(**changes: str) -> dict[str, str]:
    """A good row with some cells replaced."""
    return {**GOOD, **changes}


def rows(count: int, **changes: str) -> list[dict[str, str]]:
    """Good rows, each with an id and a customer of its own."""
    return [row(Id=str(n), Mail=f"c{n}@customer.example", **changes) for n in range(1, count + 1)]


def csv_bytes(lines: Sequence[dict[str, str]], header: Sequence[str] = HEADER, **dialect: Any) -> bytes:
    """A CSV file in UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, **dialect)
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


def source(content: bytes) -> CsvSource:
    """The opened file."""
    return CsvSource(io.BytesIO(content))


async def import_bytes(
    desk: Desk, content: bytes, *, actor: Actor | None = None, dry_run: bool = False, by: ImportMapping | None = None
) -> tuple[ImportSummary, list[Rejection]]:
    """Import a file as Sue would; the summary and the rejected rows."""
    opened = source(content)
    rejections: list[Rejection] = []
    options = ImportOptions(file_name="tickets.csv", dry_run=dry_run, on_rejection=rejections.append)
    drafter = Drafter(by or rules(), opened.header)
    summary = await running.import_file(desk.database.run, actor or desk.cast.sue, opened, drafter, options)
    return summary, rejections
