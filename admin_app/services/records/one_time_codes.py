"""Six digits that change every thirty seconds (TOTP, RFC 6238), and recovery codes for the day the phone is lost."""

import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp

ISSUER = "Support Desk"
STEP_SECONDS = 30
DRIFT = 1
"""Steps that a phone's clock may be off, either way."""

DIGITS = 6
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is taken for something else on paper."""
_GROUPS, _GROUP_LENGTH = 6, 4


def new_secret() -> str:
    """160 random bits in base 32."""
    return pyotp.random_base32()


def address(secret: str, email: str) -> str:
    """What the QR code says to the app on the phone."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_at(moment: datetime) -> int:
    """The number of the time step."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: str, typed: str, moment: datetime) -> int | None:
    """The time step that a code belongs to, None when it is none of those accepted now."""
    totp, now = pyotp.TOTP(secret), step_at(moment)
    return next((s for s in range(now - DRIFT, now + DRIFT + 1) if _same(totp.generate_otp(s), typed)), None)


def bare(typed: str) -> str:
    """A code as it counts: without the blanks and dashes that people copy or leave out."""
    return "".join(character for character in typed.lower() if character.isalnum())


def is_time_based(code: str) -> bool:
    """Whether a bare code looks like one from the app; everything else is tried as a recovery code."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def new_recovery_codes() -> list[str]:
    """Ten codes of 118 random bits, in groups that can be read out."""
    return ["-".join(_group() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]


def hash_of(code: str) -> str:
    """What the database keeps of a recovery code; so many random bits need no salt and no slow hash."""
    return hashlib.sha256(bare(code).encode()).hexdigest()


def _group() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(_GROUP_LENGTH))


def _same(right: str, typed: str) -> bool:
    return hmac.compare_digest(right.encode(), typed.encode())
