"""How often somebody may try a password: per account, per address, and for a known device on its own."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app.models.audit_log import AuditAction
from admin_app.models.user import User
from admin_app.permissions import Role
from admin_app.services.blocks import attempts, sign_in_sessions
from admin_app.services.blocks.attempts import Admission as Admission
from admin_app.services.blocks.attempts import Limit as Limit
from admin_app.services.blocks.sign_in_sessions import Caller
from admin_app.services.records import audit, lookup


@dataclass(frozen=True)
class Attempt:
    """Whose account is tried, and the device that has been let into it before, if it is one."""

    email: str
    device: str | None = None

    def names(self, caller: Caller) -> list[str]:
        """What is counted: a known device only by itself, so that strangers cannot use up its tries."""
        account = f"account {lookup.address_in(self.email)}"
        if self.device is not None:
            return [f"{account} device {self.device}"]
        return [account, f"address {_whole(caller.ip)}"]


async def admit(session: AsyncSession, attempt: Attempt, *, caller: Caller, limit: Limit) -> Admission:
    """Count a try before the password is looked at; unknown accounts are counted like any other.

    A refusal is no exception, because it is committed: the first one of a window is written to the audit log.
    """
    admission = await attempts.admit(session, attempt.names(caller), limit)
    if admission.is_news:
        address = lookup.address_in(attempt.email)[:254]
        user = await session.scalar(select(User).where(User.email == address))
        nobody = User(email="somebody unknown", full_name="Unknown", role=Role.CUSTOMER, timezone="UTC")
        subject = user or nobody
        actor = sign_in_sessions.actor_of(subject, caller)
        await audit.record(session, actor, AuditAction.SIGN_IN_THROTTLED, subject, changes={})
    return admission


async def succeeded(session: AsyncSession, attempt: Attempt, admission: Admission, *, caller: Caller) -> None:
    """A right password was no guess: its try does not count, and a known device begins anew."""
    await attempts.give_back(session, admission)
    if attempt.device is not None:
        [name] = attempt.names(caller)
        await attempts.clear(session, name)


def _whole(ip: str | None) -> str:
    """An address as it is counted: one customer of IPv6 has a whole /64 to choose from (RFC 6177)."""
    try:
        address = ip_address(ip or "")
    except ValueError:
        return str(ip)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Address(int(address) >> 64 << 64))
    return str(address)
