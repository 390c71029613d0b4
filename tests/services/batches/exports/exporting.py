"""Exports as tests make them: asked for, taken whole, looked at."""

import csv
import io
from contextlib import aclosing
from typing import Any

from admin_app.actor import Actor
from admin_app.models import ExportFormat, TicketExport
from admin_app.services.batches.exports import requests
from admin_app.services.batches.exports.pages import Listed
from admin_app.services.batches.exports.running import Export
from admin_app.services.pages.ticket_list import TicketFilter
from tests.services.scenes import Desk

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''@x", "＝1", "'plain'", 'say "hi"']


async def asked(desk: Desk, actor: Actor | None = None, file_format: ExportFormat = ExportFormat.CSV) -> TicketExport:
    """An export of everything that Sue, or somebody else, has asked for."""
    export: TicketExport = await desk.run(requests.ask, actor or desk.cast.sue, Listed(), file_format)
    return export


async def exported(
    desk: Desk, file_format: ExportFormat = ExportFormat.CSV, listed: Listed | None = None, actor: Actor | None = None
) -> bytes:
    """The bytes of a whole export."""
    actor = actor or desk.cast.sue
    wanted = listed or Listed()
    request = await desk.run(requests.ask, actor, wanted, file_format)
    async with aclosing(Export(desk.database, actor, request.id, wanted).chunks(file_format)) as chunks:
        return b"".join([chunk async for chunk in chunks])


def lines_of(content: bytes) -> list[dict[str, str]]:
    """Rows of a CSV file by heading."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))


async def numbers(desk: Desk, *, sort: str = "ticket_number", descending: bool = False, **wanted: Any) -> list[str]:
    """The ticket numbers of an export, in its order."""
    content = await exported(desk, listed=Listed(TicketFilter(**wanted), sort, descending))
    return [line["Number"] for line in lines_of(content)]
