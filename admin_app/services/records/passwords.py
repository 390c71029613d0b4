"""Passwords: Argon2id, rehashed when the parameters grow, and the rules for new ones."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from admin_app.errors import InvalidInput

SHORTEST = 12
LONGEST = 200

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str, *, email: str = "") -> str:
    """The Argon2id hash of an acceptable password; `InvalidInput` at `password` otherwise."""
    if len(password) < SHORTEST:
        raise InvalidInput(password=f"A password has at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise InvalidInput(password=f"A password has at most {LONGEST} characters.")
    if email and password.strip().lower() in {email.lower(), email.split("@")[0].lower()}:
        raise InvalidInput(password="Choose a password that is not your address.")  # noqa: S106 - a sentence
    return _hasher.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Whether the password belongs to the hash; as slow for people who have none, so that time tells nothing."""
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)
