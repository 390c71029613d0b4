"""Many people at once on a real server, without the cost of a browser."""

import asyncio
import itertools
import secrets
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
from sqlalchemy import update

from admin_app import clock
from admin_app.db.database import Database
from admin_app.models import User, UserSession
from admin_app.services.operations.sign_in import hash_of
from admin_app.web.tokens import Tokens
from tests.flows.serving import SECRET_KEY, Server


class Poster:
    """Somebody signed in, with a connection of their own to one server."""

    def __init__(self, server: Server, token: str, timeout: float) -> None:
        self.client = httpx.AsyncClient(
            base_url=server.url, timeout=timeout, cookies={"desk_session": token}, headers={"Origin": server.url}
        )
        self._form_token = Tokens(SECRET_KEY).form_token(token)

    async def comment(self, ticket_id: int, body: str) -> int:
        """The status that a comment was answered with."""
        return (await self.send_comment(ticket_id, body)).status_code

    async def send_comment(self, ticket_id: int, body: str) -> httpx.Response:
        """The whole answer to a comment."""
        form = {"form_token": self._form_token, "idempotency_key": uuid.uuid4().hex, "body": body}
        return await self.client.post(f"/admin/ticket/comment/{ticket_id}", data=form)

    async def look(self, path: str) -> httpx.Response:
        """A page."""
        return await self.client.get(path)


async def signed_in(database: Database, server: Server, user_id: int, *, timeout: float = 30.0) -> Poster:
    """A poster with a session of this person."""
    token, now = secrets.token_urlsafe(32), clock.now()

    async def add(session) -> None:
        may_sign_in = update(User).where(User.id == user_id).values(password_hash="set")
        await session.execute(may_sign_in)
        session.add(
            UserSession(
                token_hash=hash_of(token), user_id=user_id, last_seen_at=now, expires_at=now + timedelta(hours=12)
            )
        )

    await database.run(add)
    return Poster(server, token, timeout)


@asynccontextmanager
async def several(database: Database, server: Server, user_id: int, number: int) -> AsyncIterator[list[Poster]]:
    """Posters who leave when the block ends."""
    posters = [await signed_in(database, server, user_id) for _ in range(number)]
    yield posters
    for poster in posters:
        await poster.client.aclose()


class Storm:
    """Every poster comments without a pause until told to stop; remembers what was answered."""

    def __init__(self, posters: list[Poster], ticket_id: int) -> None:
        self.acked: list[str] = []
        self.statuses: Counter[int] = Counter()
        self._is_over = asyncio.Event()
        self._writers = [
            asyncio.create_task(self._write(poster, number, ticket_id)) for number, poster in enumerate(posters)
        ]

    async def stop(self) -> None:
        """Let everybody finish what they have begun."""
        self._is_over.set()
        await asyncio.gather(*self._writers)

    async def seconds_until_acked(self, patience: float) -> float:
        """How long it takes until one more comment is acknowledged."""
        started, before = time.monotonic(), len(self.acked)
        while len(self.acked) == before and time.monotonic() - started < patience:
            await asyncio.sleep(0.02)
        return time.monotonic() - started

    async def _write(self, poster: Poster, number: int, ticket_id: int) -> None:
        for turn in itertools.count():
            if self._is_over.is_set():
                return
            body = f"{number}/{turn}"
            status = await poster.comment(ticket_id, body)
            self.statuses[status] += 1
            if status == 303:
                self.acked.append(body)
            else:
                await asyncio.sleep(0.05)
