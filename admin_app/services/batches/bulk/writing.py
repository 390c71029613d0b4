"""Writing many rows with few statements: values per row in a table of the statement itself, versions checked in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, bindparam, column, delete, literal, update, values
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.db.upserts import insert_or_skip
from admin_app.errors import Conflict
from admin_app.models.attachment import Attachment
from admin_app.models.audit_log import AuditLog
from admin_app.models.comment import Comment
from admin_app.models.tag import ticket_tags
from admin_app.models.ticket import Priority, Status, Ticket
from admin_app.services.batches.bulk.actions import DELETE_MARKS, Action, Changed
from admin_app.services.operations import following
from admin_app.services.records import audit
from admin_app.services.records.audit import Changes

_tickets: Any = Ticket.__table__
_children: tuple[Any, ...] = (Comment.__table__, Attachment.__table__)

READERS: Mapping[str, Any] = {"status": Status, "priority": Priority, "deleted_at": datetime.fromisoformat}


@dataclass(frozen=True)
class Edit:
    """What to write to one ticket at `version`; comments and files of it that carry `batch` get the same marks."""

    ticket_id: int
    version: int
    values: Mapping[str, Any]
    batch: str | None = None


def stored_values(changes: Changes) -> dict[str, Any]:
    """What the columns are after these changes, in the database's types."""
    plain = {name: pair[1] for name, pair in changes.items() if name != "tags"}
    return {name: READERS.get(name, _as_is)(value) if value is not None else None for name, value in plain.items()}


async def change(session: AsyncSession, action: Action, entry: AuditLog, chunk: Changed) -> None:
    """Carry out one chunk: tickets, tags, what goes along, and a member of the batch's entry for each."""
    edits = [
        Edit(row.id, row.version, stored_values(changes) | action.machine_values(row, changes), row.delete_batch_id)
        for row, changes in chunk
    ]
    await write(session, edits, now=action.orders.now)
    if action.asks_tags:
        await write_tags(session, [(row.id, *changes["tags"]) for row, changes in chunk])
    members = [
        audit.Subject("tickets", row.id, row.ticket_number, changes, version=row.version + 1) for row, changes in chunk
    ]
    await audit.record_members(session, entry, members)


async def write(session: AsyncSession, edits: Sequence[Edit], *, now: datetime) -> None:
    """Write every edit and count its version up; one statement per mix of columns, and two for what goes along.

    Counted by what comes back: SQLite's driver has no count for an UPDATE that begins with a table of its own.
    `Conflict` unless exactly these rows were written: an edit whose version is not the stored one finds no row.
    """
    for names, group in _by_columns(edits).items():
        table, fixed = _table_of(group, names)
        is_row = (_tickets.c.id == table.c.id, _tickets.c.version == table.c.version)
        await _write_children(session, group, names, now)
        written = {**fixed, "version": _tickets.c.version + 1, "updated_at": now}
        statement = update(_tickets).where(*is_row).values(written).returning(_tickets.c.id)
        if len((await session.execute(statement)).all()) != len(group):
            raise Conflict("Somebody changed one of these tickets at the same moment. Nothing was changed.")


async def write_tags(session: AsyncSession, changed: Sequence[tuple[int, str, str]]) -> None:
    """Make the tags of each ticket (id, before, after) what they are after; words that are no tag yet become one."""
    pairs = [(ticket_id, _words(before), _words(after)) for ticket_id, before, after in changed]
    named = {word for _, before, after in pairs for word in before ^ after}
    ids = {tag.name: tag.id for tag in await following.tags_named(session, named)}
    added = [{"ticket_id": number, "tag_id": ids[word]} for number, before, after in pairs for word in after - before]
    removed = [{"number": number, "tag": ids[word]} for number, before, after in pairs for word in before - after]
    if added:
        await session.execute(insert_or_skip(session, ticket_tags), added)
    if removed:
        is_pair = (ticket_tags.c.ticket_id == bindparam("number"), ticket_tags.c.tag_id == bindparam("tag"))
        await session.execute(delete(ticket_tags).where(*is_pair), removed)


async def _write_children(session: AsyncSession, group: Sequence[Edit], names: Sequence[str], now: datetime) -> None:
    """Comments and files go and come back with their ticket: those that share its mark of before."""
    if "delete_batch_id" not in names:
        return
    table, fixed = _table_of(group, DELETE_MARKS)
    for child in _children:
        growth = {"version": child.c.version + 1} if "version" in child.c else {}
        goes_along = (child.c.ticket_id == table.c.id, child.c.delete_batch_id.is_not_distinct_from(table.c.batch))
        await session.execute(update(child).where(*goes_along).values({**fixed, **growth, "updated_at": now}))


def _by_columns(edits: Sequence[Edit]) -> dict[tuple[str, ...], list[Edit]]:
    groups: dict[tuple[str, ...], list[Edit]] = {}
    for edit in edits:
        groups.setdefault(tuple(sorted(edit.values)), []).append(edit)
    return groups


def _table_of(group: Sequence[Edit], names: Sequence[str]) -> tuple[CTE, dict[str, Any]]:
    """A table of id, version and whatever differs from row to row; and what to set each column to."""
    differing = [name for name in names if len({edit.values[name] for edit in group}) > 1]
    types = {name: _tickets.c[name].type for name in ("id", "version", *differing)}
    types["batch"] = _tickets.c.delete_batch_id.type
    cells = [
        tuple(
            literal(value, kind)
            for value, kind in zip(
                (edit.ticket_id, edit.version, *(edit.values[name] for name in differing), edit.batch),
                types.values(),
                strict=True,
            )
        )
        for edit in group
    ]
    table = values(*(column(name, kind) for name, kind in types.items()), name="wanted").data(cells).cte("wanted")
    wanted = {name: table.c[name] if name in differing else group[0].values[name] for name in names}
    return table, wanted


def _words(names: str) -> set[str]:
    return set(names.split(", ")) if names else set()


def _as_is(value: Any) -> Any:
    return value
