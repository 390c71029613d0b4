"""The secret keys at work: the newest makes, all of them are accepted, and no two purposes share a key."""

import hmac
from collections.abc import Sequence


def derived(secret_keys: Sequence[str], purpose: str) -> list[bytes]:
    """A 32-byte key for this purpose from each secret key, in their order: the newest first.

    HMAC-SHA256 as a pseudo-random function (NIST SP 800-108), so that a key for one purpose tells nothing of another.
    """
    return [hmac.digest(secret.encode(), f"desk.{purpose}".encode(), "sha256") for secret in secret_keys]
