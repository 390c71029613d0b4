"""A file of tickets on its way out: bytes in constant memory, told of as it goes, and ended whatever happens."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager, suppress
from typing import Protocol, TypeVar

import anyio
from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.errors import AppError, Unavailable
from admin_app.models.ticket_export import ExportFormat, ExportState
from admin_app.services.batches.exports import requests
from admin_app.services.batches.exports.lines import KINDS
from admin_app.services.batches.exports.pages import Listed, pages
from admin_app.services.batches.exports.spreadsheets import Book

T = TypeVar("T")

TELL_EVERY_SECONDS = 0.5
LONGEST_SECONDS = 30 * 60


def side_text(file_name: str, rows: int, sha256: str) -> str:
    """The side file of a file: how many rows it holds, and a line that `sha256sum --check` reads."""
    return f"# rows: {rows}\n{sha256}  {file_name}\n"


class KeepsSnapshots(Protocol):
    """`Database`: units of work, and one moment to read from."""

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]], *, repeatable: bool = False) -> T:
        """Run `work` in a transaction and commit it."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session to which nothing changes."""
        ...


class Stopped(AppError):
    """Somebody cancelled it, or whoever was to have it has gone."""


class Turns:
    """How many exports this process runs at once: each holds a connection until it ends."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a turn; `Unavailable` when all are taken."""
        if self._taken >= self.most:
            running = "One export is" if self.most == 1 else f"{self.most} exports are"
            raise Unavailable(f"{running} running already. Try again in a minute.", retry_after=60)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


class Export:
    """One file. `chunks` gives its bytes; `rows` and `sha256` say what went out so far."""

    def __init__(
        self,
        database: KeepsSnapshots,
        actor: Actor,
        export_id: int,
        listed: Listed,
        *,
        sign_in_id: int | None = None,
    ) -> None:
        """It ends with the sign-in that asked for it, where there is one."""
        self.rows = 0
        self._database = database
        self._actor = actor
        self._id = export_id
        self._listed = listed
        self._sign_in_id = sign_in_id
        self._digest = hashlib.sha256()
        self._told_at = self._began_at = time.monotonic()

    @property
    def sha256(self) -> str:
        """The checksum of every byte so far."""
        return self._digest.hexdigest()

    async def chunks(self, file_format: ExportFormat) -> AsyncGenerator[bytes, None]:
        """Begin, give the bytes, end. Close it when you take no more: it then notes that it was cancelled."""
        await self._database.run(lambda session: requests.begin(session, self._actor, self._id))
        state, sha256 = ExportState.FAILED, ""
        content = self._spreadsheet() if file_format is ExportFormat.XLSX else self._text(file_format)
        try:
            async with aclosing(content):
                async for chunk in content:
                    self._digest.update(chunk)
                    yield chunk
            state, sha256 = ExportState.FINISHED, self.sha256
        except (Stopped, GeneratorExit, asyncio.CancelledError):
            state = ExportState.CANCELLED
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await self._database.run(
                    lambda session: requests.end(
                        session, self._actor, self._id, state=state, rows=self.rows, sha256=sha256
                    )
                )

    async def _text(self, file_format: ExportFormat) -> AsyncGenerator[bytes, None]:
        kind = KINDS[file_format]
        if kind.header:
            yield kind.header
        async with (
            self._database.snapshot() as session,
            aclosing(pages(session, self._actor, self._listed, kind)) as found,
        ):
            async for page in found:
                yield page.content
                self.rows += page.rows
                await self._tell()

    async def _spreadsheet(self) -> AsyncGenerator[bytes, None]:
        """The rows go into a file on the disk first; the connection is given back before its bytes go out."""
        kind = KINDS[ExportFormat.XLSX]
        book = await to_thread.run_sync(Book)
        try:
            async with (
                self._database.snapshot() as session,
                aclosing(pages(session, self._actor, self._listed, kind)) as found,
            ):
                async for page in found:
                    await to_thread.run_sync(book.add, page.content)
                    self.rows += page.rows
                    await self._tell()
            await to_thread.run_sync(book.save)
            pieces = book.pieces()
            while piece := await to_thread.run_sync(next, pieces, b""):
                yield piece
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(book.close)

    async def _tell(self) -> None:
        """Note now and then how far it is; `Stopped` when nobody wants it any more, or it takes too long."""
        now = time.monotonic()
        if now - self._began_at > LONGEST_SECONDS:
            raise Stopped(f"This export took longer than {LONGEST_SECONDS // 60} minutes.")
        if now - self._told_at < TELL_EVERY_SECONDS:
            return
        self._told_at = now
        is_wanted = True
        with suppress(AppError):  # the database is busy: the rows are what matters
            is_wanted = await self._database.run(
                lambda session: requests.advance(session, self._actor, self._id, self.rows, sign_in_id=self._sign_in_id)
            )
        if not is_wanted:
            raise Stopped("This export was cancelled.")
