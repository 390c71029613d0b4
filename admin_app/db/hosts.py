"""Several hosts in one URL: whoever of them takes writes is the primary, today this one, after a failover that one.

asyncpg tries them in order, but within one time-out for all: a first host that is silent would leave no time for the
second. Here each has its share, and the one that was right the last time comes first.
"""

from collections.abc import Iterator
from typing import Any

import asyncpg
from sqlalchemy import URL

PRIMARY, STANDBY_IF_ANY = "read-write", "prefer-standby"


class NoHost(ConnectionRefusedError):
    """None of them is what is looked for, now; during a failover that passes."""


class Hosts:
    """Opens connections to the one of several hosts that is looked for. Raises what the last real server said."""

    def __init__(self) -> None:
        self._right_last = 0

    async def __call__(
        self,
        *,
        host: list[str],
        port: list[int],
        timeout: float,  # noqa: ASYNC109 - the driver's own argument
        target_session_attrs: str = PRIMARY,
        **options: Any,
    ) -> Any:
        """A connection, as `asyncpg.connect` would open it, within `timeout` seconds."""
        attempts = list(self._attempts(len(host), target_session_attrs))
        said: Exception = NoHost("no host of the database answers")
        for number, wanted in attempts:
            try:
                connection = await asyncpg.connect(
                    host=host[number],
                    port=port[number],
                    timeout=timeout / len(attempts),
                    target_session_attrs=wanted,
                    **options,
                )
            except asyncpg.PostgresError as error:
                said = error
            except (OSError, asyncpg.InternalClientError):
                """Gone, silent, or not what is looked for."""
            else:
                self._right_last = number
                return connection
        raise said

    def _attempts(self, count: int, wanted: str) -> Iterator[tuple[int, str]]:
        """Which host to ask for what, in order; a standby that is only preferred is looked for everywhere first."""
        order = sorted(range(count), key=lambda number: number != self._right_last)
        for what in ("standby", "any") if wanted == STANDBY_IF_ANY else (wanted,):
            for number in order:
                yield number, what


def has_several_hosts(url: URL) -> bool:
    """Whether the URL says `?host=one:5432&host=two:5432`, or `?host=one,two&port=5432,5432`."""
    named = url.query.get("host", "")
    return isinstance(named, tuple) or "," in named
