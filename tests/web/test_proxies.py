"""Only trusted proxies are believed about the client, and only as far as they can know."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from admin_app.web.proxies import TrustedProxies, came_directly

PROXY, INNER_PROXY, CLIENT = "10.0.0.1", "10.0.0.2", "203.0.113.7"
NETWORKS = [ip_network("10.0.0.0/24"), ip_network("fd00::/8")]


async def seen(
    peer: tuple[str, int] | None, *headers: tuple[str, str], networks: list[Any] | None = None
) -> tuple[str | None, str]:
    """The address and the scheme that the application gets to see."""
    scopes: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "scheme": "http", "client": peer, "headers": raw}
    await TrustedProxies(app, NETWORKS if networks is None else networks)(scope, None, None)  # type: ignore[arg-type]
    client = scopes[0]["client"]
    return client and client[0], scopes[0]["scheme"]


def forwarded(text: str) -> tuple[str, str]:
    """One header line."""
    return ("X-Forwarded-For", text)


class TestClient:
    @pytest.mark.parametrize(
        ("entries", "client"),
        [
            ([CLIENT], CLIENT),
            (["1.1.1.1, " + CLIENT], CLIENT),
            (["1.1.1.1", CLIENT], CLIENT),
            ([f"1.1.1.1, {CLIENT}, {INNER_PROXY}"], CLIENT),
            ([f"{CLIENT}, {INNER_PROXY}", "10.0.0.9"], CLIENT),
            ([INNER_PROXY], INNER_PROXY),
            (["garbage"], PROXY),
            ([f"{CLIENT}, garbage"], PROXY),
            ([f"garbage, {INNER_PROXY}"], INNER_PROXY),
            ([""], PROXY),
            ([f"{CLIENT},"], PROXY),
            ([], PROXY),
            ([f"{CLIENT}:4711"], CLIENT),
            (["[2001:db8::1]:4711"], "2001:db8::1"),
            (["2001:db8::1"], "2001:db8::1"),
            ([f"::ffff:{CLIENT}"], CLIENT),
            ([f"1.1.1.1, {CLIENT}, ::ffff:{INNER_PROXY}"], CLIENT),
            ([f"{CLIENT}, fd00::1"], CLIENT),
            (["unknown"], PROXY),
            (["<script>"], PROXY),
        ],
    )
    async def test_it_is_the_rightmost_that_is_no_proxy_of_ours(self, entries: list[str], client: str) -> None:
        assert await seen((PROXY, 1), *map(forwarded, entries)) == (client, "http")

    @pytest.mark.parametrize("peer", ["10.0.1.1", "127.0.0.1", "::1", CLIENT, "testclient"])
    async def test_from_anybody_else_it_is_hearsay(self, peer: str) -> None:
        assert await seen((peer, 1), forwarded("1.1.1.1"), ("X-Forwarded-Proto", "https")) == (peer, "http")

    async def test_without_trusted_networks_nobody_is_believed(self) -> None:
        assert await seen(("127.0.0.1", 1), forwarded("1.1.1.1"), networks=[]) == ("127.0.0.1", "http")

    async def test_a_socket_without_an_address_is_nobody_we_know(self) -> None:
        assert await seen(None, forwarded("1.1.1.1")) == (None, "http")

    async def test_a_proxy_in_ipv6_clothes_is_recognised(self) -> None:
        assert await seen((f"::ffff:{PROXY}", 1), forwarded(CLIENT)) == (CLIENT, "http")

    @given(
        st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60),
        st.sampled_from([CLIENT, "2001:db8::7"]),
    )
    async def test_whatever_the_client_claims_the_proxy_has_the_last_word(self, claimed: str, client: str) -> None:
        assert await seen((PROXY, 1), forwarded(claimed), forwarded(client)) == (client, "http")

    @given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60))
    async def test_it_is_always_an_address(self, claimed: str) -> None:
        found, _ = await seen((PROXY, 1), forwarded(claimed))
        assert ip_address(str(found))


class TestScheme:
    @pytest.mark.parametrize(
        ("said", "scheme"),
        [
            (["https"], "https"),
            (["HTTPS"], "https"),
            (["http"], "http"),
            (["http, https"], "https"),
            (["https", "http"], "http"),
            (["ftp"], "http"),
            (["javascript"], "http"),
            ([""], "http"),
        ],
    )
    async def test_the_nearest_proxy_says_how(self, said: list[str], scheme: str) -> None:
        assert await seen((PROXY, 1), *(("X-Forwarded-Proto", word) for word in said)) == (PROXY, scheme)


class TestByTrustedProxy:
    async def test_what_comes_through_one_says_so_and_nothing_else_does(self) -> None:
        scopes: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scopes.append(scope)

        for peer in (PROXY, CLIENT):
            scope = {"type": "http", "scheme": "http", "client": (peer, 1), "headers": [], "state": {"kept": 1}}
            await TrustedProxies(app, NETWORKS)(scope, None, None)  # type: ignore[arg-type]
        assert [scope["state"] for scope in scopes] == [{"kept": 1, "by_trusted_proxy": True}, {"kept": 1}]


class TestCameDirectly:
    @pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Proto"])
    def test_any_word_of_a_proxy_counts(self, name: str) -> None:
        assert not came_directly(Headers({name: "127.0.0.1"}))

    def test_without_one_it_did(self) -> None:
        assert came_directly(Headers({"Host": "127.0.0.1"}))
