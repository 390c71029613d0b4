"""Reports of failures that nobody foresaw: a reference for the person, the rest for us."""

import hashlib
import re
import secrets
import traceback

from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.models.error_report import ErrorReport

LONGEST_MESSAGE = 500
SECRETS = re.compile(r"(?i)(password|secret|token|authorization|cookie)\S*\s*[=:].*")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\d{4,}|\S+@\S+")


def new_reference() -> str:
    """Eight characters that a person can read out."""
    return secrets.token_hex(4)


async def report(
    session: AsyncSession, error: BaseException, *, reference: str, path: str, actor_id: int | None
) -> ErrorReport:
    """Store a scrubbed report; the caller gives it a transaction of its own."""
    stored = ErrorReport(
        reference=reference,
        kind=type(error).__name__[:100],
        fingerprint=fingerprint(error),
        message=scrubbed(str(error)),
        path=_storable(path)[:300],
        actor_id=actor_id,
    )
    session.add(stored)
    return stored


def fingerprint(error: BaseException) -> str:
    """The same for the same kind of error at the same place in the code."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    place = "|".join(f"{frame.filename.rsplit('/', 2)[-1]}:{frame.name}" for frame in frames)
    return hashlib.sha256(f"{type(error).__qualname__}|{place}".encode()).hexdigest()


def scrubbed(message: str) -> str:
    """The first line without quoted values, long numbers, addresses and whatever follows the name of a secret."""
    first_line = next(iter(_storable(message).splitlines()), "")
    return QUOTED.sub("…", SECRETS.sub(r"\1=…", first_line))[:LONGEST_MESSAGE]


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL, and a report must never fail for one in an address that somebody made up."""
    return text.replace("\x00", "")
