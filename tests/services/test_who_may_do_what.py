"""Every service × every role, against the table of the specification as a person wrote it down."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from admin_app.actor import Actor
from admin_app.errors import NotFound, PermissionDenied
from admin_app.permissions import Permission, Role
from tests.services import every_batch, every_service
from tests.services.every_batch import BATCHES
from tests.services.every_service import TABLE, Call, Row, Scene
from tests.support.house import ADMIN_APP, python_files

EVERY = TABLE + BATCHES


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
    @pytest.mark.parametrize("row", EVERY, ids=lambda row: row.name)
    async def test_is_done_for_these_roles_and_refused_to_the_others(self, scene: Scene, row: Row) -> None:
        async with scene.desk.nothing_written():
            done = {role.value for role in Role if await is_done(scene, scene.desk.as_role(role), row.call)}
        assert done == row.roles

    @pytest.mark.parametrize("row", EVERY, ids=lambda row: row.name)
    async def test_asks_for_its_own_right_and_not_only_for_that_to_see(self, scene: Scene, row: Row) -> None:
        ada = scene.desk.cast.ada
        admin = {"id": ada.id, "name": ada.name, "role": ada.role}
        assert await is_done(scene, AllBut(**admin), row.call)
        assert not await is_done(scene, AllBut(**admin, missing=row.permission), row.call)


class TestNoServiceIsForgotten:
    """Whatever takes a session and an actor stands in one of the two tables, or is told here why not."""

    FLOORS = ("operations", "pages", "batches")
    ELSEWHERE = frozenset(
        {
            # for one's own account only: nobody needs a right for it
            "identities.own",
            "identities.unlink_own",
            "own_password.change",
            "own_password.of_actor",
            "own_sign_ins.end_others",
            "own_sign_ins.end_own",
            "own_sign_ins.own",
            "second_factor.begin",
            "second_factor.confirm",
            "second_factor.renew_recovery_codes",
            "second_factor.state",
            "second_factor.turn_off",
            "sign_in.sign_out",
            "step_up.confirm_with_code",
            "step_up.confirm_with_password",
            "step_up.own_password_hash",
            # parts of a preview, an apply and an import, behind their rights
            "choosing.chosen",
            "parameters.action_for",
            "storing.import_batch",
        }
    )

    @staticmethod
    def services() -> set[str]:
        """module.function of each."""
        found = set()
        for floor in TestNoServiceIsForgotten.FLOORS:
            for file in python_files(ADMIN_APP / "services" / floor):
                for node in ast.parse(file.read_text()).body:
                    if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
                        given = {argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]}
                        if {"session", "actor"} <= given:
                            found.add(f"{file.stem}.{node.name}")
        return found

    @staticmethod
    def called() -> set[str]:
        """module.function of every call in the two tables."""
        sources = "".join(Path(module.__file__).read_text() for module in (every_service, every_batch))
        return set(re.findall(r"\b(\w+\.\w+)\(", sources))

    def test_each_one_is_in_a_table(self) -> None:
        assert self.services() - self.called() - self.ELSEWHERE == set()

    def test_the_search_finds_services(self) -> None:
        """The negative control."""
        assert {"apply.apply", "off_boarding.off_board", "retention.plan", "tickets.edit"} <= self.services()
        assert "tickets.unheard_of" not in self.called()
