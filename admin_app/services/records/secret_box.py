"""Secrets at rest: sealed with a key that is derived from the secret key, so that a copied database opens nothing."""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class SecretBox:
    """Seals with the newest key and opens with any (AES-256-GCM; keys by HKDF, RFC 5869).

    Each owner's key is their own: what was sealed for one person cannot be put into another one's row.
    """

    def __init__(self, *secret_keys: str) -> None:
        """The newest first."""
        self._secret_keys = secret_keys

    def seal(self, secret: str, *, owner_id: int) -> str:
        """What may be stored."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64.urlsafe_b64encode(
            nonce + self._ciphers(owner_id)[0].encrypt(nonce, secret.encode(), None)
        ).decode()

    def open(self, sealed: str, *, owner_id: int) -> str | None:
        """The secret; None when no key of this desk opens it."""
        return next(
            (found for cipher in self._ciphers(owner_id) if (found := _opened(cipher, sealed)) is not None), None
        )

    def is_sealed_with_newest(self, sealed: str, *, owner_id: int) -> bool:
        """False when an earlier key is still needed for it."""
        return _opened(self._ciphers(owner_id)[0], sealed) is not None

    def _ciphers(self, owner_id: int) -> list[AESGCM]:
        info = f"desk.second-factor.{owner_id}".encode()
        return [
            AESGCM(HKDF(SHA256(), length=32, salt=None, info=info).derive(key.encode())) for key in self._secret_keys
        ]


def _opened(cipher: AESGCM, sealed: str) -> str | None:
    try:
        whole = base64.urlsafe_b64decode(sealed)
        return cipher.decrypt(whole[:NONCE_BYTES], whole[NONCE_BYTES:], None).decode()
    except (InvalidTag, ValueError):
        return None
