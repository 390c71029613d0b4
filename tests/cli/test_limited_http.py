"""The head of a request has an end: in time and in size. Over real sockets, with the server in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from admin_app.cli import limited_http
from admin_app.cli.limited_http import LARGEST_HEAD, LimitedHttp
from tests.support.waiting import until
from tests.web.headers import faults_in

Ask = Callable[..., Awaitable[bytes]]
GOOD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads the whole body and says how long it was."""
    size, more = 0, True
    if scope["path"] == "/slow":
        await asyncio.sleep(0.6)
    while more and scope["path"] != "/refused":
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = f"read {size}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def protocol() -> Any:
    """What the server speaks."""
    return LimitedHttp


@pytest.fixture
async def port(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Where a server listens that waits no longer than 0.3 s for a head."""
    monkeypatch.setattr(limited_http, "HEAD_SECONDS", 0.3)
    config = uvicorn.Config(
        app, port=0, http=protocol, lifespan="off", log_config=None, server_header=False, timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started, "the server listens")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


@pytest.fixture
def ask(port: int) -> Ask:
    """`await ask(b"…", b"…")` sends the pieces with a pause between them; what came until the line was closed."""

    async def ask(*pieces: bytes, pause: float = 0.0, patience: float = 3.0) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        except ConnectionError:
            pass
        try:
            return await asyncio.wait_for(reader.read(), patience)
        except ConnectionError:
            return b"reset"
        except TimeoutError:
            return b"still open"
        finally:
            writer.close()

    return ask


def headers_of(answer: bytes) -> dict[str, list[str]]:
    """The headers of a raw answer."""
    found: dict[str, list[str]] = {}
    for line in answer.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        found.setdefault(name.lower(), []).append(value)
    return found


CLOSE = b"Connection: close\r\n\r\n"


class TestLimitedHttp:
    async def test_an_ordinary_request_is_answered(self, ask: Ask) -> None:
        assert b"read 0" in await ask(GOOD[:-2] + CLOSE)

    async def test_one_in_pieces_too(self, ask: Ask) -> None:
        assert b"read 0" in await ask(b"GET / HT", b"TP/1.1\r\nHost: x\r\n", CLOSE, pause=0.05)

    async def test_several_on_one_line_are(self, ask: Ask) -> None:
        assert (await ask(GOOD, GOOD, GOOD[:-2] + CLOSE, pause=0.2)).count(b"read 0") == 3

    async def test_a_slow_body_is_not_this_ones_business(self, ask: Ask) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
        assert b"read 4" in await ask(head, b"a", b"b", b"c", b"d", pause=0.15)

    async def test_a_large_body_is_no_head(self, ask: Ask) -> None:
        size = 3 * LARGEST_HEAD
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
        assert b"read %d" % size in await ask(head, b"x" * size)

    async def test_a_slow_answer_is_waited_for_whatever_follows(self, ask: Ask) -> None:
        slow = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
        assert b"read 0" in await ask(slow, b"GET /half", patience=9)
        assert b"read 0" in await ask(slow[:-2] + CLOSE)

    @pytest.mark.parametrize("pieces", [[], [b"GET /"], [b"GET / HTTP/1.1\r\nHost: x\r\n"]], ids=str)
    async def test_silence_is_hung_up_on(self, ask: Ask, pieces: list[bytes]) -> None:
        assert await ask(*pieces) == b""

    async def test_so_is_a_head_that_comes_one_line_at_a_time(self, ask: Ask) -> None:
        lines = [b"X-%d: 1\r\n" % number for number in range(10)]
        assert await ask(b"GET / HTTP/1.1\r\n", *lines, pause=0.1) in {b"", b"reset"}

    async def test_so_is_a_second_head(self, ask: Ask) -> None:
        answer = await ask(GOOD, b"GET /")
        assert answer.count(b"HTTP/1.1 ") == 1

    async def test_a_refused_body_is_answered_and_then_hung_up_on(
        self, ask: Ask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limited_http, "LINGER_SECONDS", 0.3)
        head = b"POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % 10**12
        answer = await ask(head, *[b"x" * 10_000] * 10, pause=0.01, patience=0.9)
        assert b"read 0" in answer, "and not still open"

    @pytest.mark.parametrize(
        "start", [b"GET / HTTP/1.1\r\nX-Long: ", b"GET /"], ids=["a header without end", "an address without end"]
    )
    async def test_a_head_without_end_is_refused_with_our_headers(self, ask: Ask, start: bytes) -> None:
        answer = await ask(start, *[b"x" * 10_000] * 8)
        assert answer.startswith(b"HTTP/1.1 431 ") or answer == b"reset"
        if answer != b"reset":
            assert faults_in(headers_of(answer)) == []

    @pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"], ids=repr)
    async def test_what_is_no_http_is_refused_with_our_headers(self, ask: Ask, noise: bytes) -> None:
        answer = await ask(noise)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert faults_in(headers_of(answer)) == []


class TestFraming:
    """Where a request ends is never a matter of opinion: what two servers could read in two ways is refused."""

    DOUBTFUL = (
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"Content-Length: +4\r\n\r\nabcd",
        b"Content-Length: 4, 4\r\n\r\nabcd",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nnothing\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"X: 1\r\n Transfer-Encoding: chunked\r\n\r\n",
    )

    @pytest.mark.parametrize("rest", DOUBTFUL, ids=repr)
    async def test_what_can_be_read_in_two_ways_is_refused_once_and_for_all(self, ask: Ask, rest: bytes) -> None:
        smuggled = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await ask(b"POST / HTTP/1.1\r\nHost: x\r\n" + rest + smuggled)
        assert answer[:13] in {b"HTTP/1.1 400 ", b""}, "refused, or hung up on in the middle of a body"
        assert answer.count(b"HTTP/1.1 ") <= 1
        assert b"read" not in answer

    async def test_chunks_alone_are_read(self, ask: Ask) -> None:
        """The negative control."""
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert b"read 4" in await ask(head + b"4\r\nabcd\r\n0\r\n\r\n")


class TestControl:
    """uvicorn's own protocol waits for ever and shows no headers of ours."""

    @pytest.fixture
    def protocol(self) -> Any:
        """Without limits."""
        return "httptools"

    async def test_silence_is_waited_for(self, ask: Ask) -> None:
        assert await ask(b"GET /", patience=0.8) == b"still open"

    async def test_a_head_without_end_is_read(self, ask: Ask) -> None:
        assert await ask(b"GET / HTTP/1.1\r\nX-Long: ", *[b"x" * 10_000] * 8, patience=0.5) == b"still open"

    async def test_whoever_sends_a_refused_body_keeps_the_line(self, ask: Ask) -> None:
        head = b"POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % 10**12
        assert await ask(head, *[b"x" * 10_000] * 10, pause=0.01, patience=0.9) == b"still open"

    async def test_its_refusals_lack_headers(self, ask: Ask) -> None:
        assert faults_in(headers_of(await ask(b"HELLO\r\n\r\n"))) != []
