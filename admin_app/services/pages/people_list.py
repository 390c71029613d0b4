"""Which people a list shows."""

from dataclasses import dataclass

from sqlalchemy import false, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.actor import Actor
from admin_app.db import user_search
from admin_app.db.keyset import Order
from admin_app.models.user import User
from admin_app.permissions import Permission, Role
from admin_app.services.records import listing

BY_NAME = Order((User.full_name, User.id))


@dataclass(frozen=True)
class PeopleFilter:
    """What the list is narrowed to."""

    search: str = ""
    role: Role | None = None
    is_active: bool | None = None


async def page(
    session: AsyncSession, actor: Actor, wanted: PeopleFilter, *, request: listing.PageRequest
) -> listing.Page[User]:
    """One page of people, by name.

    Searched for, the last word may be the beginning of one; without a word nobody is found.
    """
    actor.require(Permission.USER_LIST)
    statement = select(User)
    if wanted.search.strip("\x00 "):
        asked = user_search.typed(wanted.search)
        statement = statement.where(User.id.in_(user_search.FOUND.params(**asked)) if asked else false())
    if wanted.role is not None:
        statement = statement.where(User.role == wanted.role)
    if wanted.is_active is not None:
        statement = statement.where(User.is_active == wanted.is_active)
    return await listing.paginate(session, statement, order=BY_NAME, request=request)
