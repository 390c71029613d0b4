"""Signing in through a provider of single sign-on that has proven who somebody is."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor, ActorKind
from admin_app.models.audit_log import AuditAction
from admin_app.models.external_identity import ExternalIdentity
from admin_app.models.sign_in_flow import SignInFlow
from admin_app.models.user import User
from admin_app.permissions import DESK_ROLES, Role
from admin_app.services.blocks import roles, sign_in_sessions
from admin_app.services.blocks.sign_in_sessions import Begun, Caller, Lifetime, hash_of
from admin_app.services.records import audit

FLOW_LASTS = timedelta(minutes=10)
MOST_UNFINISHED = 100
"""Sign-ins on their way from one address; an office behind one address finishes its own."""
SECRET_BYTES = 32
LONGEST_NAME = 200
LONGEST_ADDRESS = 254


@dataclass(frozen=True)
class Flow:
    """A sign-in on its way: what goes to the provider, what stays here, and what only the browser holds."""

    next_path: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(SECRET_BYTES))
    browser: str = field(default_factory=lambda: secrets.token_urlsafe(SECRET_BYTES))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(SECRET_BYTES))
    code_verifier: str = field(default_factory=lambda: secrets.token_urlsafe(SECRET_BYTES))


@dataclass(frozen=True)
class Identity:
    """Somebody as the provider knows them. `email` is there only when the provider has verified it."""

    issuer: str
    subject: str
    email: str | None = None
    name: str = ""
    groups: Sequence[str] = ()


@dataclass(frozen=True)
class Rules:
    """What this desk makes of an identity. Without `roles` people keep the role that they have here."""

    roles: Mapping[str, Role] = field(default_factory=dict)
    creates_accounts: bool = False
    asks_code: bool = False
    """whether people who have a second factor of this desk are asked for it as well"""

    def role_of(self, identity: Identity) -> Role | None:
        """The first of the mapping that the provider names."""
        return next((role for group, role in self.roles.items() if group in identity.groups), None)


class Refusal(StrEnum):
    """Why somebody with an identity was not let in; the words are those of the audit log."""

    NO_ACCOUNT = "no account of the desk belongs to this identity"
    NOT_LET_IN = "the account is deactivated or a customer's"
    OTHER_IDENTITY = "the account belongs to another identity of this provider"
    UNVERIFIED = "the provider has not verified the e-mail address"
    NO_ROLE = "the provider names no role of this desk"
    OPEN_WORK = "the role that the provider names cannot own the open tickets of this person"


async def begin(session: AsyncSession, flow: Flow, *, caller: Caller) -> bool:
    """Remember a sign-in that goes to the provider; False when too many from this address have not come back."""
    now = clock.now()
    await session.execute(delete(SignInFlow).where(SignInFlow.expires_at <= now))
    own = select(func.count()).select_from(SignInFlow).where(SignInFlow.ip == caller.ip)
    if (await session.scalar(own) or 0) >= MOST_UNFINISHED:
        return False
    session.add(
        SignInFlow(
            state_hash=hash_of(flow.state),
            browser_hash=hash_of(flow.browser),
            nonce=flow.nonce,
            code_verifier=flow.code_verifier,
            next_path=flow.next_path,
            ip=caller.ip,
            expires_at=now + FLOW_LASTS,
        )
    )
    return True


async def take(session: AsyncSession, *, state: str, browser: str) -> Flow | None:
    """The sign-in that this browser began with this state, which is used up by asking; of two at once one gets it."""
    statement = (
        delete(SignInFlow)
        .where(
            SignInFlow.state_hash == hash_of(state),
            SignInFlow.browser_hash == hash_of(browser),
            SignInFlow.expires_at > clock.now(),
        )
        .returning(SignInFlow.next_path, SignInFlow.nonce, SignInFlow.code_verifier)
    )
    row = (await session.execute(statement)).one_or_none()
    return Flow(row[0], state, browser, nonce=row[1], code_verifier=row[2]) if row is not None else None


async def refuse(session: AsyncSession, *, reason: str, caller: Caller) -> None:
    """Write down that the answer of the provider was not believed: nobody knows whom it was about."""
    await _record_refusal(session, _stranger(), reason, caller)


async def sign_in(
    session: AsyncSession, identity: Identity, *, rules: Rules, caller: Caller, lifetime: Lifetime, replaces: str = ""
) -> Begun | Refusal:
    """Open a session for whom the provider vouches, or say why not; refusals are written to the audit log.

    The account is found by issuer and subject; the first time by a verified e-mail address, and then it is linked.
    Where the rules map roles, the role follows the provider at each sign-in, as an admin would change it.
    `replaces` is the token that this browser held before: that sign-in ends.
    """
    user = await _linked(session, identity)
    if user is None:
        found = await _by_address(session, identity, rules, caller)
        if isinstance(found, Refusal):
            await _record_refusal(session, await _subject(session, identity), found, caller)
            return found
        user = found
    refusal = await _check(session, user, identity, rules)
    if refusal is not None:
        await _record_refusal(session, user, refusal, caller)
        return refusal
    if await _linked(session, identity) is None:
        await _link(session, user, identity, caller)
    await _follow_role(session, user, rules.role_of(identity), caller)
    await sign_in_sessions.end_replaced(session, replaces)
    if rules.asks_code:
        return await sign_in_sessions.begin(session, user, caller=caller, lifetime=lifetime)
    return Begun(await sign_in_sessions.begin_whole(session, user, caller=caller, lifetime=lifetime, by_provider=True))


async def _linked(session: AsyncSession, identity: Identity) -> User | None:
    statement = (
        select(User)
        .join(ExternalIdentity, ExternalIdentity.user_id == User.id)
        .where(ExternalIdentity.issuer == identity.issuer, ExternalIdentity.subject == identity.subject)
        .with_for_update(of=User, key_share=True)
    )
    found: User | None = await session.scalar(statement)
    return found


async def _by_address(session: AsyncSession, identity: Identity, rules: Rules, caller: Caller) -> User | Refusal:
    if not identity.email:
        return Refusal.UNVERIFIED
    address = identity.email.strip().lower()
    user = await session.scalar(select(User).where(User.email == address).with_for_update(key_share=True))
    if user is not None:
        own = (ExternalIdentity.user_id == user.id, ExternalIdentity.issuer == identity.issuer)
        linked = await session.scalar(select(ExternalIdentity.subject).where(*own))
        return user if linked in {None, identity.subject} else Refusal.OTHER_IDENTITY
    if not rules.creates_accounts or len(address) > LONGEST_ADDRESS:
        return Refusal.NO_ACCOUNT
    role = rules.role_of(identity)
    return await _created(session, identity, address, role, caller) if role is not None else Refusal.NO_ROLE


async def _created(session: AsyncSession, identity: Identity, address: str, role: Role, caller: Caller) -> User:
    name = "".join(character for character in identity.name if character.isprintable()).strip()
    user = User(email=address, full_name=name[:LONGEST_NAME] or address[:LONGEST_NAME], role=role)
    session.add(user)
    await audit.record(session, _provider(caller), AuditAction.CREATE, user)
    return user


async def _check(session: AsyncSession, user: User, identity: Identity, rules: Rules) -> Refusal | None:
    if not user.is_active or user.role not in DESK_ROLES:
        return Refusal.NOT_LET_IN
    if not rules.roles:
        return None
    role = rules.role_of(identity)
    if role is None:
        return Refusal.NO_ROLE
    return Refusal.OPEN_WORK if await roles.would_leave_work(session, user, role) else None


async def _link(session: AsyncSession, user: User, identity: Identity, caller: Caller) -> None:
    await session.flush()
    session.add(ExternalIdentity(user_id=user.id, issuer=identity.issuer, subject=identity.subject))
    changes = {"identity": (None, f"{identity.subject} at {identity.issuer}")}
    await audit.record(session, _provider(caller), AuditAction.LINK_IDENTITY, user, changes=changes)


async def _follow_role(session: AsyncSession, user: User, role: Role | None, caller: Caller) -> None:
    if role is not None and role is not user.role:
        await roles.change(session, _provider(caller), user, role)
        await sign_in_sessions.end_all(session, user.id)


async def _subject(session: AsyncSession, identity: Identity) -> User:
    """Whom a refusal is about: the account with this address, if the provider has verified it."""
    if not identity.email:
        return _stranger()
    address = identity.email.strip().lower()
    return await session.scalar(select(User).where(User.email == address)) or _stranger(address)


async def _record_refusal(session: AsyncSession, subject: User, reason: str, caller: Caller) -> None:
    actor = sign_in_sessions.actor_of(subject, caller)
    reason = f"single sign-on: {reason}"[:500]
    await audit.record(session, actor, AuditAction.SIGN_IN_REFUSED, subject, changes={}, reason=reason)


def _stranger(address: str = "") -> User:
    return User(email=address, full_name="Unknown", role=Role.CUSTOMER, timezone="UTC")


def _provider(caller: Caller) -> Actor:
    """The provider acts with the rights of whoever has configured it."""
    return Actor(
        id=None,
        name="Single sign-on",
        role=Role.ADMIN,
        kind=ActorKind.SYSTEM,
        request_id=caller.request_id,
        ip=caller.ip,
    )
