"""Who may do what, on one page.

A permission is `resource:verb`; a verb that reaches further than its plain form adds what it reaches
(`ticket:transfer-any`). `ROLE_PERMISSIONS` is the truth: services enforce it, buttons follow it, the README shows it.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is at this desk. A customer never signs in."""

    CUSTOMER = "customer"
    STAFF = "staff"
    SUPERVISOR = "supervisor"
    OPS = "ops"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that a role may be allowed to do."""

    TICKET_LIST = "ticket:list"
    TICKET_DETAILS = "ticket:details"
    TICKET_CREATE = "ticket:create"
    TICKET_EDIT = "ticket:edit"
    TICKET_COMMENT = "ticket:comment"
    TICKET_ATTACH = "ticket:attach"
    TICKET_CLOSE = "ticket:close"
    TICKET_TRANSFER = "ticket:transfer"
    TICKET_TRANSFER_ANY = "ticket:transfer-any"
    TICKET_DELETE = "ticket:delete"
    TICKET_RESTORE = "ticket:restore"
    TICKET_TRASH = "ticket:trash"
    TICKET_REOPEN_CLOSED = "ticket:reopen-closed"
    TICKET_BULK = "ticket:bulk"
    TICKET_IMPORT = "ticket:import"
    TICKET_EXPORT = "ticket:export"
    TICKET_PURGE = "ticket:purge"
    USER_LIST = "user:list"
    USER_DETAILS = "user:details"
    USER_CREATE = "user:create"
    USER_EDIT = "user:edit"
    USER_EDIT_STAFF = "user:edit-staff"
    USER_DEACTIVATE = "user:deactivate"
    USER_REACTIVATE = "user:reactivate"
    USER_CHANGE_ROLE = "user:change-role"
    USER_RESET_PASSWORD = "user:reset-password"  # noqa: S105 - a permission's name, not a password
    USER_END_SESSIONS = "user:end-sessions"
    AUDIT_LIST = "audit:list"
    AUDIT_DETAILS = "audit:details"
    AUDIT_EXPORT = "audit:export"
    AUDIT_VERIFY = "audit:verify"
    NOTIFICATION_LIST = "notification:list"
    NOTIFICATION_MARK_READ = "notification:mark-read"
    NOTIFICATION_LIST_ALL = "notification:list-all"
    POOL_VIEW = "pool:view"
    POOL_TEST_ALERT = "pool:test-alert"
    ERRORS_VIEW = "errors:view"
    SLOW_QUERIES_VIEW = "slow-queries:view"


_P = Permission

_OWN_NOTIFICATIONS = frozenset({_P.NOTIFICATION_LIST, _P.NOTIFICATION_MARK_READ})

_STAFF = _OWN_NOTIFICATIONS | {
    _P.TICKET_LIST,
    _P.TICKET_DETAILS,
    _P.TICKET_CREATE,
    _P.TICKET_EDIT,
    _P.TICKET_COMMENT,
    _P.TICKET_ATTACH,
    _P.TICKET_CLOSE,
    _P.TICKET_TRANSFER,
    _P.TICKET_DELETE,
    _P.USER_LIST,
    _P.USER_DETAILS,
    _P.USER_CREATE,
    _P.USER_EDIT,
}

_SUPERVISOR = _STAFF | {
    _P.TICKET_TRANSFER_ANY,
    _P.TICKET_RESTORE,
    _P.TICKET_TRASH,
    _P.TICKET_REOPEN_CLOSED,
    _P.TICKET_BULK,
    _P.TICKET_IMPORT,
    _P.TICKET_EXPORT,
    _P.USER_DEACTIVATE,
    _P.USER_REACTIVATE,
    _P.AUDIT_LIST,
    _P.AUDIT_DETAILS,
    _P.AUDIT_EXPORT,
    _P.AUDIT_VERIFY,
    _P.NOTIFICATION_LIST_ALL,
}

_OPS = _OWN_NOTIFICATIONS | {
    _P.AUDIT_VERIFY,
    _P.POOL_VIEW,
    _P.POOL_TEST_ALERT,
    _P.ERRORS_VIEW,
    _P.SLOW_QUERIES_VIEW,
}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.CUSTOMER: frozenset(),
        Role.STAFF: _STAFF,
        Role.SUPERVISOR: _SUPERVISOR,
        Role.OPS: _OPS,
        Role.ADMIN: frozenset(Permission),
    }
)

DESK_ROLES = frozenset({Role.STAFF, Role.SUPERVISOR, Role.OPS, Role.ADMIN})
"""Roles that may sign in."""

OWNING_ROLES = frozenset({Role.STAFF, Role.SUPERVISOR, Role.ADMIN})
"""Roles that can be responsible for a ticket."""
