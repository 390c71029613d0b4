"""As many tickets as one batch may hold: in seconds, and in a number of statements that follows the chunks.

`BULK_ROWS=10000` is what `make bulk-10000` runs; without it there are fewer, for everyday runs.
"""

import os
from functools import partial
from typing import Any

import pytest

from admin_app.models import Attachment, AuditMember, BatchKind, Comment, Ticket
from admin_app.services.batches.bulk.rows import CHUNK_ROWS
from tests.services.batches.bulk.scenes import BIN, StopWatch, applied, many_tickets, previewed, undone

ROWS = int(os.environ.get("BULK_ROWS", "2000"))
STATEMENTS_PER_CHUNK = 8
STATEMENTS_PER_BATCH = 12
SLOWEST_SECONDS = 20.0


@pytest.mark.parametrize("kind", BatchKind)
async def test_a_large_batch_and_its_undo_take_seconds(desk, statement_counter, capsys, kind) -> None:
    ids = await many_tickets(desk, ROWS, **(BIN if kind is BatchKind.RESTORE else {}))
    before = [await desk.rows(model) for model in (Ticket, Comment, Attachment)]
    figures = []
    batch: Any = None
    for step in (lambda _: previewed(desk, kind, ids), partial(applied, desk), partial(undone, desk)):
        with statement_counter() as counted, StopWatch() as watch:
            batch = await step(batch)
        figures.append((batch.state.value, watch.seconds, counted.total))
    with capsys.disabled():
        told = ", ".join(f"{name} {seconds:.2f} s in {total} statements" for name, seconds, total in figures)
        print(f"\n{desk.database.engines.dialect}: {kind.value} of {ROWS:,} tickets: {told}")
    for _, seconds, total in figures:
        assert total <= STATEMENTS_PER_BATCH + STATEMENTS_PER_CHUNK * -(-ROWS // CHUNK_ROWS)
        assert seconds < SLOWEST_SECONDS
    assert (batch.planned_count, batch.kept_count) == (ROWS, 0)
    assert len(await desk.rows(AuditMember)) == 2 * ROWS
    after = [await desk.rows(model) for model in (Ticket, Comment, Attachment)]
    assert [as_people_see(rows) for rows in after] == [as_people_see(rows) for rows in before]
    assert {row.version for row in after[0]} == {3}


def as_people_see(rows) -> list[dict]:
    hidden = {"_sa_instance_state", "version", "updated_at"}
    return [{name: value for name, value in vars(row).items() if name not in hidden} for row in rows]
