"""Locks what is installed: exact versions with the hash of every file of a release. `make lock` runs it.

The lock holds for CPython on Linux and macOS. What only Windows needs is not in it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.house import PROJECT_ROOT

CONFIG = PROJECT_ROOT / "config"
RUNTIME, DEV, AUDIT = "constraints.txt", "constraints-dev.txt", "constraints-audit.txt"
EXTRAS = {RUNTIME: (), DEV: ("dev",), AUDIT: ("audit",)}
HEADS = {
    RUNTIME: "# What the desk runs on, exactly. Ranges stand in pyproject.toml; `make lock` writes this file.\n",
    DEV: "# What the tests and checks need besides. `make lock` writes this file.\n-r constraints.txt\n",
    AUDIT: "# What `make audit` and `make sbom` need besides. `make lock` writes this file.\n-r constraints.txt\n",
}
SAFE_EVERYWHERE = ("--strip-extras", "--allow-unsafe", "--no-header", "--no-annotate", "--no-emit-options")


def blocks(text: str) -> dict[str, str]:
    """Name → its pin with the hashes below it."""
    pins = re.finditer(r"^([a-z0-9][a-z0-9._-]*)==.*(?:\n    --hash=.*)*", text, re.MULTILINE)
    return {pin.group(1): pin.group(0) for pin in pins}


def locked(file: str) -> dict[str, str]:
    """Name → version that this file pins itself, without those it takes over from another."""
    pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", (CONFIG / file).read_text(), re.MULTILINE)
    return dict(pins)


def lock(*, upgrade: bool) -> None:
    """Resolve everything at once, so that no two layers disagree; then write what each layer adds."""
    with TemporaryDirectory() as folder:
        everything = Path(folder) / "everything.txt"
        everything.write_text(
            "".join(f"{name}=={version}\n" for file in EXTRAS for name, version in locked(file).items())
        )
        extras = [extra for names in EXTRAS.values() for extra in names]
        _compile(everything, extras, "--generate-hashes", *(["--upgrade"] if upgrade else []))
        pinned = blocks(everything.read_text())
        runtime: set[str] = set()
        for file, names in EXTRAS.items():
            only = Path(folder) / file
            _compile(only, names, "--constraint", str(everything))
            added = set(blocks(only.read_text())) - runtime
            runtime = runtime or added
            (CONFIG / file).write_text(HEADS[file] + "".join(f"{pinned[name]}\n" for name in sorted(added)))


def _compile(output: Path, extras: list[str] | tuple[str, ...], *options: str) -> None:
    chosen = [f"--extra={extra}" for extra in extras]
    command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--build-deps-for=editable", *SAFE_EVERYWHERE]
    subprocess.run(
        [*command, *chosen, *options, f"--output-file={output}", "pyproject.toml"], cwd=PROJECT_ROOT, check=True
    )


if __name__ == "__main__":
    lock(upgrade=bool(os.environ.get("UPGRADE")))
