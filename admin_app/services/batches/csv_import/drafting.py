"""A row of the file becomes the draft of a ticket, or is turned away with the column and the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from admin_app import clock
from admin_app.errors import InvalidInput
from admin_app.models.ticket import Status
from admin_app.services.batches import formula_safety
from admin_app.services.batches.csv_import import mapping as mapping_rules
from admin_app.services.batches.csv_import.mapping import ImportMapping, folded
from admin_app.services.batches.csv_import.reading import Row
from admin_app.services.blocks import workflow
from admin_app.services.operations import accounts
from admin_app.services.records import lookup, text_rules

E = TypeVar("E", bound=Enum)

LONGEST_KEY = 200
SHOWN_CHARACTERS = 60
WHOLE_LINE = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that is fit to be stored, people still by address."""

    row: Row
    external_key: str | None
    email: str
    full_name: str
    owner: str
    tags: tuple[str, ...]
    columns: dict[str, Any]
    """Of the ticket; what the database has to say (number, ids) is missing."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was turned away; `column` is empty when the whole line is to blame."""

    row: Row
    column: str
    reason: str


class Drafter:
    """A mapping laid over the header of one file."""

    def __init__(self, mapping: ImportMapping, header: Sequence[str]) -> None:
        """`InvalidInput` at `file` when the file lacks a column."""
        mapping_rules.check(mapping, header)
        self.mapping = mapping
        self._positions = {name: position for position, name in enumerate(header)}
        self._zone = ZoneInfo(mapping.timezone)

    def draft(self, row: Row) -> Draft | Rejection:
        """What becomes of one row; no database is asked."""
        if row.problem:
            return Rejection(row, WHOLE_LINE, row.problem)
        try:
            return self._draft(row)
        except InvalidInput as error:  # what a form would show at a field, the report shows at a column
            field, sentence = next(iter(error.fields.items()))
            return Rejection(row, self.mapping.column_of(field), sentence)

    def _draft(self, row: Row) -> Draft:
        texts = {name: self._text(row, name) for name in ("title", "description", "category", "resolution")}
        text_rules.check(texts, required=("title",))
        rules = self.mapping
        email = accounts.checked_address(self._cell(row, rules.customer.email))
        full_name = self._cell(row, rules.customer.name) or email.partition("@")[0]
        text_rules.check({"email": email, "full_name": full_name})
        columns = {**texts, "resolution": texts["resolution"] or None, **self._choices(row)}
        return Draft(
            row=row,
            external_key=self._key(row),
            email=email,
            full_name=full_name,
            owner=lookup.address_in(self._cell(row, rules.columns.owner)),
            tags=self._tags(row),
            columns={**columns, **self._times(row, columns["status"])},
        )

    def _choices(self, row: Row) -> dict[str, Any]:
        """Status, priority and channel; a status that needs a resolution gets in only with one."""
        rules, default = self.mapping.values, self.mapping.defaults
        status = self._choice(row, "status", rules.status, default.status)
        if status is not Status.NEW and workflow.find_arrow(Status.NEW, status).needs_resolution:
            self._need_resolution(row, status)
        return {
            "status": status,
            "priority": self._choice(row, "priority", rules.priority, default.priority),
            "channel": self._choice(row, "channel", rules.channel, default.channel),
        }

    def _need_resolution(self, row: Row, status: Status) -> None:
        if not self._text(row, "resolution"):
            raise InvalidInput(resolution=f"A {status.value} ticket needs a resolution; this one has none.")

    def _choice(self, row: Row, field: str, words: Mapping[str, E], default: E) -> E:
        column = getattr(self.mapping.columns, field)
        typed = self._cell(row, column)
        if not typed:
            return default
        known = {**{folded(member.name): member for member in type(default)}, **words}
        if folded(typed) not in known:
            offered = ", ".join(words or known)
            raise InvalidInput(**{field: f"{column} is “{_shown(typed)}”, which is no {field}; known are {offered}."})
        return known[folded(typed)]

    def _times(self, row: Row, status: Status) -> dict[str, datetime | None]:
        """Times as given, in whatever order; a state that implies a time gets one when the file has none."""
        rules = self.mapping.columns
        given = {
            name: self._time(row, name, getattr(rules, name))
            for name in ("first_response_at", "resolved_at", "closed_at", "due_at")
        }
        created = [self._time(row, "created_at", column) for column in rules.created_at]
        known = [moment for moment in (*created, *given.values()) if moment is not None]
        ended = given["closed_at"] or given["resolved_at"] or max(known, default=clock.now())
        is_over, is_closed = status in (Status.RESOLVED, Status.CLOSED), status is Status.CLOSED
        return {
            **given,
            "created_at": min((moment for moment in created if moment is not None), default=clock.now()),
            "resolved_at": (given["resolved_at"] or ended) if is_over else None,
            "closed_at": (given["closed_at"] or ended) if is_closed else None,
        }

    def _time(self, row: Row, field: str, column: str | None) -> datetime | None:
        text = self._cell(row, column)
        if not text:
            return None
        for pattern in self.mapping.date_formats:
            moment = _parsed(text, pattern, self._zone)
            if moment is not None:
                return moment
        raise InvalidInput(**{field: f"{column} is “{_shown(text)}”, which is no time as the mapping writes times."})

    def _key(self, row: Row) -> str | None:
        rule = self.mapping.external_key
        if rule is None:
            return None
        typed = self._cell(row, rule.column)
        if not typed or len(rule.prefix + typed) > LONGEST_KEY or "\x00" in typed:
            raise InvalidInput(external_key=f"{rule.column} must name the ticket, in at most {LONGEST_KEY} characters.")
        return rule.prefix + typed

    def _tags(self, row: Row) -> tuple[str, ...]:
        """Each tag column may hold several words, separated by commas."""
        cells = [self._cell(row, column) for column in self.mapping.columns.tags]
        words = {" ".join(word.split()).lower() for cell in cells for word in cell.split(",")} - {""}
        for word in words:
            text_rules.check({"tag": word})
        return tuple(sorted(words))

    def _text(self, row: Row, field: str) -> str:
        """A text as people typed it; one that was defused for spreadsheets is given back to the letter."""
        raw = self._raw(row, getattr(self.mapping.columns, field))
        return formula_safety.original(raw) if formula_safety.is_defused(raw) else text_rules.normalised(raw)

    def _cell(self, row: Row, column: str | None) -> str:
        return formula_safety.original(self._raw(row, column)).strip()

    def _raw(self, row: Row, column: str | None) -> str:
        return row.cells[self._positions[column]] if column else ""


def _parsed(text: str, pattern: str, zone: ZoneInfo) -> datetime | None:
    """The moment in UTC, or None when the text does not follow the pattern."""
    try:
        moment = datetime.fromisoformat(text) if pattern == "iso" else datetime.strptime(text, pattern)  # noqa: DTZ007
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
