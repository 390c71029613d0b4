"""Who sees which rows. Every other service finds its records here."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import CTE, Select, and_, bindparam, func, or_, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.sql.elements import ColumnElement

from admin_app.actor import Actor
from admin_app.db import planning, user_search
from admin_app.db.search_query import ticket_number
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.errors import Conflict, Gone, InvalidInput, NotFound
from admin_app.models.ticket import Ticket
from admin_app.models.user import User
from admin_app.permissions import OWNING_ROLES, Permission, Role

LARGEST_ID = 2**31 - 1
ME = "me"
"""Whoever asks, wherever an owner is typed."""

LOOKED_AT = 32
"""So many people of a role are looked at by name, without an index, for suggestions."""
CANDIDATES = 20
"""So many people that the index finds are sorted by name for them."""

NO_SUCH_TICKET = "There is no such ticket."

WITH_PEOPLE: tuple[ORMOption, ...] = (joinedload(Ticket.creator), joinedload(Ticket.owner))
WITH_RELATIVES: tuple[ORMOption, ...] = (
    *WITH_PEOPLE,
    joinedload(Ticket.parent.and_(Ticket.deleted_at.is_(None))),
)
"""A deleted parent is not loaded: tickets are found together with deleted ones, to be able to say `Gone`."""
WITH_EVERYTHING: tuple[ORMOption, ...] = (*WITH_RELATIVES, selectinload(Ticket.tags))


async def ticket(
    session: AsyncSession,
    actor: Actor,
    ticket_id: int,
    *,
    lock: bool = False,
    options: Iterable[ORMOption] = WITH_PEOPLE,
) -> Ticket:
    """A live ticket that the actor may see.

    `NotFound` when it is missing or hidden, `Gone` when it is deleted (the trash entry only for those who may see
    the trash). `lock` keeps others from changing it until the transaction ends; SQLite ignores it, because there
    the transaction of a writer already excludes all other writers.
    """
    found = await _any_ticket(session, actor, Ticket.id, ticket_id, lock=lock, options=options)
    if found.deleted_at is not None:
        raise gone(actor, found)
    return found


async def ticket_by_number(session: AsyncSession, actor: Actor, number: str) -> Ticket:
    """A live ticket by its number, also in short (`90`, `#90`). Errors as for `ticket`."""
    found = await _any_ticket(session, actor, Ticket.ticket_number, ticket_number(number))
    if found.deleted_at is not None:
        raise gone(actor, found)
    return found


async def number_of(session: AsyncSession, actor: Actor, ticket_id: int) -> str:
    """The number of a ticket, deleted or not; empty when it is missing or hidden."""
    if not actor.can(Permission.TICKET_DETAILS) or not 0 < ticket_id <= LARGEST_ID:
        return ""
    statement = select(Ticket.ticket_number).where(Ticket.id == ticket_id)
    return await session.scalar(statement.execution_options(**INCLUDE_DELETED)) or ""


async def deleted_ticket(
    session: AsyncSession,
    actor: Actor,
    ticket_id: int,
    *,
    lock: bool = False,
    options: Iterable[ORMOption] = WITH_PEOPLE,
) -> Ticket:
    """A ticket in the trash. `NotFound` when it is missing, hidden, or not deleted."""
    if not actor.can(Permission.TICKET_TRASH):
        raise NotFound(NO_SUCH_TICKET)
    found = await _any_ticket(session, actor, Ticket.id, ticket_id, lock=lock, options=options)
    if found.deleted_at is None:
        raise NotFound(f"{found.ticket_number} is not in the trash.")
    return found


async def user(session: AsyncSession, actor: Actor, user_id: int, *, lock: bool = False) -> User:
    """A person, active or not. `NotFound` when missing or hidden."""
    if not actor.can(Permission.USER_DETAILS) or not 0 < user_id <= LARGEST_ID:
        raise NotFound("There is no such person.")
    statement = select(User).where(User.id == user_id).options(joinedload(User.manager))
    if lock:
        statement = statement.with_for_update(of=User)
    found = await session.scalar(statement)
    if found is None:
        raise NotFound("There is no such person.")
    return found


async def active_person(session: AsyncSession, text: str, *, field: str, lock: bool = False) -> User:
    """The active person with this e-mail address (`Name <address>` is understood), or who alone has this name.

    `InvalidInput` at `field` otherwise. `lock` keeps them from being deactivated or given another role until the
    transaction ends.
    """
    typed = address_in(text)
    if not typed:
        raise InvalidInput(**{field: "Enter an e-mail address."})
    email = typed if "@" in typed else await _address_of(session, text.replace("\x00", "").strip(), field=field)
    statement = select(User).where(User.email == email)
    found = await session.scalar(statement.with_for_update(read=True) if lock else statement)
    if found is None:
        raise InvalidInput(**{field: f"Nobody here has the address {email}."})
    if not found.is_active:
        raise InvalidInput(**{field: f"{found.full_name} is deactivated."})
    return found


async def _address_of(session: AsyncSession, name: str, *, field: str) -> str:
    is_called_so = (User.full_name == name) | (func.lower(User.full_name) == name.lower())
    known = select(User.email).where(User.id.in_(user_search.FOUND), is_called_so, User.is_active).limit(2)
    asked = user_search.typed(name)
    found = (await session.scalars(known, asked)).all() if asked else []
    if len(found) == 1:
        return found[0]
    problem = "Several people here are" if found else "Nobody here is"
    raise InvalidInput(**{field: f"{problem} called {name[:100]}. Enter an e-mail address."})


async def possible_owner(session: AsyncSession, actor: Actor, text: str, *, field: str, lock: bool = False) -> User:
    """An active person whose role can own tickets, the actor by the word `me`; `InvalidInput` at `field` otherwise.

    `lock` as above.
    """
    is_actor = text.strip().lower() == ME and actor.id is not None
    address = await session.scalar(select(User.email).where(User.id == actor.id)) if is_actor else None
    found = await active_person(session, address or text, field=field, lock=lock)
    if found.role not in OWNING_ROLES:
        raise InvalidInput(**{field: f"{found.full_name} is {as_member(found.role)} and cannot own tickets."})
    return found


def as_member(role: Role) -> str:
    """What somebody with this role, who can own no tickets, is."""
    return "a customer" if role is Role.CUSTOMER else f"in {role.value}"


async def can_still_own(session: AsyncSession, user_id: int) -> bool:
    """Whether this owner is active and has a role that can own tickets; keeps it so until the transaction ends."""
    statement = select(User.id).where(User.id == user_id, User.is_active, User.role.in_(OWNING_ROLES))
    return await session.scalar(statement.with_for_update(read=True)) is not None


async def suggest_people(
    session: AsyncSession | AsyncConnection, actor: Actor, *, term: str, roles: frozenset[Role], limit: int = 10
) -> list[tuple[str, str]]:
    """Address and name of active people in whose name or address `term` is, for autocomplete, in one statement.

    The last word of `term` may be the beginning of one; without a word it finds nobody. Sorted by name. When more than
    `CANDIDATES` people fit who do not come first by name, those who came to the desk first stand for them.
    """
    actor.require(Permission.USER_LIST)
    values = user_search.typed(term)
    if not values:
        return []
    found = await session.execute(_suggestions(roles, limit), values)
    return [(row.email, row.full_name) for row in found]


async def names_of(session: AsyncSession, user_ids: Iterable[int]) -> dict[int, str]:
    """Full names by id, in one statement."""
    wanted = set(user_ids)
    if not wanted:
        return {}
    rows = await session.execute(select(User.id, User.full_name).where(User.id.in_(wanted)))
    return {row.id: row.full_name for row in rows}


def check_version(record: Ticket, version: int) -> None:
    """`Conflict` when the form was opened on another version than the one stored now."""
    if record.version != version:
        raise Conflict(
            f"{record.ticket_number} was changed after you opened this form. "
            "Look at it as it is now; your text is still here, and sending it again will apply it."
        )


def address_in(text: str) -> str:
    """The e-mail address in `Name <address>` or in plain text, in lower case."""
    inner = text.rsplit("<", 1)[-1] if text.rstrip().endswith(">") else text
    return inner.replace("\x00", "").strip().rstrip(">").strip().lower()


def gone(actor: Actor, found: Ticket) -> Gone:
    """What somebody hears of a deleted ticket and of everything that went with it."""
    return Gone(
        f"{found.ticket_number} was deleted.",
        ticket_id=found.id if actor.can(Permission.TICKET_TRASH) else None,
    )


async def _any_ticket(
    session: AsyncSession,
    actor: Actor,
    column: Any,
    wanted: int | str,
    *,
    lock: bool = False,
    options: Iterable[ORMOption] = WITH_PEOPLE,
) -> Ticket:
    is_no_id = isinstance(wanted, int) and not 0 < wanted <= LARGEST_ID
    if is_no_id or not actor.can(Permission.TICKET_DETAILS):
        raise NotFound(NO_SUCH_TICKET)
    statement = _one_ticket(column, tuple(options))
    found: Ticket | None = await session.scalar(
        statement.with_for_update(of=Ticket) if lock else statement, {"wanted": wanted}
    )
    if found is None:
        raise NotFound(NO_SUCH_TICKET)
    return found


@cache
def _one_ticket(column: Any, options: tuple[ORMOption, ...]) -> Select[Any]:
    """Built once for each way of asking: the building takes longer than the answer."""
    statement = select(Ticket).where(column == bindparam("wanted")).options(*options)
    return statement.execution_options(**INCLUDE_DELETED)


@cache
def _suggestions(roles: frozenset[Role], most: int) -> Select[Any]:
    """Some of each role by name are simply looked at; the index is asked where these are not all, and too few fit.

    Role by role, each from its own part of an index: asked for several at once, SQLite reads through everybody.
    """
    some = select(User.id, User.email, User.full_name).where(User.is_active)
    by_name = some.order_by(User.full_name, User.id).limit(planning.written(LOOKED_AT))
    known = [planning.written(role.value) for role in sorted(roles)]
    firsts = [by_name.where(User.role == role).cte(f"first_{number}") for number, role in enumerate(known)]
    fitting = [
        select(first).join(user_search.stored, user_search.stored.c.rowid == first.c.id).where(user_search.IS_SO_CALLED)
        for first in firsts
    ]
    seen = union_all(*fitting).cte("seen")
    has_more = or_(*(_number(first) == planning.written(LOOKED_AT) for first in firsts))
    is_found = user_search.is_found(and_(has_more, _number(seen) < planning.written(most)))
    indexed = some.join(user_search.stored, user_search.stored.c.rowid == User.id).where(is_found, User.role.in_(known))
    found = union(select(seen), select(indexed.limit(planning.written(CANDIDATES)).subquery())).subquery()
    first = select(found.c.email, found.c.full_name).order_by(found.c.full_name, found.c.id)
    return first.limit(planning.written(most)).execution_options(**INCLUDE_DELETED)


def _number(rows: CTE) -> ColumnElement[int]:
    return select(func.count()).select_from(rows).scalar_subquery()
