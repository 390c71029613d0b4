"""Retention on the command line."""

from datetime import timedelta

from admin_app import clock
from admin_app.actor import command_line_actor
from admin_app.cli.talking import progress, say, warn
from admin_app.db.database import Database
from admin_app.services.batches import retention
from admin_app.services.batches.retention import Kept
from admin_app.services.records.file_store import FileStore

SHOWN_KEPT = 20


async def purge_trash(database: Database, store: FileStore, *, older_than_days: int, reason: str, apply: bool) -> None:
    """Remove what was deleted more than so many days ago; without `apply`, only say what that would be."""
    actor = command_line_actor()
    deleted_before = clock.now() - timedelta(days=older_than_days)
    chosen = await database.read(
        lambda session: retention.plan(session, actor, deleted_before=deleted_before, reason=reason)
    )
    if not apply:
        say("Dry run: nothing was removed. With --apply this would happen:")
        _tell(len(chosen.numbers), chosen.kept)
        return
    with progress("removing for good", len(chosen.numbers)) as advance:
        purged, kept = await retention.purge_old(
            database.run, actor, chosen, deleted_before=deleted_before, store=store, on_group=advance
        )
    _tell(purged, kept)


def _tell(purged: int, kept: list[Kept]) -> None:
    say(f"removed for good {purged}")
    say(f"kept {len(kept)}")
    for ticket in kept[:SHOWN_KEPT]:
        warn(f"{ticket.ticket_number} stays: {ticket.reason}.")
    if len(kept) > SHOWN_KEPT:
        warn(f"… and {len(kept) - SHOWN_KEPT:,} more.")
