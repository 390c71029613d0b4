"""Who is using a database connection right now: the note a request leaves before it asks for one.

The database floor writes on it what the request cost there, for whoever left it to read at the end.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Holder:
    """The request (or command) behind a connection; the actor is filled in once known."""

    route: str
    actor: str = "not signed in"
    request_id: str = ""
    written: int = 0
    """Where the database's log was when the last change from the same browser was in; 0 when that does not matter."""
    statements: int = field(default=0, compare=False)
    statement_seconds: float = field(default=0.0, compare=False)
    waited_seconds: float = field(default=0.0, compare=False)
    """For connections."""
    retries: int = field(default=0, compare=False)


current_holder: ContextVar[Holder] = ContextVar("current_holder", default=Holder("background"))  # noqa: B039
