"""Who may do what, on one page. The table below is written out by hand: a slip in the code shows here."""

import re

import pytest

from admin_app.permissions import DESK_ROLES, OWNING_ROLES, ROLE_PERMISSIONS, Permission, Role

STAFF, SUPERVISOR, OPS, ADMIN = Role.STAFF, Role.SUPERVISOR, Role.OPS, Role.ADMIN

TABLE = {
    (STAFF, SUPERVISOR, ADMIN): """
        ticket:list ticket:details ticket:create ticket:edit ticket:comment ticket:attach ticket:close
        ticket:transfer ticket:delete user:list user:details user:create user:edit""",
    (SUPERVISOR, ADMIN): """
        ticket:transfer-any ticket:restore ticket:trash ticket:reopen-closed ticket:bulk ticket:import ticket:export
        user:deactivate user:reactivate audit:list audit:details audit:export notification:list-all""",
    (SUPERVISOR, OPS, ADMIN): "audit:verify",
    (ADMIN,): "ticket:purge user:edit-staff user:change-role user:reset-password user:end-sessions",
    (STAFF, SUPERVISOR, OPS, ADMIN): "notification:list notification:mark-read",
    (OPS, ADMIN): "pool:view pool:test-alert errors:view slow-queries:view",
}
HOLDERS = {permission: set(roles) for roles, permissions in TABLE.items() for permission in permissions.split()}


class TestPermission:
    @pytest.mark.parametrize("permission", Permission)
    def test_it_is_named_resource_and_verb(self, permission: Permission) -> None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*:[a-z]+(-[a-z]+)*", permission)
        assert permission.name == re.sub("[:-]", "_", permission).upper()


class TestRolePermissions:
    def test_every_permission_is_in_the_table_and_no_other(self) -> None:
        assert set(HOLDERS) == set(Permission)

    @pytest.mark.parametrize("permission", Permission)
    def test_it_is_held_by_exactly_these_roles(self, permission: Permission) -> None:
        assert {role for role in Role if permission in ROLE_PERMISSIONS[role]} == HOLDERS[permission]

    def test_every_role_has_its_row(self) -> None:
        assert set(ROLE_PERMISSIONS) == set(Role)

    def test_a_customer_may_do_nothing(self) -> None:
        assert ROLE_PERMISSIONS[Role.CUSTOMER] == frozenset()

    def test_nobody_can_add_to_it_at_run_time(self) -> None:
        with pytest.raises(TypeError):
            ROLE_PERMISSIONS[Role.CUSTOMER] = frozenset(Permission)  # type: ignore[index]


class TestRoleGroups:
    def test_everybody_but_customers_signs_in(self) -> None:
        assert set(Role) - DESK_ROLES == {Role.CUSTOMER}

    def test_whoever_may_edit_tickets_can_own_one(self) -> None:
        assert {role for role in Role if Permission.TICKET_EDIT in ROLE_PERMISSIONS[role]} == OWNING_ROLES
