"""What the provider publishes about itself: where to go, and the keys that it signs with. Kept for a while."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import anyio
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, KeySet, RSAKey

from admin_app import clock
from admin_app.web.single_sign_on.fetching import Asking, ProviderDown

T = TypeVar("T")

KEPT_FOR = timedelta(hours=1)
PAUSE = timedelta(seconds=10)
"""Between two questions after the same thing, however many people come with what asks for it."""
MOST_KEYS = 50
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Kept(Generic[T]):
    """Something fetched that is remembered; so is, for a moment, that it could not be fetched."""

    def __init__(self, fetch: Callable[[], Awaitable[T]]) -> None:
        self._fetch = fetch
        self._lock = anyio.Lock()
        self._value: T | None = None
        self._error: ProviderDown | None = None
        self._asked_at: datetime | None = None

    async def get(self) -> T:
        """What is remembered, or fetched when it is too old."""
        return await self._within(KEPT_FOR)

    async def renewed(self) -> T:
        """Fetched again, unless that was done just now."""
        return await self._within(PAUSE)

    async def _within(self, age: timedelta) -> T:
        async with self._lock:  # those who wait find what the first of them fetched
            if self._value is not None and self._is_younger_than(age):
                return self._value
            if self._error is not None and self._is_younger_than(PAUSE):
                raise ProviderDown(self._error.why)
            self._value = self._error = None
            self._asked_at = clock.now()
            try:
                self._value = await self._fetch()
            except ProviderDown as error:
                self._error = error
                raise
            return self._value

    def _is_younger_than(self, age: timedelta) -> bool:
        return self._asked_at is not None and clock.now() < self._asked_at + age


@dataclass(frozen=True)
class Discovery:
    """What the protocol needs of OpenID Connect Discovery 1.0, section 3."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    takes_basic: bool
    """whether the client proves itself in the Authorization header, as is usual"""
    names_issuer: bool
    """whether every answer in the browser names its issuer (RFC 9207)"""


class Documents:
    """The two documents of one issuer."""

    def __init__(self, issuer: str, asking: Asking) -> None:
        self._issuer = issuer
        self._asking = asking
        self._discovery = Kept(self._fetch_discovery)
        self._keys = Kept(self._fetch_keys)

    async def discovery(self) -> Discovery:
        """Where to go."""
        return await self._discovery.get()

    async def keys(self, *, anew: bool = False) -> KeySet:
        """The keys; `anew` when a token names one that is not among them."""
        return await (self._keys.renewed() if anew else self._keys.get())

    async def _fetch_discovery(self) -> Discovery:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        status, found = await self._asking.json("GET", url)
        if status != 200 or found.get("issuer") != self._issuer:
            raise ProviderDown("another issuer's document")
        if "S256" not in (found.get("code_challenge_methods_supported") or ["S256"]):
            raise ProviderDown("no PKCE with S256")
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Discovery(
            authorization_endpoint=self._address(found, "authorization_endpoint"),
            token_endpoint=self._address(found, "token_endpoint"),
            jwks_uri=self._address(found, "jwks_uri"),
            takes_basic="client_secret_basic" in methods,
            names_issuer=found.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, found: dict[str, Any], name: str) -> str:
        address = found.get(name)
        if not isinstance(address, str) or not is_safe_address(address):
            raise ProviderDown(f"no safe {name}")
        return address

    async def _fetch_keys(self) -> KeySet:
        status, found = await self._asking.json("GET", (await self.discovery()).jwks_uri)
        listed = found.get("keys")
        if status != 200 or not isinstance(listed, list):
            raise ProviderDown("no keys")
        return KeySet([key for key in map(_signing_key, listed[:MOST_KEYS]) if key is not None])


def is_safe_address(address: str) -> bool:
    """Over https, or to this very machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or is_local) and not parts.fragment


def _signing_key(listed: Any) -> RSAKey | ECKey | None:
    """A public key for signatures; symmetric ones, those for other uses and broken ones count as absent."""
    if not isinstance(listed, dict) or listed.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(listed)
    except (JoseError, ValueError, TypeError):
        return None
    return key if isinstance(key, RSAKey | ECKey) else None
