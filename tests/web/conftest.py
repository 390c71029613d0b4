"""Fixtures of the browser side: an application per test, and people of the cast at their windows."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from starlette.applications import Starlette

from admin_app import clock
from admin_app.app import create_app
from admin_app.db.database import Database
from admin_app.models import User, UserSession
from admin_app.services.operations.sign_in import hash_of
from admin_app.services.records import passwords
from admin_app.services.records.file_store import FileStore
from admin_app.settings import Settings
from tests.services.scenes import Desk
from tests.support.cast import Cast
from tests.support.snapshots import Snapshots
from tests.web.browsing import ORIGIN, Visitor
from tests.web.scene import SECRET_KEY, Scene, furnish

PASSWORD = "a horse, a battery, a staple"

Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashing is slow on purpose: once per run is enough."""
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def chosen_settings() -> dict[str, Any]:
    """Settings that differ from the defaults; a class of tests may replace this."""
    return {}


@pytest.fixture
def settings(database_url: str, tmp_path: Path, chosen_settings: dict[str, Any]) -> Settings:
    """What the application of this test is started with."""
    folder = tmp_path / "files"
    needed = {"database_url": database_url, "secret_key": SECRET_KEY, "attachments_folder": folder}
    return Settings(environment="test", **{**needed, **chosen_settings})


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[Starlette]:
    """The whole application."""
    app = create_app(settings)
    yield app
    await app.state.errors.close()
    await app.state.database.dispose()


@pytest.fixture
def database(app: Starlette) -> Database:
    """The application's own database, so that its statements can be counted and its connections held."""
    database: Database = app.state.database
    return database


@pytest.fixture
async def desk(database: Database, cast: Cast, password_hash: str) -> Desk:
    """The cast, each with the same password; Mallory too, who is never let in."""
    await database.run(lambda session: session.execute(update(User).values(password_hash=password_hash)))
    return Desk(database, cast)


@pytest.fixture
def store(settings: Settings) -> FileStore:
    """Where the application keeps files."""
    return FileStore(settings.attachments_folder, settings.max_attachment_bytes)


@pytest.fixture
async def scene(desk: Desk, store: FileStore, database_url: str, snapshots: Snapshots) -> Scene:
    """A desk with a bit of everything on it."""
    made: Scene = await snapshots.scene("web", database_url, store.folder, lambda: furnish(desk, store))
    return made


@pytest.fixture
async def window(app: Starlette) -> AsyncIterator[Callable[..., Visitor]]:
    """`window()` opens one; nobody is signed in there."""
    opened: list[httpx.AsyncClient] = []

    def open_one(**options: Any) -> Visitor:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, **options)
        opened.append(httpx.AsyncClient(transport=transport, base_url=ORIGIN))
        return Visitor(opened[-1])

    yield open_one
    for client in opened:
        await client.aclose()


@pytest.fixture
def visit(desk: Desk, window: Callable[..., Visitor]) -> Visit:
    """`await visit("sam")` is a window in which Sam has signed in, without the slow check of a password."""

    async def sign_in(first_name: str, **options: Any) -> Visitor:
        token, now = secrets.token_urlsafe(32), clock.now()
        await desk.store(
            UserSession(
                token_hash=hash_of(token),
                user_id=desk.cast.users[first_name],
                last_seen_at=now,
                expires_at=now + timedelta(hours=12),
                stepped_up_at=now,
            )
        )
        visitor = window(**options)
        visitor.client.cookies.set("desk_session", token, domain="127.0.0.1")
        return visitor

    return sign_in
