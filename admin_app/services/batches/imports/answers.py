"""A mapping as the answers of a form, and back."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from admin_app.errors import InvalidInput
from admin_app.models.ticket import Channel, Priority, Status
from admin_app.services.batches.csv_import import mapping as mappings
from admin_app.services.batches.csv_import.mapping import ImportMapping, folded

V = TypeVar("V")

Answers = dict[str, str]
"""Question → answer; `word:status:Waiting` is the desk's word for a word of the file."""

KEY, EMAIL, NAME = "external_key", "email", "full_name"
SINGLE = (
    "title",
    "description",
    "category",
    "status",
    "priority",
    "channel",
    "resolution",
    "owner",
    "first_response_at",
    "resolved_at",
    "closed_at",
    "due_at",
)
SEVERAL = ("created_at", "tags")
COLUMNS_EACH = 2
"""A form offers so many columns for a question that may have several."""
MOST_EACH = 9
CHOICES: Mapping[str, Sequence[str]] = {
    "status": [status.value for status in Status],
    "priority": [priority.name.lower() for priority in Priority],
    "channel": [channel.value for channel in Channel],
}
SEPARATOR = "|"
"""Between the ways in which a file writes times."""
NOTHING = "This names no column. Say at least which one holds the title and which one the customer’s e-mail address."


def word_question(field: str, word: str) -> str:
    """The question what a word of the file means."""
    return f"word:{field}:{word}"


def numbered(field: str, number: int) -> str:
    """The question for the first, second … column of a field that may have several."""
    return field if number == 1 else f"{field}_{number}"


def answers_of(mapping: ImportMapping) -> Answers:
    """The answers that lead to this mapping."""
    rules, defaults = mapping.columns, mapping.defaults
    found = {name: getattr(rules, name) or "" for name in SINGLE}
    for name in SEVERAL:
        for number, column in enumerate(getattr(rules, name)[:MOST_EACH], start=1):
            found[numbered(name, number)] = column
    if mapping.external_key is not None:
        found |= {KEY: mapping.external_key.column, "key_prefix": mapping.external_key.prefix}
    found |= {EMAIL: mapping.customer.email, NAME: mapping.customer.name or ""}
    found |= {f"default_{name}": _said(getattr(defaults, name)) for name in CHOICES}
    for name in CHOICES:
        words: Mapping[str, Any] = getattr(mapping.values, name)
        found |= {word_question(name, word): _said(value) for word, value in words.items()}
    return found | {"date_format": SEPARATOR.join(mapping.date_formats), "timezone": mapping.timezone}


def mapping_of(answers: Mapping[str, str], header: Sequence[str], *, name: str) -> ImportMapping:
    """The mapping that these answers describe, over the columns of a file.

    `InvalidInput` at `title` or `email` when no column is named for them, at `form` when none is named at all, at
    `mapping` when an answer is none of those on offer, at `file` when a column is not in the file.
    """
    given = {question: answer for question, answer in answers.items() if answer}
    columns: dict[str, Any] = {field: given[field] for field in SINGLE if field in given}
    for field in SEVERAL:
        columns[field] = [given[q] for n in range(1, MOST_EACH + 1) if (q := numbered(field, n)) in given]
    _need_columns(given, columns)
    values: dict[str, Any] = {
        "name": name[:100],
        "customer": {"email": given[EMAIL], "name": given.get(NAME)},
        "columns": columns,
        "values": {field: _words(given, field) for field in CHOICES},
        "defaults": {field: given[f"default_{field}"] for field in CHOICES if f"default_{field}" in given},
        "date_formats": given.get("date_format", "iso").split(SEPARATOR),
        "timezone": given.get("timezone", "UTC"),
    }
    if KEY in given:
        values["external_key"] = {"column": given[KEY], "prefix": given.get("key_prefix", "")}
    mapping = mappings.parse(values, name=name)
    mappings.check(mapping, header)
    return mapping


def looked_up(words: Mapping[str, V], word: str) -> V | None:
    """What is said of a word, however it is written."""
    return next((value for known, value in words.items() if folded(known) == folded(word)), None)


def _need_columns(given: Mapping[str, str], columns: Mapping[str, Any]) -> None:
    if not any((KEY in given, EMAIL in given, NAME in given, *columns.values())):
        raise InvalidInput(form=NOTHING)
    missing = {
        "title": "Choose the column that holds the title." if "title" not in columns else "",
        EMAIL: "Choose the column that holds the customer’s e-mail address." if EMAIL not in given else "",
    }
    wrong = {field: sentence for field, sentence in missing.items() if sentence}
    if wrong:
        raise InvalidInput(**wrong)


def _words(given: Mapping[str, str], field: str) -> dict[str, str]:
    start = word_question(field, "")
    return {question.removeprefix(start): answer for question, answer in given.items() if question.startswith(start)}


def _said(value: Any) -> str:
    """A choice as the form says it."""
    return value.name.lower() if isinstance(value, Priority) else str(value.value)
