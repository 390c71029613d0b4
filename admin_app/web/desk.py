"""What every request carries: the desk it belongs to, and who is asking."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

import anyio
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from admin_app.actor import Actor
from admin_app.errors import AppError
from admin_app.permissions import Role
from admin_app.services.batches.exports.running import Turns
from admin_app.services.operations.lookout import Lookout
from admin_app.services.operations.sign_in import Caller, Lifetime, SignedIn
from admin_app.services.operations.sign_in_attempts import Limit
from admin_app.services.records.alarms import Alarm
from admin_app.services.records.error_tracking.sightings import Sighting
from admin_app.services.records.file_store import FileStore
from admin_app.services.records.secret_box import SecretBox
from admin_app.services.records.workers import Crew
from admin_app.web.single_sign_on.provider import Provider
from admin_app.web.tokens import Tokens

T = TypeVar("T")


class UnitsOfWork(Protocol):
    """What pages need of the database: to read, and to do one unit of work."""

    async def read(self, work: Callable[[Any], Awaitable[T]], *, aside: bool = False, may_lag: bool = False) -> T:
        """Run `work` in a read-only session; what `may_lag`, on a replica where there is one."""
        ...

    async def look_up(self, work: Callable[[Any], Awaitable[T]], *, may_lag: bool = False) -> T:
        """Read what a statement or two find, without a transaction; `may_lag` as above."""
        ...

    async def run(self, work: Callable[[Any], Awaitable[T]], *, repeatable: bool = False) -> T:
        """Run `work` in a transaction and commit it."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Any]:
        """A session to read in for long, to which nothing changes."""
        ...

    async def why_not_ready(self) -> str | None:
        """What keeps it from taking requests, None when nothing does."""
        ...


class ErrorReports(Protocol):
    """Where failures that nobody foresaw go."""

    alert_at: int
    """So many of one kind within five minutes, and somebody is told; 0: nobody ever is."""

    async def report(self, sighting: Sighting) -> bool:
        """Store it, or only count it; never fails."""
        ...


@dataclass(frozen=True)
class SecondFactorRules:
    """Who must have a second factor, how long a confirmation stays fresh, and what seals the secrets."""

    box: SecretBox
    fresh_for: timedelta
    required_for: frozenset[Role]


@dataclass(frozen=True)
class Watch:
    """What ops have to see and to hear with."""

    crew: Crew
    """This worker process among all others."""
    lookout: Lookout
    alarm: Alarm


@dataclass(frozen=True)
class Desk:
    """The parts that meet in `app.py`, handed to every request."""

    database: UnitsOfWork
    pools: Callable[[], Mapping[str, Any]]
    watch: Watch
    suspect_after: float
    """Seconds; no request holds a connection for longer, unless it lost it."""
    slow_queries: Any
    errors: ErrorReports
    store: FileStore
    imports: FileStore
    """Files that wait to be imported."""
    import_presets: Sequence[Path]
    """Mappings that the deployment brings."""
    tokens: Tokens
    lifetime: Lifetime
    sign_in_limit: Limit
    password_link_lives: timedelta
    second_factor: SecondFactorRules
    hashing: anyio.CapacityLimiter
    """How many passwords are looked at at once."""
    export_turns: Turns
    """How many exports run at once."""
    provider: Provider | None
    """Of single sign-on, where one is set up."""
    max_form_bytes: int
    body_timeout: float
    metrics_token: str

    @property
    def crew(self) -> Crew:
        """This worker process among all others."""
        return self.watch.crew


class AttachDesk:
    """Puts the desk on every request. Mounted apps share `scope["state"]`, not `app.state`."""

    def __init__(self, app: ASGIApp, desk: Desk, templates: Any) -> None:
        self.app = app
        self.desk = desk
        self.templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Attach and go on."""
        if scope["type"] == "http":
            state = scope.setdefault("state", {})
            state["desk"] = self.desk
            state["templates"] = self.templates
        await self.app(scope, receive, send)


def desk_of(request: Request) -> Desk:
    """The desk that this request belongs to."""
    desk: Desk = request.state.desk
    return desk


def form_of(request: Request) -> FormData:
    """The form that the guard has read and checked; empty for safe methods."""
    form: FormData = getattr(request.state, "form", None) or FormData()
    return form


def text_in(form: FormData, name: str) -> str:
    """A text field; files and missing fields count as empty."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def signed_in(request: Request) -> SignedIn | None:
    """Who is signed in, once the sign-in check has run."""
    found: SignedIn | None = getattr(request.state, "signed_in", None)
    return found


def must_set_up(request: Request) -> bool:
    """Whether the signed-in person's role must have a second factor that they do not have."""
    found = signed_in(request)
    return (
        found is not None
        and found.actor.role in desk_of(request).second_factor.required_for
        and not found.has_second_factor
        and not found.by_provider
    )


def actor_of(request: Request) -> Actor:
    """The signed-in person; a page that asks without a sign-in check has a bug."""
    found = signed_in(request)
    if found is None:
        raise AppError("Nobody is signed in.")
    return found.actor


def session_id_of(request: Request) -> int:
    """The sign-in that this request was sent in; 0, which no sign-in has, without one."""
    found = signed_in(request)
    return found.session_id if found is not None else 0


def caller_of(request: Request) -> Caller:
    """Where the request comes from."""
    return Caller(
        ip=request.client.host[:45] if request.client else None,
        user_agent=request.headers.get("user-agent"),
        request_id=request.state.request_id,
    )
