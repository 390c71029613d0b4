"""The second step of signing in: a code on top of the password."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.models.half_open_session import HalfOpenSession
from admin_app.permissions import DESK_ROLES
from admin_app.services.blocks import second_factor, sign_in_sessions
from admin_app.services.blocks.second_factor import Verdict
from admin_app.services.blocks.sign_in_sessions import Caller, Lifetime
from admin_app.services.records.secret_box import SecretBox

TO_SIGN_IN = "to sign in"


@dataclass(frozen=True)
class SecondStep:
    """A code with the half-open sign-in that it is typed for."""

    half_open_token: str
    typed: str
    box: SecretBox


@dataclass(frozen=True)
class Answer:
    """The token of a whole session, or why there is none; neither when nobody waits for a code any more."""

    token: str | None = None
    verdict: Verdict | None = None


async def is_waiting(session: AsyncSession, *, half_open_token: str) -> bool:
    """Whether a sign-in with this token waits for its code."""
    return await _waiting(session, half_open_token) is not None


async def finish(session: AsyncSession, *, step: SecondStep, caller: Caller, lifetime: Lifetime) -> Answer:
    """Turn a half-open sign-in into a whole session with a new id, when the code is right.

    Wrong codes are written to the audit log and counted per account, so nothing is raised for them.
    """
    waiting = await _waiting(session, step.half_open_token)
    if waiting is None:
        return Answer()
    user = await second_factor.locked_person(session, waiting.user_id)
    is_still_waiting = await _waiting(session, step.half_open_token) is not None
    if not (is_still_waiting and user.is_active and user.role in DESK_ROLES):
        return Answer()
    actor = sign_in_sessions.actor_of(user, caller)
    verdict = await second_factor.check(session, actor, user, step.typed, box=step.box, purpose=TO_SIGN_IN)
    if verdict is not Verdict.RIGHT:
        return Answer(verdict=verdict)
    await session.delete(waiting)
    return Answer(await sign_in_sessions.begin_whole(session, user, caller=caller, lifetime=lifetime), verdict)


async def _waiting(session: AsyncSession, token: str) -> HalfOpenSession | None:
    statement = select(HalfOpenSession).where(
        HalfOpenSession.token_hash == sign_in_sessions.hash_of(token), HalfOpenSession.expires_at > clock.now()
    )
    found: HalfOpenSession | None = await session.scalar(statement)
    return found
