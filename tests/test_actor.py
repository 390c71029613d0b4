"""Who is acting."""

import dataclasses

import pytest

from admin_app.actor import Actor, ActorKind, command_line_actor
from admin_app.errors import PermissionDenied
from admin_app.permissions import Permission, Role

SAM = Actor(id=1, name="Sam Staff", role=Role.STAFF)


class TestCan:
    def test_what_the_role_holds_is_allowed(self) -> None:
        assert SAM.can(Permission.TICKET_EDIT) is True

    def test_what_it_does_not_hold_is_not(self) -> None:
        assert SAM.can(Permission.TICKET_PURGE) is False


class TestRequire:
    def test_what_the_role_holds_passes(self) -> None:
        SAM.require(Permission.TICKET_EDIT)

    def test_what_it_does_not_hold_is_refused_and_named_for_the_log_alone(self) -> None:
        with pytest.raises(PermissionDenied, match=r"^You are not allowed to do this\.$") as refused:
            SAM.require(Permission.TICKET_PURGE)
        assert refused.value.permission == "ticket:purge"


class TestActor:
    def test_nobody_can_promote_themselves(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            SAM.role = Role.ADMIN  # type: ignore[misc]

    def test_a_person_comes_through_the_browser_unless_said_otherwise(self) -> None:
        assert (SAM.kind, SAM.timezone, SAM.request_id, SAM.ip) == (ActorKind.USER, "UTC", None, None)


class TestCommandLineActor:
    def test_it_may_do_everything_and_is_no_user(self) -> None:
        actor = command_line_actor()
        assert all(actor.can(permission) for permission in Permission)
        assert (actor.id, actor.kind) == (None, ActorKind.CLI)

    def test_it_can_stand_for_an_import(self) -> None:
        assert command_line_actor(ActorKind.IMPORT).kind is ActorKind.IMPORT
