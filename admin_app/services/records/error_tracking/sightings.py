"""What is noted of a failure: a reference for the person, the rest for us, and no value that anybody typed."""

import hashlib
import re
import secrets
import traceback
from dataclasses import dataclass
from datetime import datetime

from admin_app import clock

LONGEST_KIND = 100
LONGEST_MESSAGE = 500
LONGEST_PATH = 300
SECRETS = re.compile(r"(?i)(password|secret|token|authorization|cookie)\S*\s*[=:].*")
ADDRESSES = re.compile(r"[^\s/]+@[^\s/]+")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\d{4,}|\S+@\S+")
SECOND_FACTORS = re.compile(
    r"otpauth:\S*|\b[A-Z2-7]{32}\b|\b\w{4}(?:-\w{4}){3,}\b|\b\d{3} \d{3}\b|(?<![\w-])[\w-]{60,}={0,2}"
)
"""The address in a QR code, a key, a recovery code, six digits in two groups, a sealed secret."""


@dataclass(frozen=True)
class Sighting:
    """One failure, as it may be stored and shown."""

    reference: str
    kind: str
    fingerprint: str
    message: str
    path: str
    actor_id: int | None
    occurred_at: datetime
    request_id: str | None = None


def new_reference() -> str:
    """Eight characters that a person can read out."""
    return secrets.token_hex(4)


def note(
    error: BaseException, *, reference: str, path: str, actor_id: int | None, request_id: str | None = None
) -> Sighting:
    """What to keep of an error that happened just now."""
    return Sighting(
        reference=reference,
        kind=_storable(type(error).__name__)[:LONGEST_KIND],
        fingerprint=fingerprint(error),
        message=scrubbed(_text_of(error)),
        path=ADDRESSES.sub("…", _storable(path))[:LONGEST_PATH],
        actor_id=actor_id,
        occurred_at=clock.now(),
        request_id=request_id,
    )


def fingerprint(error: BaseException) -> str:
    """The same for the same kind of error at the same place in the code."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    place = "|".join(f"{frame.filename.rsplit('/', 2)[-1]}:{frame.name}" for frame in frames)
    return hashlib.sha256(f"{type(error).__qualname__}|{place}".encode(errors="replace")).hexdigest()


def scrubbed(message: str) -> str:
    """The first line without quoted values, long numbers, addresses and whatever follows the name of a secret."""
    first_line = next(iter(_storable(message).splitlines()), "")
    return QUOTED.sub("…", SECOND_FACTORS.sub("…", SECRETS.sub(r"\1=…", first_line)))[:LONGEST_MESSAGE]


def _text_of(error: BaseException) -> str:
    """An error whose text cannot be made is still an error."""
    try:
        return str(error)
    except Exception:
        return "an error without a text"


def _storable(text: str) -> str:
    """Without NULs and half characters: a report must never fail for one in an address that somebody made up."""
    return text.replace("\x00", "").encode(errors="replace").decode()
