"""README cannot rot: what it shows of the code is compared with the code."""

import re

from admin_app.permissions import ROLE_PERMISSIONS, Permission, Role
from admin_app.web.routes import ANYONE, ROWS
from tests.support.house import PROJECT_ROOT

COLUMNS = [Role.STAFF, Role.SUPERVISOR, Role.OPS, Role.ADMIN]
TICK = "✓"


def role_table() -> dict[str, set[str]]:
    """Permission → the roles that README ticks for it."""
    lines = (PROJECT_ROOT / "README.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|")]
    header = next(row for row in rows if [name.lower().strip("`* ") for name in row[1:]] == COLUMNS)
    ticked = {}
    for row in rows[rows.index(header) + 1 :]:
        named = re.fullmatch(r"`([a-z-]+:[a-z-]+)`", row[0])
        if named and len(row) == len(COLUMNS) + 1:
            ticked[named.group(1)] = {role for role, cell in zip(COLUMNS, row[1:], strict=True) if cell == TICK}
    return ticked


class TestRoleTable:
    def test_it_says_what_the_code_does(self) -> None:
        in_code = {str(p): {role for role in COLUMNS if p in ROLE_PERMISSIONS[role]} for p in Permission}
        assert role_table() == in_code, "People decide by this table whom to give which role: it must be true."


class TestWaysIn:
    def test_the_table_has_each_address_that_lets_somebody_in(self) -> None:
        """Whoever adds a door without a sign-in in front of it says here how strong it is."""
        section = (PROJECT_ROOT / "README.md").read_text().split("**Ways in**")[1].split("**Holes in")[0]
        doors = {row.path for row in ROWS if row.needs is ANYONE and row.path.startswith("/admin/")}
        assert set(re.findall(r"`(/admin/[\w/-]+)`", section)) == doors - {"/admin/assets/{path:path}"}
        assert all(line.count("|") == 5 for line in section.splitlines() if line.startswith("|"))


class TestCommands:
    def test_every_make_target_it_names_exists(self) -> None:
        named = set(re.findall(r"`make ([a-z0-9-]+)", (PROJECT_ROOT / "README.md").read_text()))
        targets = set(re.findall(r"^([a-z0-9-]+):", (PROJECT_ROOT / "Makefile").read_text(), re.MULTILINE))
        assert named <= targets, "The first thing a newcomer types must work."
