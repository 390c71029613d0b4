"""Builds of the desk for fault tests: one that holds connections on request, and broken ones that must be found out."""

import asyncio

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from admin_app.app import create_app_from_environment
from admin_app.web import sign_in

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

    app.router.routes.insert(0, Route("/hold", hold))
    app.router.routes.insert(0, Route("/release", release))
    return app


def pool_page_through_the_pool() -> Starlette:
    """Broken: the pool page recognises who asks through the connections that it reports on."""
    sign_in.ASIDE_PATHS = frozenset()
    return holding()


def health_through_the_pool() -> Starlette:
    """Broken: `/health/ready` asks through the pool, and waits in its queue."""
    app = holding()
    database = app.state.database

    async def is_ready() -> bool:
        await database.read(lambda session: session.execute(text("SELECT 1")))
        return True

    database.is_ready = is_ready
    return app
