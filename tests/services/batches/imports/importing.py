"""Imports as the browser does them, without the browser."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin_app.models import ImportMode, TicketImport
from admin_app.services.batches.csv_import.mapping import ImportMapping
from admin_app.services.batches.imports import layouts, runs, uploads
from admin_app.services.batches.imports.runs import Turn
from admin_app.services.records.file_store import FileStore
from tests.services.batches.csv_files import rules
from tests.services.scenes import Desk


class Watch:
    """Hears of progress, and loses interest after so many words."""

    def __init__(self, patience: int = 1_000) -> None:
        self.told: list[tuple[int, int, str]] = []
        self.patience = patience

    @property
    def is_wanted(self) -> bool:
        return len(self.told) < self.patience

    @is_wanted.setter
    def is_wanted(self, wanted: bool) -> None:
        self.patience = 1_000 if wanted else 0

    def __call__(self, done: int, total: int, said: str = "") -> None:
        self.told.append((done, total, said))


@dataclass
class Importing:
    """Sue at work."""

    desk: Desk
    store: FileStore

    async def sent(self, content: bytes, name: str = "tickets.csv") -> TicketImport:
        upload = uploads.receive(self.store, name, io.BytesIO(content))
        return await self.desk.run(uploads.keep, self.desk.cast.sue, upload, store=self.store)

    async def mapped(self, content: bytes, mapping: ImportMapping | None = None) -> int:
        found = await self.sent(content)
        await self.choose(found.id, mapping or rules())
        return found.id

    async def choose(self, number: int, mapping: ImportMapping) -> None:
        await self.desk.run(layouts.choose, self.desk.cast.sue, number, mapping=mapping)

    async def turn(self, number: int, mode: ImportMode = ImportMode.GOOD_ROWS, **options: Any) -> Turn:
        return await self.desk.run(runs.start, self.desk.cast.sue, number, mode=mode, **options)

    async def conduct(self, turn: Turn, watch: Watch | None = None) -> None:
        await runs.conduct(self.desk.database.run, self.desk.cast.sue, self.store, turn, watch or Watch())

    async def ran(
        self, number: int, mode: ImportMode = ImportMode.GOOD_ROWS, *, is_check: bool = False
    ) -> TicketImport:
        await self.conduct(await self.turn(number, mode, is_check=is_check))
        return await self.stored(number)

    async def stored(self, number: int) -> TicketImport:
        return await self.desk.stored(TicketImport, number)

    def files(self) -> list[Path]:
        return [file for file in self.store.folder.rglob("*") if file.is_file()]


def counts(found: TicketImport) -> tuple[int, ...]:
    return found.total, found.imported, found.known, found.rejected, found.customers
