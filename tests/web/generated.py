"""Requests nobody would think of: any address and method, odd ids, odd fields, odd headers; same seed, same list."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from admin_app.web.routes import ROWS

ODD: Sequence[str] = (
    "",
    " ",
    "0",
    "-1",
    "1",
    "2",
    "3",
    "7",
    "999999",
    "2147483648",
    "9223372036854775808",
    "1" * 60,
    "1.0",
    "1e3",
    "0x10",
    "\u0661",
    "\u00b2",
    "NaN",
    "true",
    "null",
    "all",
    "\x00",
    "a\x00b",
    "\r\nSet-Cookie: a=b",
    "' OR 1=1 --",
    '"; DROP TABLE tickets; --',
    "%",
    "_",
    "\\",
    "../../etc/passwd",
    "{{7*7}}",
    "%s%n",
    "<script>alert(1)</script>",
    "=1+1",
    "\ufeff",
    "\u202e",
    "\U0001f525" * 20,
    "e\u0301",
    "x" * 5000,
    "2026-02-30",
    "2026-11-21",
    "0000-00-00T00:00",
    "9999-12-31T23:59:59Z",
    "Europe/Berlin",
    "sue@desk.example",
    "@",
    "a@b",
    "open",
    "closed",
    "[1,2]",
    '{"a":1}',
    "action=close&ids=1&ids=2",
    "action=tag&ids=1",
    "matching=1&search=x",
)
RAW: Sequence[str] = ("%00", "%ff%fe", "%ed%a0%80", "%2e%2e%2f", "%", "%zz", "%0a", "+", "a%2Fb", ";", "//")
"""Pieces of an address that are no text, or barely."""

FIELDS: Sequence[str] = re.findall(
    r"\w+",
    """search sort sortBy status priority channel owner creator category show name term next page pageSize after before
    at count action actor record field batch ids all since until from to table mode version reason resolution title
    description body is_internal person level user_id tags new_owner role password full_name email timezone choice
    frozen typed_number selection code username confirm_code confirm_password idempotency_key form_token parent
    default_status default_priority default_channel date_format external_key key_prefix due_at password_hash id query
    format present_password password_again session_id identity_id token""",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW")
PEOPLE = ("ada",) * 6 + ("sue",) * 3 + ("sam",) * 3 + ("olaf", "nobody")
HEADERS: Sequence[Mapping[str, str]] = (
    *({},) * 40,
    {"Accept": "application/json"},
    {"Range": "bytes=5-2"},
    {"Accept-Language": "x" * 300},
    {"X-Forwarded-For": "a, b"},
    {"If-Modified-Since": "yesterday"},
    {"Cookie": "desk_session=\xe9; desk_message=x"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Content-Type": "multipart/form-data; boundary="},
    {"Content-Type": "application/json"},
    {"User-Agent": "x" * 3000},
    {"Origin": "http://[::1"},
    {"Origin": "http://[::1]:x"},
    {"Host": "127.0.0.1:99999999"},
    {"Host": "127.0.0.1@desk.example"},
    {"Accept-Encoding": "gzip;q=much, *;q=-1"},
    {"Content-Type": "application/x-www-form-urlencoded; charset=idna"},
    {"Content-Type": "multipart/form-data; boundary=b; charset=idna"},
    {"Range": "bytes=0-0,5-9,-1"},
    {"If-None-Match": '"'},
    {"Authorization": "Bearer \xff"},
)


@dataclass(frozen=True)
class Made:
    """One request, and who sends it."""

    who: str
    method: str
    path: str
    fields: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, bytes] | None = None
    has_token: bool = True


@dataclass(frozen=True)
class Known:
    """What leads somewhere: good values by field and by `pk`, and the fields of a good form by address."""

    values: Mapping[str, Sequence[str]]
    forms: Mapping[str, Mapping[str, str]]


def requests(seed: int, often: int, known: Known) -> Iterator[Made]:
    """So many of them."""
    chance = random.Random(seed)
    for _ in range(often):
        row = chance.choice(ROWS)
        method = chance.choice(METHODS) if _rarely(chance) else chance.choice(sorted(row.methods))
        may_send = method not in {"GET", "HEAD"}
        yield Made(
            who=chance.choice(PEOPLE),
            method=method,
            path=_path(chance, row.path, known.values) + _query(chance, known.values),
            fields=_fields(chance, known.forms.get(row.path, {}), known.values) if may_send else (),
            headers=chance.choice(HEADERS),
            file=(_value(chance, "filename", known.values), _content(chance)) if may_send and _rarely(chance) else None,
            has_token=chance.random() < 0.97,
        )


def _query(chance: random.Random, values: Mapping[str, Sequence[str]]) -> str:
    if chance.random() < 0.6:
        return ""
    query = [(chance.choice(FIELDS), _value(chance, "", values)) for _ in range(chance.randint(1, 4))]
    return "?" + (chance.choice(RAW) if _rarely(chance) else urlencode(query, errors="replace"))


def _fields(
    chance: random.Random, good: Mapping[str, str], values: Mapping[str, Sequence[str]]
) -> list[tuple[str, str]]:
    """A good form with some of it missing, some of it odd, and more than was asked for."""
    found = [(name, value) for name, value in {"version": "1", **good}.items() if not _rarely(chance)]
    for place, (name, _) in enumerate(found):
        if chance.random() < 0.25:
            found[place] = (name, _value(chance, name, values))
    names = [chance.choice(FIELDS) for _ in range(chance.choice((0, 0, 1, 3)))]
    return found + [(name, _value(chance, name, values)) for name in names]


def _rarely(chance: random.Random) -> bool:
    return chance.random() < 0.1


def _path(chance: random.Random, template: str, known: Mapping[str, Sequence[str]]) -> str:
    parts = [""]
    for part in template.split("/")[1:]:
        if not part.startswith("{"):
            parts.append(part if chance.random() < 0.995 else chance.choice(RAW))
        elif chance.random() < 0.6:
            parts.append(quote(chance.choice(known["pk"])))
        else:
            parts.append(chance.choice(RAW) if _rarely(chance) else quote(chance.choice(ODD), safe=""))
    return "/".join(parts)


def _value(chance: random.Random, name: str, known: Mapping[str, Sequence[str]]) -> str:
    if name in known and chance.random() < 0.6:
        return chance.choice(known[name])
    return chance.choice(ODD)


def _content(chance: random.Random) -> bytes:
    beginning = chance.choice(
        (b"", b"Subject,Mail\na,b@c.example\n", b"\xff\xfe", b'"', b"%PDF-1.4", b"PK\x03\x04", b"\x00")
    )
    return beginning + chance.randbytes(chance.randint(0, 60))
