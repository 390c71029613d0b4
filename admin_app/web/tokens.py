"""What the desk signs: form tokens bound to a sign-in, and one-time messages."""

import hashlib
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import want_bytes


class Tokens:
    """Signatures made with the newest secret key; each use has a salt of its own."""

    def __init__(self, *secret_keys: str) -> None:
        """The newest first; what the others have signed is still accepted."""
        oldest_first = list(reversed(secret_keys))
        how: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha256}  # its defaults are weaker
        self._forms = Signer(oldest_first, salt="desk.form", **how)
        self._messages = URLSafeSerializer(oldest_first, salt="desk.message", signer_kwargs=how)
        self._devices = URLSafeTimedSerializer(oldest_first, salt="desk.device", signer_kwargs=how)

    def form_token(self, session_token: str) -> str:
        """The token that forms of this sign-in carry; useless for any other sign-in."""
        return self._forms.get_signature(session_token).decode()

    def is_form_token(self, session_token: str, token: str) -> bool:
        """Whether a form carried the token of this sign-in; compared in constant time."""
        try:
            return self._forms.verify_signature(want_bytes(session_token), want_bytes(token))
        except UnicodeEncodeError:
            return False

    def pack_message(self, code: str, label: str) -> str:
        """A message for the next page, as a cookie value."""
        return str(self._messages.dumps([code, label]))

    def unpack_message(self, packed: str) -> tuple[str, str] | None:
        """The message in a cookie; None when it is not one of ours."""
        try:
            code, label = self._messages.loads(packed)
        except (BadData, ValueError, TypeError):
            return None
        return str(code), str(label)

    def pack_device(self, account: str, device: str) -> str:
        """The mark of a browser that was let into an account, as a cookie value."""
        return str(self._devices.dumps([account, device]))

    def unpack_device(self, packed: str, *, max_age: int) -> tuple[str, str] | None:
        """Account and device in a cookie; None when it is not one of ours, or too old."""
        try:
            account, device = self._devices.loads(packed, max_age=max_age)
        except (BadData, ValueError, TypeError):
            return None
        return str(account), str(device)
