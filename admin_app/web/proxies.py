"""Who is really asking, and how: what trusted proxies say of the client, and nobody else.

Pure ASGI, outermost. `X-Forwarded-For` is read from the right: each entry was added by the hop to its right, so the
first address that is no trusted proxy is the nearest one that no proxy of ours could be lied to about (RFC 7239 §8.1
says why the rest is hearsay). `X-Forwarded-Proto` counts from the nearest proxy alone.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORWARDING_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


class TrustedProxies:
    """Puts the client's own address and scheme in the place of the proxy's."""

    def __init__(self, app: ASGIApp, networks: Iterable[Network]) -> None:
        """Without networks, nobody is believed."""
        self.app = app
        self.networks = tuple(networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Correct the scope and go on."""
        peer = _parsed(scope["client"][0]) if scope["type"] == "http" and scope.get("client") else None
        if peer is not None and self._is_trusted(peer):
            headers = Headers(scope=scope)
            client = self._client(peer, _entries(headers, "x-forwarded-for"))
            schemes = _entries(headers, "x-forwarded-proto")
            scheme = schemes[-1].lower() if schemes else ""
            scope = {
                **scope,
                "state": {**scope.get("state", {}), "by_trusted_proxy": True},
                "client": (str(client), scope["client"][1] if client == peer else 0),
                "scheme": scheme if scheme in {"http", "https"} else scope["scheme"],
            }
        await self.app(scope, receive, send)

    def _client(self, peer: Address, entries: Sequence[str]) -> Address:
        """The rightmost address that is no proxy of ours; where the list stops making sense, whoever said so last."""
        client = peer
        for entry in reversed(entries):
            found = _parsed(entry)
            if found is None:
                break
            client = found
            if not self._is_trusted(found):
                break
        return client

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def came_directly(headers: Headers) -> bool:
    """Whether nothing says that a proxy was in between; a local address proves something only then."""
    return not any(name in headers for name in FORWARDING_HEADERS)


def _entries(headers: Headers, name: str) -> list[str]:
    return [entry.strip() for line in headers.getlist(name) for entry in line.split(",")]


def _parsed(text: str) -> Address | None:
    """An address with or without a port; an IPv4 address in IPv6 clothes counts as what it is."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
