"""What the desk signs: form tokens bound to a sign-in, and one-time messages."""

import hashlib
import secrets
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode, want_bytes


class Tokens:
    """Signatures made with the newest secret key; each use has a salt of its own."""

    def __init__(self, *secret_keys: str) -> None:
        """The newest first; what the others have signed is still accepted."""
        oldest_first = list(reversed(secret_keys))
        how: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha256}  # its defaults are weaker
        self._forms = Signer(oldest_first, salt="desk.form", **how)
        self._messages = URLSafeSerializer(oldest_first, salt="desk.message", signer_kwargs=how)
        self._passes = URLSafeTimedSerializer(oldest_first, salt="desk.pass", signer_kwargs=how)
        self._positions = URLSafeTimedSerializer(oldest_first, salt="desk.position", signer_kwargs=how)
        self._devices = URLSafeTimedSerializer(oldest_first, salt="desk.device", signer_kwargs=how)

    def form_token(self, session_token: str) -> str:
        """A token for the forms of this sign-in; useless for any other sign-in, and written differently every time.

        It is masked with random bytes: in a page that is compressed, a constant one could be guessed bit by bit.
        """
        signature = base64_decode(self._forms.get_signature(session_token))
        mask = secrets.token_bytes(len(signature))
        return base64_encode(mask + _masked(signature, mask)).decode()

    def is_form_token(self, session_token: str, token: str) -> bool:
        """Whether a form carried the token of this sign-in; compared in constant time."""
        try:
            both = base64_decode(token)
            half = len(both) // 2
            signature = base64_encode(_masked(both[half:], both[:half]))
            return self._forms.verify_signature(want_bytes(session_token), signature)
        except (BadData, UnicodeEncodeError):
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

    def pack_pass(self, values: list[Any]) -> str:
        """The pass of somebody whom the database has let in, as a cookie value."""
        return str(self._passes.dumps(values))

    def unpack_pass(self, packed: str, *, max_age: int) -> list[Any] | None:
        """What a pass says; None when it is not one of ours, or too old."""
        try:
            values: list[Any] = self._passes.loads(packed, max_age=max_age)
        except BadData:
            return None
        return values

    def pack_position(self, position: int) -> str:
        """Where the database's log was after somebody's change, as a cookie value."""
        return str(self._positions.dumps(position))

    def unpack_position(self, packed: str, *, max_age: int) -> int:
        """The position in a cookie; 0 when it is not one of ours, or too old."""
        try:
            return int(self._positions.loads(packed, max_age=max_age))
        except (BadData, ValueError, TypeError):
            return 0


def _masked(one: bytes, other: bytes) -> bytes:
    """One with the bits of the other turned over; doing it twice gives it back."""
    return bytes(a ^ b for a, b in zip(one, other, strict=False))
