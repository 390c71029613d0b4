"""Every service × every role, against the table of the specification as a person wrote it down."""

from dataclasses import dataclass

import pytest

from admin_app.actor import Actor
from admin_app.errors import NotFound, PermissionDenied
from admin_app.permissions import Permission, Role
from tests.services.every_service import TABLE, Call, Row, Scene


class TakenBack(Exception):
    """Ends a transaction that went well, so that the next role meets the same scene."""


@dataclass(frozen=True)
class AllBut(Actor):
    """An admin without one right."""

    missing: Permission | None = None

    def can(self, permission: Permission) -> bool:
        return permission is not self.missing and super().can(permission)


async def is_done(scene: Scene, actor: Actor, call: Call) -> bool:
    """Whether the call goes through for this actor; it is taken back either way."""

    async def attempt(session) -> None:
        await call(session, actor, scene)
        await session.flush()
        raise TakenBack

    with pytest.raises((TakenBack, PermissionDenied, NotFound)) as ended:
        await scene.desk.database.run(attempt)
    return ended.type is TakenBack


class TestEveryService:
    @pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
    async def test_is_done_for_these_roles_and_refused_to_the_others(self, scene: Scene, row: Row) -> None:
        async with scene.desk.nothing_written():
            done = {role.value for role in Role if await is_done(scene, scene.desk.as_role(role), row.call)}
        assert done == row.roles

    @pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
    async def test_asks_for_its_own_right_and_not_only_for_that_to_see(self, scene: Scene, row: Row) -> None:
        ada = scene.desk.cast.ada
        admin = {"id": ada.id, "name": ada.name, "role": ada.role}
        assert await is_done(scene, AllBut(**admin), row.call)
        assert not await is_done(scene, AllBut(**admin, missing=row.permission), row.call)
