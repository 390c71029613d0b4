"""Watching and tagging: how people keep hold of a ticket."""

import re
from collections.abc import Iterable

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db.upserts import insert_or_skip
from admin_app.errors import InvalidInput
from admin_app.models.audit_log import AuditAction
from admin_app.models.tag import Tag
from admin_app.models.ticket import Ticket
from admin_app.models.watcher import TicketWatcher, WatchLevel
from admin_app.permissions import OWNING_ROLES, Permission
from admin_app.services.records import audit, lookup, text_rules

MOST_TAGS = 20


async def watch(session: AsyncSession, actor: Actor, ticket_id: int, *, person: str, level: WatchLevel) -> Ticket:
    """Have `person` told of a ticket, the actor when it is empty or `me`; watching again changes the level.

    `InvalidInput` at `person` when nobody active at the desk has that address.
    """
    actor.require(Permission.TICKET_COMMENT)
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True)
    user_id, name = actor.id, actor.name
    if person.strip().lower() not in ("", lookup.ME):
        found = await lookup.active_person(session, person, field="person")
        if found.role not in OWNING_ROLES:
            raise InvalidInput(person=f"{found.full_name} is {lookup.as_member(found.role)} and cannot watch tickets.")
        user_id, name = found.id, found.full_name
    if user_id is None:
        raise InvalidInput(person="Say who should watch.")
    watcher = await session.scalar(_watcher(ticket.id, user_id))
    old_level = watcher.level.value if watcher else None
    if watcher is None:
        session.add(TicketWatcher(ticket_id=ticket.id, user_id=user_id, level=level, added_by_id=actor.id))
    else:
        watcher.level = level
    if old_level != level.value:
        await audit.record(session, actor, AuditAction.WATCH, ticket, changes={name: [old_level, level.value]})
    return ticket


async def unwatch(session: AsyncSession, actor: Actor, ticket_id: int, *, user_id: int) -> Ticket:
    """Stop somebody from being told; nothing happens when they were not."""
    actor.require(Permission.TICKET_COMMENT)
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True)
    is_id = 0 < user_id <= lookup.LARGEST_ID
    watcher = await session.scalar(_watcher(ticket.id, user_id)) if is_id else None
    if watcher is not None:
        names = await lookup.names_of(session, [user_id])
        await session.delete(watcher)
        changes = {names.get(user_id, str(user_id)): [watcher.level.value, None]}
        await audit.record(session, actor, AuditAction.UNWATCH, ticket, changes=changes)
    return ticket


async def tag(session: AsyncSession, actor: Actor, ticket_id: int, *, names: str) -> Ticket:
    """Replace a ticket's tags by these comma-separated words; new words become tags.

    `InvalidInput` at `tags` for a word that is too long or too many of them.
    """
    actor.require(Permission.TICKET_EDIT)
    ticket = await lookup.ticket(session, actor, ticket_id, lock=True, options=lookup.WITH_EVERYTHING)
    wanted = tag_words(names)
    old = [existing.name for existing in ticket.tags]
    if sorted(old) != wanted:
        ticket.tags = await tags_named(session, wanted)
        await audit.record(
            session, actor, AuditAction.TAG, ticket, changes={"tags": [", ".join(old), ", ".join(wanted)]}
        )
    return ticket


async def tags_named(session: AsyncSession, names: Iterable[str]) -> list[Tag]:
    """The tags with these names, made where they are missing; others may make the same ones at this moment."""
    wanted = sorted(set(names))
    statement = select(Tag).where(Tag.name.in_(wanted)).order_by(Tag.name)
    known = list(await session.scalars(statement))
    missing = [name for name in wanted if name not in {tag.name for tag in known}]
    if missing:
        await session.execute(insert_or_skip(session, Tag), [{"name": name} for name in missing])
        known = list(await session.scalars(statement))
    return known


async def all_tags(session: AsyncSession, actor: Actor, *, limit: int = 200) -> list[str]:
    """Tag names in alphabetical order, for filters and suggestions."""
    actor.require(Permission.TICKET_LIST)
    return list((await session.scalars(select(Tag.name).order_by(Tag.name).limit(limit))).all())


def tag_words(names: str) -> list[str]:
    """Comma-separated words in order, each once and in lower case; `InvalidInput` at `tags`."""
    words = sorted({re.sub(r"\s+", " ", word).strip().lower() for word in names.split(",")} - {""})
    if len(words) > MOST_TAGS:
        raise InvalidInput(tags=f"A ticket may have at most {MOST_TAGS} tags.")
    for word in words:
        if "\x00" in word:
            raise InvalidInput(tags="A tag contains a character that cannot be stored.")
        if len(word) > text_rules.LONGEST["tag"]:
            raise InvalidInput(tags=f"A tag may have at most {text_rules.LONGEST['tag']} characters.")
    return words


def _watcher(ticket_id: int, user_id: int) -> Select[TicketWatcher]:
    return select(TicketWatcher).where(TicketWatcher.ticket_id == ticket_id, TicketWatcher.user_id == user_id)
