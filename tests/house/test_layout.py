"""Where things live: rules that keep the folder list the architecture."""

import subprocess
from pathlib import Path

import pytest

from tests.support.house import ADMIN_APP, PROJECT_ROOT, python_files

TOP_LEVEL = {
    "pyproject.toml",
    "admin_app",
    "alembic",
    "tests",
    "config",
    "README.md",
    "Makefile",
    "LICENSE",
    "CHANGELOG.md",
}
MIRRORED = ("db", "services")


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    return listed.stdout.splitlines() or [str(file.relative_to(PROJECT_ROOT)) for file in python_files(PROJECT_ROOT)]


def mirrored_modules() -> list[Path]:
    files = [file for floor in MIRRORED for file in python_files(ADMIN_APP / floor)]
    return [file.relative_to(ADMIN_APP) for file in files if file.name != "__init__.py"]


class TestTopLevel:
    def test_the_top_folder_holds_only_what_a_newcomer_needs(self) -> None:
        found = {name.split("/")[0] for name in tracked_files()}
        strangers = {name for name in found if not name.startswith(".")} - TOP_LEVEL
        assert strangers == set(), "The first page a newcomer sees should be short: put it in one of the folders."

    def test_the_alembic_folder_is_no_package(self) -> None:
        assert not (PROJECT_ROOT / "alembic" / "__init__.py").exists(), (
            "alembic/__init__.py hides the installed library: `from alembic import op` would then find this folder."
        )

    def test_config_holds_data_only(self) -> None:
        python = [name for name in tracked_files() if name.startswith("config/") and name.endswith(".py")]
        assert python == [], "A configuration that is code cannot be checked before it runs."


class TestMirror:
    @pytest.mark.parametrize("module", mirrored_modules(), ids=str)
    def test_every_module_has_its_test_file(self, module: Path) -> None:
        mirror = PROJECT_ROOT / "tests" / module.parent / f"test_{module.name}"
        assert mirror.exists(), (
            f"{mirror.relative_to(PROJECT_ROOT)} is missing: whoever changes admin_app/{module} looks for tests there."
        )

    def test_no_test_file_of_the_database_floor_outlives_its_module(self) -> None:
        modules = [file.stem for file in (ADMIN_APP / "db").glob("*.py")]
        tests = [file.stem.removeprefix("test_") for file in (PROJECT_ROOT / "tests" / "db").glob("test_*.py")]
        orphans = [name for name in tests if not any(name.startswith(module) for module in modules)]
        assert orphans == [], "A test file is named after the module it tests, or test_<module>_<topic>.py."
