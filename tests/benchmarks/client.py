"""A browser that costs next to nothing: HTTP/1.1 over one kept connection, without a library in between."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass
class Client:
    """One connection with its cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, *, accept: str = "gzip") -> Answer:
        """Fetch a page."""
        return await self._send(f"GET {path} HTTP/1.1\r\nAccept-Encoding: {accept}\r\n", b"")

    async def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """Send a form."""
        body = urlencode(form).encode()
        kind = "Content-Type: application/x-www-form-urlencoded"
        origin = f"Origin: http://127.0.0.1:{self.port}"
        head = f"POST {path} HTTP/1.1\r\n{kind}\r\nContent-Length: {len(body)}\r\n{origin}\r\nAccept-Encoding: gzip\r\n"
        return await self._send(head, body)

    async def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()
        self._reader = self._writer = None

    async def _send(self, head: str, body: bytes) -> Answer:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**26)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        started = time.perf_counter()
        self._writer.write(f"{head}Host: 127.0.0.1:{self.port}\r\nCookie: {cookies}\r\n\r\n".encode() + body)
        answer = await self._receive(started)
        self.cookies.update(answer.cookies)
        if answer.headers.get("connection") == "close":
            await self.close()
        return answer

    async def _receive(self, started: float) -> Answer:
        assert self._reader is not None
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        headers = dict(pairs)
        kept = [value.partition(";")[0].partition("=") for name, value in pairs if name == "set-cookie"]
        assert "content-length" in headers or int(first.split()[1]) in {204, 304}, f"no length: {first} {headers}"
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        cookies = {name: value for name, _, value in kept}
        return Answer(int(first.split()[1]), headers, cookies, body, time.perf_counter() - started)
