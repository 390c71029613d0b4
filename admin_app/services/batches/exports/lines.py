"""One ticket as one line of a file, written by the database itself."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import func

from admin_app.db.rendering import CommaJoined, JsonList, JsonObject, constant
from admin_app.models.ticket_export import ExportFormat
from admin_app.services.batches import formula_safety
from admin_app.services.batches.exports.columns import HEADINGS, Column, Text, filled

QUOTE, TWO_QUOTES = constant('"'), constant('""')


@dataclass(frozen=True)
class FileKind:
    """How one kind of file is written."""

    format: ExportFormat
    label: str
    ending: str
    media_type: str
    line: Callable[[Mapping[str, Column]], Text]
    line_end: str = "\n"
    header: bytes = b""


def csv_line(columns: Mapping[str, Column]) -> Text:
    """RFC 4180: what people typed in quotes, defused; words and times of ours as they are."""
    return CommaJoined(*(_quoted(_defused(one)) if one.is_free else filled(one.text) for one in columns.values()))


def json_line(columns: Mapping[str, Column]) -> Text:
    """One object with the texts as they are stored: no program runs a formula. What is empty is null."""
    return JsonObject(*(part for name, one in columns.items() for part in (constant(name), one.text)))


def cells_line(columns: Mapping[str, Column]) -> Text:
    """The cells of a spreadsheet's row as a list, defused."""
    return JsonList(*map(_defused, columns.values()))


def _defused(column: Column) -> Text:
    text = filled(column.text)
    return formula_safety.defused_text(text) if column.is_free else text


def _quoted(text: Text) -> Text:
    return QUOTE + func.replace(text, QUOTE, TWO_QUOTES) + QUOTE


def _csv_header() -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(HEADINGS)
    return text.getvalue().encode()


KINDS: dict[ExportFormat, FileKind] = {
    kind.format: kind
    for kind in (
        FileKind(
            ExportFormat.CSV, "CSV", "csv", "text/csv; charset=utf-8", csv_line, line_end="\r\n", header=_csv_header()
        ),
        FileKind(ExportFormat.JSONL, "JSON lines", "jsonl", "application/x-ndjson", json_line),
        FileKind(
            ExportFormat.XLSX,
            "Spreadsheet",
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            cells_line,
        ),
    )
}
