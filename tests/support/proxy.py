"""A TCP proxy in front of PostgreSQL that cuts the line before or after a COMMIT."""

import asyncio
import contextlib
from enum import Enum
from typing import Any

from sqlalchemy import make_url

COMMIT = b"COMMIT;"


class Cut(Enum):
    """When the line is cut."""

    NEVER = "never"
    BEFORE_COMMIT = "before the server hears of the COMMIT"
    AFTER_COMMIT = "after the server has committed, before the client hears of it"


class CuttingProxy:
    """Forwards bytes both ways; `arm` cuts at the next COMMIT, once."""

    def __init__(self, database_url: str) -> None:
        self._target = make_url(database_url)
        self._cut = Cut.NEVER
        self._server: asyncio.Server | None = None
        self.cuts = 0

    async def __aenter__(self) -> "CuttingProxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def database_url(self) -> str:
        """The same database, through the proxy."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        through = self._target.set(host="127.0.0.1", port=port, query={})
        return through.render_as_string(hide_password=False)

    def arm(self, cut: Cut) -> None:
        """Cut the line at the next COMMIT."""
        self._cut = cut

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = self._target.query.get("host")
        if isinstance(folder, str) and folder.startswith("/"):
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{self._target.port or 5432}")
        return await asyncio.open_connection(self._target.host or "127.0.0.1", self._target.port or 5432)

    async def _serve(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        server_in, server_out = await self._connect()
        answers = asyncio.create_task(self._pass_on(server_in, client_out))
        try:
            while data := await client_in.read(65536):
                if COMMIT in data and self._cut is not Cut.NEVER:
                    await self._cut_at(data, server_out, answers, server_in)
                    return
                server_out.write(data)
                await server_out.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            answers.cancel()
            for end in (client_out, server_out):
                end.close()

    async def _cut_at(self, data: bytes, server_out: Any, answers: asyncio.Task[None], server_in: Any) -> None:
        cut, self._cut = self._cut, Cut.NEVER
        self.cuts += 1
        answers.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answers
        if cut is Cut.AFTER_COMMIT:
            server_out.write(data)
            await server_out.drain()
            await server_in.read(65536)  # the server has answered: it is committed

    @staticmethod
    async def _pass_on(server_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await server_in.read(65536):
                client_out.write(data)
                await client_out.drain()
            client_out.close()  # the server has hung up: a client that says goodbye waits for that
