"""The form that asks what the columns of a file mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.datastructures import FormData

from admin_app.errors import AppError
from admin_app.services.batches.imports import answers, guessing
from admin_app.services.batches.imports.answers import Answers
from admin_app.services.batches.imports.previews import MOST_WORDS, Preview
from admin_app.web.forms import Field, Options
from admin_app.web.words import in_words

EXAMPLE = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
LABELS: Mapping[str, str] = {
    "title": "Title",
    "description": "Description",
    "category": "Category",
    "resolution": "Resolution",
    "tags": "Tags",
    "tags_2": "More tags",
    answers.EMAIL: "Customer’s e-mail address",
    answers.NAME: "Customer’s name",
    "owner": "Owner’s e-mail address",
    "status": "Status",
    "priority": "Priority",
    "channel": "Channel",
    "created_at": "Opened",
    "created_at_2": "Opened, or earlier",
    "first_response_at": "First response",
    "resolved_at": "Resolved",
    "closed_at": "Closed",
    "due_at": "Due",
    answers.KEY: "Key of the ticket",
}
GROUPS: Sequence[tuple[str, Sequence[str]]] = (
    ("What it is about", ("title", "description", "category", "resolution", "tags", "tags_2")),
    ("Whose it is", (answers.EMAIL, answers.NAME, "owner")),
    ("Where it stands", ("status", "priority", "channel")),
    ("When", ("created_at", "created_at_2", "first_response_at", "resolved_at", "closed_at", "due_at")),
    ("Sending the file again", (answers.KEY,)),
)
REQUIRED = frozenset({"title", answers.EMAIL})
HELP: Mapping[str, str] = {
    answers.EMAIL: "Customers who are not here yet are made by their address.",
    answers.NAME: "Without one, the part of the address before the @.",
    "owner": "Rows whose owner has no account here are turned away.",
    answers.KEY: "Makes a row the same row when the file is sent again, so that nothing comes in twice.",
}


@dataclass(frozen=True)
class WordMap:
    """The words of one column, each with the desk's word for it."""

    label: str
    column: str
    rows: Sequence[tuple[str, str, str]]
    """Name of the question, word in the file, answer."""
    options: Options
    is_crowded: bool


@dataclass(frozen=True)
class MappingForm:
    """Everything that is asked on the page."""

    groups: Sequence[tuple[str, Sequence[Field]]]
    words: Sequence[WordMap]
    error: str


def mapping_form(preview: Preview, given: Mapping[str, str], error: AppError | None = None) -> MappingForm:
    """The form with these answers, and the sentences of an error at the questions that they are about."""
    wrong: Mapping[str, str] = getattr(error, "fields", {})
    asked = [
        (title, [*(_column(name, preview, given, wrong) for name in names), *_beside(title, given)])
        for title, names in GROUPS
    ]
    known = {field.name for _, fields in asked for field in fields}
    rest = " ".join(text for name, text in wrong.items() if name not in known)
    general = rest if wrong else str(error or "")
    words = [_words(field, preview, given) for field in answers.CHOICES if given.get(field) in preview.header]
    return MappingForm(asked, [found for found in words if found.rows or found.is_crowded], general)


def answers_in(form: FormData) -> Answers:
    """What somebody has answered."""
    asked = {*LABELS, "key_prefix", "date_format", "timezone", *(f"default_{name}" for name in answers.CHOICES)}
    return {
        name: value.strip()
        for name, value in form.multi_items()
        if isinstance(value, str) and (name in asked or name.startswith("word:"))
    }


def _column(name: str, preview: Preview, given: Mapping[str, str], wrong: Mapping[str, str]) -> Field:
    nothing = "Choose a column" if name in REQUIRED else "Not in this file"
    return Field(
        name,
        LABELS[name],
        kind="select",
        value=given.get(name, ""),
        error=wrong.get(name, ""),
        help=HELP.get(name, ""),
        required=name in REQUIRED,
        options=[("", nothing), *((column, column) for column in preview.header if column)],
    )


def _beside(title: str, given: Mapping[str, str]) -> list[Field]:
    """Questions that no column answers."""
    if title == "Where it stands":
        return [
            Field(
                f"default_{name}",
                f"{LABELS[name]} where the file says nothing",
                kind="select",
                value=given.get(f"default_{name}", ""),
                options=[(word, in_words(word)) for word in words],
            )
            for name, words in answers.CHOICES.items()
        ]
    if title == "When":
        return [_time_format(given), Field("timezone", "Time zone of the file", value=given.get("timezone", "UTC"))]
    if title == "Sending the file again":
        help_text = "Keeps the keys of different sources apart. Leave it as it is for later files of this source."
        return [Field("key_prefix", "In front of the key", value=given.get("key_prefix", ""), help=help_text)]
    return []


def _time_format(given: Mapping[str, str]) -> Field:
    chosen = given.get("date_format", "iso")
    patterns = list(dict.fromkeys([*guessing.DATE_FORMATS, chosen]))
    options = [(pattern, _written(pattern)) for pattern in patterns]
    return Field("date_format", "How it writes times", kind="select", value=chosen, options=options)


def _written(pattern: str) -> str:
    ways = [EXAMPLE.isoformat() if way == "iso" else EXAMPLE.strftime(way) for way in pattern.split(answers.SEPARATOR)]
    return " or ".join(ways)


def _words(field: str, preview: Preview, given: Mapping[str, str]) -> WordMap:
    column = given[field]
    start = answers.word_question(field, "")
    said = {name.removeprefix(start): answer for name, answer in given.items() if name.startswith(start)}
    in_file = preview.choices(column)
    elsewhere = [word for word in said if said[word] and answers.looked_up(dict.fromkeys(in_file, ""), word) is None]
    rows = []
    for word in [*in_file, *elsewhere][:MOST_WORDS]:
        answer = answers.looked_up(said, word)
        rows.append(
            (answers.word_question(field, word), word, guessing.meaning(field, word) if answer is None else answer)
        )
    options = [("", "Turn the row away"), *((word, in_words(word)) for word in answers.CHOICES[field])]
    return WordMap(LABELS[field], column, rows, options, column in preview.crowded)
