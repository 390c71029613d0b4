"""Passwords: Argon2id, rehashed when the parameters grow. What a new one must be stands in `password_rules`."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

LONGEST = 256
"""Characters; nothing longer was ever stored, so what is longer is cut before it is looked at."""

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """The Argon2id hash. It asks for no rule: passwords of before a rule are hashed anew at a sign-in."""
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
