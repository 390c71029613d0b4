"""One person's browser at several hosts of the same desk."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
from starlette.applications import Starlette

from admin_app import clock
from admin_app.db.database import Database
from admin_app.models import User, UserSession
from admin_app.services.operations.sign_in import hash_of
from tests.web.browsing import ORIGIN, Visitor


@asynccontextmanager
async def windows(hosts: Sequence[Starlette], database: Database, user_id: int) -> AsyncIterator[list[Visitor]]:
    """A window per host, all signed in with one session."""
    token, now = secrets.token_urlsafe(32), clock.now()

    async def sign_in(session) -> None:
        (await session.get_one(User, user_id)).password_hash = "set"
        session.add(
            UserSession(
                token_hash=hash_of(token),
                user_id=user_id,
                last_seen_at=now,
                expires_at=now + timedelta(hours=12),
                stepped_up_at=now,
            )
        )

    await database.run(sign_in)
    async with AsyncExitStack() as stack:
        opened = []
        for host in hosts:
            client = httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url=ORIGIN)
            client.cookies.set("desk_session", token, domain="127.0.0.1")
            opened.append(Visitor(await stack.enter_async_context(client)))
        yield opened
