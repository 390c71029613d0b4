"""What a story begins with: the cast with passwords, tickets, and a hand on the database while pages ask for it."""

import itertools
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from anyio.from_thread import BlockingPortal
from sqlalchemy import text, update

from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.models import Status, Ticket, User
from admin_app.services.operations import tickets
from admin_app.services.records import passwords
from tests.flows.serving import Server
from tests.support.cast import Cast, store_cast

PASSWORD = "correct horse battery"
HELD = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "LOCK TABLE tickets, comments IN ACCESS EXCLUSIVE MODE"}

CHECKED_OUT = re.compile(r'^desk_pool_checked_out\{pool="(?:main|writer)",[^}]*\} (\S+)$', re.MULTILINE)
LOOKS, PAUSE_SECONDS = 3, 0.05

_numbers = itertools.count(1)


class Stage:
    """A desk with its cast on one database, and the servers that show it."""

    def __init__(self, portal: BlockingPortal, database_url: str, folder: Path, server: Server) -> None:
        self.database_url = database_url
        self.folder = folder
        self.server = server
        self._portal = portal
        self._database = Database(create_engines(database_url))
        self.cast: Cast = portal.call(self._store_cast)

    def close(self) -> None:
        """End this side's connections."""
        self._portal.call(self._database.dispose)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._database.engines.dialect

    def ticket(self, title: str = "Printer on fire", *, by: str = "sam", **fields: Any) -> Ticket:
        """A ticket of Kim's that somebody of the desk opened; fields as in `NewTicket`. Titles are unique."""
        new = tickets.NewTicket(creator="kim@desk.example", title=f"{title} {next(_numbers)}", **fields)
        return self.run(lambda session: tickets.open_ticket(session, getattr(self.cast, by), new))

    def finished(self, status: Status, ticket: Ticket) -> None:
        """Resolve or close a ticket."""
        move = {Status.RESOLVED: tickets.resolve, Status.CLOSED: tickets.close}[status]
        self.run(lambda session: move(session, self.cast.sam, ticket.id, resolution="Put it out.", version=1))

    def run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        """Do `work(session)` in one transaction, from this side."""
        return self._portal.call(self._database.run, work)

    @contextmanager
    def tickets_held(self) -> Iterator[None]:
        """Whoever wants to write to a ticket waits until the block ends, with a connection in their hands."""
        connection = self._portal.call(self._hold)
        try:
            yield
        finally:
            self._portal.call(connection.rollback)
            self._portal.call(connection.close)

    def somebody_waits(self) -> bool:
        """Whether a request waits for the database, and has not only passed by, with a connection in its hands."""
        return all(self._connections_to_write() for _ in range(LOOKS))

    def _connections_to_write(self) -> int:
        time.sleep(PAUSE_SECONDS)
        with urlopen(self.server.path("/metrics"), timeout=30) as answer:
            found = CHECKED_OUT.findall(answer.read().decode())
        return int(float(found[0]))

    async def _hold(self) -> Any:
        connection = await self._database.engines.write.connect()
        if self.dialect == "postgresql":
            await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            await connection.execute(text(HELD["postgresql"]))
        else:
            await connection.begin()  # an SQLite writer begins IMMEDIATE
            await connection.execute(text("SELECT 1"))
        return connection

    async def _store_cast(self) -> Cast:
        cast = await store_cast(self._database)
        hashed = passwords.hash_password(PASSWORD)
        await self._database.run(lambda session: session.execute(update(User).values(password_hash=hashed)))
        return cast
