"""Who is using a database connection right now: the note a request leaves before it asks for one."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Holder:
    """The request (or command) behind a connection; the actor is filled in once known."""

    route: str
    actor: str = "not signed in"
    request_id: str = ""
    written: int = 0
    """Where the database's log was when the last change from the same browser was in; 0 when that does not matter."""


current_holder: ContextVar[Holder] = ContextVar("current_holder", default=Holder("background"))  # noqa: B039
