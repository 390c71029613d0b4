"""What is known of an export while it is asked for, runs and ends. Each is its own transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import Conflict, NotFound
from admin_app.models.audit_log import AuditAction
from admin_app.models.ticket import Ticket
from admin_app.models.ticket_export import ExportFormat, ExportState, TicketExport
from admin_app.permissions import Permission
from admin_app.services.batches.exports.pages import Listed
from admin_app.services.blocks import sign_in_sessions
from admin_app.services.pages import ticket_list
from admin_app.services.records import audit, lookup

SILENT_AFTER = timedelta(minutes=2)
"""A running export tells of itself far more often: one that has not has ended with its process."""
SHOWN = 10
COUNT_CAP = 10_000


async def ask(
    session: AsyncSession, actor: Actor, listed: Listed, file_format: ExportFormat, *, query: str = ""
) -> TicketExport:
    """Note that the actor wants this file, in the audit log too: from here on it may leave the desk."""
    actor.require(Permission.TICKET_EXPORT)
    ticket_list.order_by(listed.sort, descending=listed.descending)
    export = TicketExport(actor_id=actor.id, format=file_format, query=query)
    session.add(export)
    await session.flush()
    wanted = {name: str(value) for name, value in asdict(listed.wanted).items() if value}
    changes: audit.Changes = {
        "state": [None, ExportState.WAITING.value],
        "format": [None, file_format.value],
        "order": [None, f"{listed.sort} {'descending' if listed.descending else 'ascending'}"],
    }
    if wanted:
        changes["filter"] = [None, ", ".join(f"{name}={value}" for name, value in wanted.items())]
    await _record(session, actor, export, changes)
    return export


async def find(session: AsyncSession, actor: Actor, export_id: int) -> TicketExport:
    """An export of the actor's own; somebody else's is missing."""
    actor.require(Permission.TICKET_EXPORT)
    found = await session.get(TicketExport, export_id) if 0 < export_id <= lookup.LARGEST_ID else None
    if found is None or found.actor_id != actor.id:
        raise NotFound
    return found


async def recent(session: AsyncSession, actor: Actor) -> Sequence[TicketExport]:
    """The actor's last exports, the newest first."""
    actor.require(Permission.TICKET_EXPORT)
    own = select(TicketExport).where(TicketExport.actor_id == actor.id)
    return (await session.scalars(own.order_by(TicketExport.id.desc()).limit(SHOWN))).all()


async def count(session: AsyncSession, actor: Actor, listed: Listed) -> int:
    """How many tickets the file would hold, at most one more than `COUNT_CAP`."""
    actor.require(Permission.TICKET_EXPORT)
    capped = ticket_list.narrowed(select(Ticket.id), actor, listed.wanted).limit(COUNT_CAP + 1).subquery()
    return await session.scalar(select(func.count()).select_from(capped)) or 0


async def begin(session: AsyncSession, actor: Actor, export_id: int) -> None:
    """The file goes out now; `Conflict` when it did before, so that each is told of once."""
    await find(session, actor, export_id)
    now = clock.now()
    running = {"state": ExportState.RUNNING, "started_at": now, "heard_at": now}
    if not await _move(session, export_id, ExportState.WAITING, running):
        raise Conflict("This export was started before, or cancelled. Make a new one.")


async def advance(
    session: AsyncSession, actor: Actor, export_id: int, rows: int, *, sign_in_id: int | None = None
) -> bool:
    """Tell how many rows have gone out; whether it may go on: not when the sign-in that asked for it was ended."""
    actor.require(Permission.TICKET_EXPORT)
    if await sign_in_sessions.has_ended(session, sign_in_id):
        return False
    return await _move(session, export_id, ExportState.RUNNING, {"row_count": rows, "heard_at": clock.now()})


async def cancel(session: AsyncSession, actor: Actor, export_id: int) -> None:
    """Stop it, or never begin: whoever is writing the file learns of it within a second. `Conflict` when it ended."""
    export = await find(session, actor, export_id)
    before = export.state
    cancelled = {"state": ExportState.CANCELLED, "ended_at": clock.now()}
    if before not in {ExportState.WAITING, ExportState.RUNNING} or not await _move(
        session, export_id, before, cancelled
    ):
        raise Conflict("This export has ended already.")
    await _record(session, actor, export, {"state": [before.value, ExportState.CANCELLED.value]})


async def end(
    session: AsyncSession, actor: Actor, export_id: int, *, state: ExportState, rows: int, sha256: str = ""
) -> None:
    """Note how it ended and what has gone out. One that was cancelled stays so."""
    export = await find(session, actor, export_id)
    ended = {"row_count": rows, "sha256": sha256, "ended_at": clock.now()}
    if not await _move(session, export_id, ExportState.RUNNING, {**ended, "state": state}):
        state = ExportState.CANCELLED
        await _move(session, export_id, state, ended)
    changes: audit.Changes = {"state": [ExportState.RUNNING.value, state.value], "rows": [0, rows]}
    if sha256:
        changes["checksum"] = [None, sha256]
    await _record(session, actor, export, changes)


def is_silent(export: TicketExport) -> bool:
    """It looks busy, and the process that was busy with it is gone."""
    heard_at = export.heard_at
    return export.state is ExportState.RUNNING and heard_at is not None and clock.now() - heard_at > SILENT_AFTER


async def _move(session: AsyncSession, export_id: int, state: ExportState, values: dict[str, object]) -> bool:
    """Change it unless it has left this state meanwhile."""
    statement = update(TicketExport).where(TicketExport.id == export_id, TicketExport.state == state)
    moved = await session.execute(statement.values(**values).returning(TicketExport.id))
    return moved.first() is not None


async def _record(session: AsyncSession, actor: Actor, export: TicketExport, changes: audit.Changes) -> None:
    label = f"Tickets as {export.format.value.upper()}"
    subject = audit.Subject(TicketExport.__tablename__, export.id, label, changes)
    await audit.record_many(session, actor, AuditAction.EXPORT, [subject])
