"""Builds of the desk for fault tests: one that holds connections on request, and broken ones that must be found out."""

import asyncio
import contextlib
import itertools
import os
from contextlib import AbstractAsyncContextManager
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from admin_app.app import create_app_from_environment
from admin_app.db import failures
from admin_app.db.database import Database
from admin_app.db.holders import current_holder
from admin_app.errors import AppError, Unavailable
from admin_app.services.batches.imports import runs
from admin_app.services.blocks import editing
from admin_app.web import guard, sign_in
from admin_app.web.routes import ANYONE, page

HERE = "tests.faults.builds"


def holding() -> Starlette:
    """The desk as it is, with a page that keeps a connection until somebody opens another page."""
    app = create_app_from_environment()
    let_go = asyncio.Event()

    async def hold(request: Request) -> Response:
        async with app.state.database.stream() as session:
            await session.execute(text("SELECT 1"))
            await let_go.wait()
        return PlainTextResponse("held")

    async def release(request: Request) -> Response:
        let_go.set()
        return PlainTextResponse("released")

    for path, endpoint in (("/hold", hold), ("/release", release)):
        app.state.routes.add(page(path, ANYONE))
        app.router.routes.insert(0, Route(path, endpoint))
    return app


def ops_through_the_pool() -> Starlette:
    """Broken in addition: the pool page recognises who asks through the connections that it reports on."""
    sign_in.ASIDE_PATHS = frozenset()
    return health_through_the_pool()


def health_through_the_pool() -> Starlette:
    """Broken: `/health/ready` asks through the pool, and waits in its queue."""
    app = holding()
    database = app.state.database

    async def why_not_ready() -> None:
        await database.read(lambda session: session.execute(text("SELECT 1")))

    database.why_not_ready = why_not_ready
    return app


def acknowledging_before_the_commit() -> Starlette:
    """Broken: people are told that it is saved when it is sent, and the COMMIT follows a moment later."""
    under_way: set[asyncio.Task[None]] = set()

    async def commit_later(session: AsyncSession) -> None:
        await asyncio.sleep(0.3)  # somebody is told too early at any moment
        with contextlib.suppress(Exception):
            await session.commit()
        await session.close()

    async def once(database: Database, work: Any) -> Any:
        session = database._write_sessions()
        try:
            result = await work(session)
            await session.flush()
        except Exception:
            await session.close()
            raise
        task = asyncio.create_task(commit_later(session))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return result

    Database._once = once
    return create_app_from_environment()


def knowing_no_lost_connection() -> Starlette:
    """Broken: faults are told by the names that other drivers give them, so none is recognised."""

    def translate(error: BaseException) -> AppError | None:
        return Unavailable() if isinstance(error, OperationalError) else error if isinstance(error, AppError) else None

    failures.translate = translate
    failures.retry_rule = lambda error: failures.Retry.NEVER
    return create_app_from_environment()


def keeping_a_connection() -> Starlette:
    """Broken: one list of tickets in twenty is answered without giving a connection back, once."""
    kept: list[AbstractAsyncContextManager[Any]] = []
    readings = itertools.count(1)

    async def read(database: Database, opened: Any, work: Any, **options: Any) -> Any:
        reader = opened()
        result = await work(await reader.__aenter__())
        is_list = current_holder.get().route == "GET /admin/ticket/list"
        if is_list and not kept and next(readings) >= 20:
            kept.append(reader)
        else:
            await reader.__aexit__(None, None, None)
        return result

    Database._read = read
    return create_app_from_environment()


def lingering() -> Starlette:
    """The desk as it is, with a page that takes three seconds and keeps a connection for as long."""
    app = create_app_from_environment()

    async def linger(request: Request) -> Response:
        async with app.state.database.stream() as session:
            await session.execute(text("SELECT 1"))
            await asyncio.sleep(3)
        return PlainTextResponse("lingered")

    app.state.routes.add(page("/linger", ANYONE))
    app.router.routes.insert(0, Route("/linger", linger))
    return app


def saving_without_looking() -> Starlette:
    """Broken: an edit is written over whatever somebody saved meanwhile."""

    async def check_version(*arguments: Any, **options: Any) -> None:
        """All is well."""

    editing.check_version = check_version
    return create_app_from_environment()


def importing_without_counting() -> Starlette:
    """Broken: the rows of an import are committed without the counts that its page tells."""

    async def batch(*arguments: Any) -> None:
        """Later, perhaps."""

    runs._Journal.batch = batch
    return create_app_from_environment()


def reading_without_end() -> Starlette:
    """Broken: a form may be as large as it likes."""
    guard.MOST_FIELDS = 10_000_000
    os.environ["MAX_FORM_BYTES"] = str(10**12)
    return create_app_from_environment()
