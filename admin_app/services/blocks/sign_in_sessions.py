"""Ending sign-in sessions."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.models.user_session import UserSession


async def end_all(session: AsyncSession, user_id: int) -> int:
    """End every session of a person, from the next request on; says how many were open."""
    statement = (
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(UserSession.id)
    )
    return len((await session.scalars(statement)).all())
