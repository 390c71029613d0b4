"""Who is using a database connection right now: the note a request leaves before it asks for one."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Holder:
    """The request (or command) behind a connection; the actor is filled in once known."""

    route: str
    actor: str = "not signed in"
    request_id: str = ""


current_holder: ContextVar[Holder] = ContextVar("current_holder", default=Holder("background"))  # noqa: B039
