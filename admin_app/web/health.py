"""Is the process alive, and can it take requests? Without sign-in and without details."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from admin_app.services.records.workers import DRAINING
from admin_app.web.desk import desk_of

PROBES = ("/health/live", "/health/ready")
"""They say nothing that anybody could use, and load balancers ask them over plain http."""

REASONS = {
    DRAINING: "this worker finishes what it has begun, and then ends",
    "database down": "it does not answer",
    "unmigrated": "the database and this version of the desk do not belong together: migrate, or run the newer version",
    "exhausted": "every database connection of this worker is in use",
}


async def live(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("alive\n")


async def ready(request: Request) -> Response:
    """This worker takes requests and can answer them; else 503 with the reason, in one word and for people."""
    desk = desk_of(request)
    reason = DRAINING if desk.crew.is_draining else await desk.database.why_not_ready()
    if reason is None:
        return PlainTextResponse("ready\n")
    text = f"not ready: {reason} ({REASONS[reason]})\n"
    return PlainTextResponse(text, status_code=503, headers={"Retry-After": "2"})


ROUTES = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
]
