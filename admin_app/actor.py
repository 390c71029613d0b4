"""Who is acting."""

from dataclasses import dataclass
from enum import StrEnum

from admin_app.errors import PermissionDenied
from admin_app.permissions import ROLE_PERMISSIONS, Permission, Role


class ActorKind(StrEnum):
    """Through which door the actor came."""

    USER = "user"
    IMPORT = "import"
    SYSTEM = "system"
    CLI = "cli"


@dataclass(frozen=True)
class Actor:
    """The person or process behind a change, and where the request came from."""

    id: int | None
    name: str
    role: Role
    kind: ActorKind = ActorKind.USER
    timezone: str = "UTC"
    request_id: str | None = None
    ip: str | None = None

    def can(self, permission: Permission) -> bool:
        """Whether this actor's role holds the permission."""
        return permission in ROLE_PERMISSIONS[self.role]

    def require(self, permission: Permission) -> None:
        """Refuse with `PermissionDenied` unless the role holds the permission."""
        if not self.can(permission):
            raise PermissionDenied(permission=permission)


def command_line_actor(kind: ActorKind = ActorKind.CLI) -> Actor:
    """Whoever may run commands on the server has the rights of an admin."""
    return Actor(id=None, name="Command line", role=Role.ADMIN, kind=kind)
