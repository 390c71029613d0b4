"""What is known of a connection in use: who took it, when, where in our code, and what was last asked over it."""

import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import CodeType, FrameType

import greenlet

from admin_app import clock
from admin_app.db.holders import Holder
from admin_app.db.statements import fingerprint_of, normalised

OWN_CODE = str(Path(__file__).parent.parent) + "/"
BELOW_SERVICES = OWN_CODE + "db/"
MOST_PLACES = 3
MOST_FRAMES = 80
LONGEST_STATEMENT = 160


@dataclass(frozen=True)
class Holding:
    """One connection in use."""

    route: str
    actor: str
    since: datetime
    seconds: float
    request_id: str = ""
    statement: str = ""
    """The last one, without a value, and cut short; empty when there was none."""
    fingerprint: str = ""
    taken_in: tuple[str, ...] = ()
    """Where in our code, the innermost place first."""


@dataclass
class Held:
    """The note behind a `Holding`: written for every connection that is taken, so it only keeps what is at hand."""

    holder: Holder
    places: tuple[tuple[CodeType, int], ...]
    statement: str = ""
    since: datetime = field(default_factory=lambda: clock.now())
    started: float = field(default_factory=lambda: time.monotonic())

    @property
    def seconds(self) -> float:
        """For how long it has been held."""
        return time.monotonic() - self.started

    def told(self) -> Holding:
        """What people may read of it."""
        text = normalised(self.statement)
        return Holding(
            route=self.holder.route,
            actor=self.holder.actor,
            since=self.since,
            seconds=self.seconds,
            request_id=self.holder.request_id,
            statement=text[:LONGEST_STATEMENT],
            fingerprint=fingerprint_of(text) if text else "",
            taken_in=tuple(_told(code, line) for code, line in self.places),
        )


def places_in_own_code() -> tuple[tuple[CodeType, int], ...]:
    """The innermost places above the database floor that led here.

    SQLAlchemy works in a greenlet of its own; the code that asked is in the stack of the greenlet above.
    """
    above = greenlet.getcurrent().parent
    frame: FrameType | None = above.gr_frame if above is not None and above.gr_frame else sys._getframe(1)
    found: list[tuple[CodeType, int]] = []
    for _ in range(MOST_FRAMES):
        if frame is None or len(found) == MOST_PLACES:
            break
        name = frame.f_code.co_filename
        is_layer = frame.f_code.co_name == "__call__"  # what every request passes says nothing about this one
        if name.startswith(OWN_CODE) and not name.startswith(BELOW_SERVICES) and not is_layer:
            found.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return tuple(found)


def _told(code: CodeType, line: int) -> str:
    return f"{code.co_filename.removeprefix(OWN_CODE)}:{line} {code.co_name}"
