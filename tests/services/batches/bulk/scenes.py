"""Many tickets at once, and a batch from preview to undo."""

import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert

from admin_app.actor import Actor
from admin_app.models import Attachment, Batch, BatchKind, Comment, Ticket
from admin_app.services.batches.bulk import apply, preview, undo
from admin_app.services.batches.bulk.choosing import Selection
from admin_app.services.batches.bulk.preview import Wanted
from tests.services.scenes import Desk

TYPED = {
    BatchKind.CLOSE: {"resolution": "Put it out."},
    BatchKind.ASSIGN: {"new_owner": "sid@desk.example", "reason": "Sam is away"},
    BatchKind.PRIORITY: {"priority": "4"},
    BatchKind.TAG: {"tags": "vip, fire"},
    BatchKind.DELETE: {"reason": "spam"},
    BatchKind.RESTORE: {},
}
"""What a form for each kind would hold."""

BIN = {"deleted_at": datetime(2030, 1, 1, tzinfo=UTC), "delete_reason": "spam", "delete_batch_id": "b" * 32}
"""The marks of tickets that went into the trash together."""


async def many_tickets(desk: Desk, count: int, **columns: Any) -> list[int]:
    """Tickets of Kim's, each with a comment and a file, straight into the tables; their ids."""
    common = {"title": "Printer on fire", "creator_id": desk.cast.kim.id, "owner_id": desk.cast.sam.id, **columns}
    rows = [{"ticket_number": f"M-{n:06d}", **common} for n in range(1, count + 1)]
    marks = {name: value for name, value in columns.items() if name.startswith("delete")}

    async def store(session: Any) -> list[int]:
        ids = sorted((await session.scalars(insert(Ticket).returning(Ticket.id), rows)).all())
        await session.execute(insert(Comment), [{"ticket_id": n, "author_id": 1, "body": "b", **marks} for n in ids])
        file = {"filename": "a.log", "content_type": "text/plain", "size": 1, "sha256": "0", "storage_key": "k"}
        await session.execute(insert(Attachment), [{"ticket_id": n, **file, **marks} for n in ids])
        return ids

    found: list[int] = await desk.database.run(store)
    return found


async def previewed(desk: Desk, kind: BatchKind, ids: Any, *, actor: Actor | None = None, **typed: str) -> Batch:
    """A preview by Sue."""
    wanted = Wanted(kind, {**TYPED[kind], **typed})
    selection = ids if isinstance(ids, Selection) else Selection(ids=ids)
    batch: Batch = await desk.run(preview.preview, actor or desk.cast.sue, wanted, selection)
    return batch


async def applied(desk: Desk, batch: Batch, *, actor: Actor | None = None) -> Batch:
    """The batch, applied by Sue."""
    changed: Batch = await desk.run(apply.apply, actor or desk.cast.sue, batch.batch_id)
    return changed


async def undone(desk: Desk, batch: Batch, *, actor: Actor | None = None) -> Batch:
    """The batch, undone by Sue."""
    taken_back: Batch = await desk.run(undo.undo, actor or desk.cast.sue, batch.batch_id)
    return taken_back


class StopWatch:
    """Seconds of a block."""

    def __enter__(self) -> "StopWatch":
        self._start = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.perf_counter() - self._start
