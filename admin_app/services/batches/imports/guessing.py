"""What the columns of an unknown file probably mean: by their names in several spellings, and by their cells."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from admin_app.services.batches.csv_import.mapping import folded
from admin_app.services.batches.imports import answers
from admin_app.services.batches.imports.answers import Answers
from admin_app.services.batches.imports.previews import Preview

SPELLINGS: Mapping[str, Sequence[str]] = {
    answers.KEY: (
        *("external key", "ticket id", "ticket number", "ticket no", "case id", "case number", "issue key"),
        *("number", "nr", "id", "key", "reference", "ref"),
    ),
    "title": ("title", "subject", "summary", "headline", "topic", "betreff"),
    "description": ("description", "body", "message", "text", "details", "content", "question", "problem"),
    "category": ("category", "type", "kind", "group", "department", "area"),
    "status": ("status", "state"),
    "priority": ("priority", "urgency", "severity", "prio"),
    "channel": ("channel", "via", "source", "origin", "medium", "contact channel"),
    "resolution": ("resolution", "solution", "answer", "outcome", "fix"),
    answers.EMAIL: (
        *("customer email", "customer email address", "customer mail", "requester email", "contact email"),
        *("reporter email", "email address", "email", "mail", "from"),
    ),
    answers.NAME: (
        *("customer name", "requester name", "contact name", "full name", "customer", "requester", "name", "who"),
    ),
    "owner": ("owner email", "owner", "assignee email", "assignee", "assigned to", "agent email", "agent"),
    "created_at": (
        *("created at", "created", "opened at", "opened", "date created", "creation date", "received", "submitted"),
    ),
    "first_response_at": ("first response at", "first response time", "first response", "first reply", "answered"),
    "resolved_at": ("resolved at", "resolved", "resolution date", "solved at", "solved", "resolution time"),
    "closed_at": ("closed at", "closed", "date closed", "closing date", "ended"),
    "due_at": ("due at", "due", "due date", "deadline"),
    "tags": ("tags", "labels", "tag", "label", "keywords"),
}
NOISE = frozenset({"ticket", "case", "issue"})

WORDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "status": {
        "new": ("new", "created", "received", "unassigned"),
        "open": ("open", "opened", "reopened", "in progress", "active", "assigned", "working"),
        "pending": (
            "pending",
            "pending customer response",
            "waiting",
            "waiting for customer",
            "waiting on customer",
            "awaiting reply",
        ),
        "on_hold": ("on hold", "hold", "waiting for third party", "waiting on third party", "paused", "blocked"),
        "resolved": ("resolved", "solved", "done", "fixed", "complete", "completed"),
        "closed": ("closed", "finished", "archived", "cancelled"),
    },
    "priority": {
        "low": ("low", "minor", "lowest", "p4", "4 low", "trivial"),
        "medium": ("medium", "normal", "moderate", "p3", "3 moderate", "default"),
        "high": ("high", "major", "p2", "2 high", "important"),
        "critical": ("critical", "urgent", "highest", "p1", "1 critical", "blocker", "emergency"),
    },
    "channel": {
        "email": ("email", "e-mail", "mail"),
        "phone": ("phone", "telephone", "call", "voice", "phone call"),
        "chat": ("chat", "live chat", "messaging", "whatsapp"),
        "social": ("social", "social media", "twitter", "facebook", "x", "instagram"),
        "web": ("web", "website", "web form", "portal", "form", "api"),
    },
}
DATE_FORMATS = (
    "iso",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d %b %Y %H:%M",
    "%a, %d %b %Y %H:%M:%S %z",
)
"""How files write times; of those that fit, the first is taken."""


def guess(preview: Preview, *, fingerprint: str, timezone: str) -> Answers:
    """The answers that a person would probably give. What nobody can guess stays empty."""
    found = columns(preview.header)
    times = ("created_at", "first_response_at", "resolved_at", "closed_at", "due_at")
    cells = [cell for name in times if name in found for cell in preview.words[found[name]]]
    guessed: Answers = {**found, "date_format": date_format(cells), "timezone": timezone}
    if answers.KEY in found:
        guessed["key_prefix"] = f"file-{fingerprint[:8]}:"
    guessed |= {"default_status": "new", "default_priority": "medium", "default_channel": "web"}
    for field in answers.CHOICES:
        for word in preview.choices(found.get(field, "")):
            guessed[answers.word_question(field, word)] = meaning(field, word)
    return guessed


def columns(header: Iterable[str]) -> dict[str, str]:
    """Field → column. Each column serves once; better spellings come first."""
    free = {_plain(name): name for name in header if name}
    bare = {_bare(plain): name for plain, name in free.items()}
    found: dict[str, str] = {}
    for by_name in (free, bare):
        for field, spellings in SPELLINGS.items():
            column = next(
                (by_name[word] for word in spellings if by_name.get(word) not in {None, *found.values()}), None
            )
            if column is not None and field not in found:
                found[field] = column
    return found


def meaning(field: str, word: str) -> str:
    """The desk's word for a word of the file; empty when it is anybody's guess."""
    for ours, theirs in WORDS[field].items():
        if folded(word) in theirs:
            return ours
    return ""


def date_format(cells: Sequence[str]) -> str:
    """The first way of writing times in which all of these are written; the one that fits most when none fits all."""
    return max(DATE_FORMATS, key=lambda pattern: sum(_fits(cell, pattern) for cell in cells))


def _fits(cell: str, pattern: str) -> bool:
    try:
        datetime.fromisoformat(cell) if pattern == "iso" else datetime.strptime(cell, pattern)  # noqa: DTZ007
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    """A heading in lower case without punctuation; `CustomerEmail` is two words."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[\W_]+", " ", spaced).casefold().replace("e mail", "email").split())


def _bare(plain: str) -> str:
    return " ".join(word for word in plain.split() if word not in NOISE)
