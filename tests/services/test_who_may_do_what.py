"""Every service × every role, against the table of the specification as a person wrote it down."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from admin_app.actor import Actor
from admin_app.errors import NotFound, PermissionDenied
from admin_app.permissions import Permission, Role
from tests.services import every_batch, every_service
from tests.services.every_batch import BATCHES
from tests.services.every_service import TABLE, Call, Row, Scene
from tests.support.cells import none_wrong
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


async def outcome(scene: Scene, actor: Actor, call: Call) -> str:
    """What comes of the call for this actor; it is taken back either way, and what nobody foresaw is told."""

    async def attempt(session) -> None:
        await call(session, actor, scene)
        await session.flush()
        raise TakenBack

    try:
        await scene.desk.database.run(attempt)
    except TakenBack:
        return "done"
    except (PermissionDenied, NotFound):
        return "refused"
    except Exception as error:
        return repr(error)
    return "committed"


async def those_who_write(scene: Scene, rows: Sequence[Row]) -> list[str]:
    """The services of which an attempt that is taken back leaves something behind."""
    found = []
    for row in rows:
        before = await scene.desk.everything()
        for role in Role:
            await outcome(scene, scene.desk.as_role(role), row.call)
        if await scene.desk.everything() != before:
            found.append(row.name)
    return found


async def wrong_cells(scene: Scene, rows: Sequence[Row]) -> dict[str, str]:
    """Each service × each role that is not as the table says, and whatever writes although it is taken back."""
    before, wrong = await scene.desk.everything(), {}
    for row in rows:
        for role in Role:
            found = await outcome(scene, scene.desk.as_role(role), row.call)
            if found != ("done" if role.value in row.roles else "refused"):
                wrong[f"{row.name}, by {role.value}"] = found
    if await scene.desk.everything() != before:
        wrong |= dict.fromkeys(await those_who_write(scene, rows), "leaves something behind")
    return wrong


class TestEveryService:
    async def test_is_done_for_these_roles_and_refused_to_the_others(self, scene: Scene) -> None:
        none_wrong(await wrong_cells(scene, EVERY))

    async def test_asks_for_its_own_right_and_not_only_for_that_to_see(self, scene: Scene) -> None:
        ada = scene.desk.cast.ada
        admin = {"id": ada.id, "name": ada.name, "role": ada.role}
        wrong = {}
        for row in EVERY:
            found = [
                await outcome(scene, AllBut(**admin, missing=missing), row.call) for missing in (None, row.permission)
            ]
            if found != ["done", "refused"]:
                wrong[row.name] = f"with every right {found[0]}, without {row.permission} {found[1]}"
        none_wrong(wrong)

    async def test_a_role_too_many_and_what_stays_behind_would_be_noticed(self, scene: Scene) -> None:
        """The negative control."""

        async def commit_on_its_own(session, actor: Actor, scene: Scene) -> None:
            await opened.call(session, actor, scene)
            await session.commit()

        opened, purged = EVERY[0], next(row for row in TABLE if row.name == "purge a ticket")
        rows = [opened._replace(name="open and commit", call=commit_on_its_own), purged._replace(roles={"supervisor"})]
        assert await wrong_cells(scene, rows) == {
            "purge a ticket, by supervisor": "refused",
            "purge a ticket, by admin": "done",
            "open and commit": "leaves something behind",
        }


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
            "parameters.check",
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
