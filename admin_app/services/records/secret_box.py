"""Secrets at rest: sealed with a key that is derived from the secret key, so that a copied database opens nothing."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SecretBox:
    """Seals with the newest key and opens with any (Fernet: AES-CBC and HMAC; keys by HKDF, RFC 5869).

    Each owner's key is their own: what was sealed for one person cannot be put into another one's row.
    """

    def __init__(self, *secret_keys: str) -> None:
        """The newest first."""
        self._secret_keys = secret_keys

    def seal(self, secret: str, *, owner_id: int) -> str:
        """What may be stored."""
        return self._fernets(owner_id)[0].encrypt(secret.encode()).decode()

    def open(self, sealed: str, *, owner_id: int) -> str | None:
        """The secret; None when no key of this desk opens it."""
        try:
            return MultiFernet(self._fernets(owner_id)).decrypt(sealed).decode()
        except InvalidToken:
            return None

    def is_sealed_with_newest(self, sealed: str, *, owner_id: int) -> bool:
        """False when an earlier key is still needed for it."""
        try:
            self._fernets(owner_id)[0].decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _fernets(self, owner_id: int) -> list[Fernet]:
        info = f"desk.second-factor.{owner_id}".encode()
        return [
            Fernet(base64.urlsafe_b64encode(HKDF(SHA256(), length=32, salt=None, info=info).derive(key.encode())))
            for key in self._secret_keys
        ]
