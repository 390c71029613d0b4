"""Are there known holes in what the lock names? `make audit`. Whatever could not be asked about counts as a hole."""

import json
import subprocess
import sys
from typing import Any

from tests.support.lock import CONFIG, EXTRAS, locked

UNREACHABLE = (
    "NOT AUDITED: the vulnerability service gave no answer, so nothing is known. Try again where it can be reached."
)


def verdict(report: dict[str, Any] | None, asked: dict[str, str]) -> list[str]:
    """What is wrong, as sentences; nothing when every pin was answered for and has no known hole."""
    if report is None:
        return [UNREACHABLE]
    answers = {found["name"].lower().replace("_", "-"): found for found in report["dependencies"]}
    unknown = sorted(name for name in asked if "vulns" not in answers.get(name, {}))
    if unknown == sorted(asked):
        return [UNREACHABLE]
    wrong = [f"NOT AUDITED: {name} {asked[name]} is unknown to the vulnerability service." for name in unknown]
    for name in sorted(set(asked) - set(unknown)):
        for hole in answers[name]["vulns"]:
            mended = ", ".join(hole["fix_versions"]) or "no version yet"
            wrong.append(f"VULNERABLE: {name} {asked[name]} has {hole['id']}; mended in {mended}.")
    return wrong


def ask() -> dict[str, Any] | None:
    """pip-audit's answer about every file of the lock; None when it ended without one."""
    files = [option for file in EXTRAS for option in ("-r", str(CONFIG / file))]
    options = ["--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json"]
    ran = subprocess.run(
        [sys.executable, "-m", "pip_audit", *options, *files], capture_output=True, text=True, check=False
    )
    try:
        return dict(json.loads(ran.stdout))
    except ValueError:
        sys.stderr.write(ran.stderr[-2000:])
        return None


def main() -> int:
    """0 only when all of it was audited and none of it has a known hole."""
    asked = {name: version for file in EXTRAS for name, version in locked(file).items()}
    wrong = verdict(ask(), asked)
    for sentence in wrong:
        sys.stderr.write(f"{sentence}\n")
    sys.stdout.write(f"{len(asked)} packages in the lock: " + ("red\n" if wrong else "no known vulnerability\n"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
