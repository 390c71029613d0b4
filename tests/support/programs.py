"""Programs that tests need and no wheel brings: installed where that can be done, else their tests say how to."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

LONGEST_INSTALLATION_SECONDS = 300
PATIENCE = ("-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10")
"""No test run waits long for a mirror that does not answer."""


def is_root_on_debian() -> bool:
    """Where apt may install."""
    return Path("/etc/debian_version").exists() and hasattr(os, "geteuid") and os.geteuid() == 0


def run(*command: str) -> None:
    """Run a step of an installation; it asks nobody anything."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=True, env=environment, timeout=LONGEST_INSTALLATION_SECONDS)


def get(find: Callable[[], str | None], install: Callable[[], None], otherwise: str) -> str:
    """Find it; else install it where that can be done; a sentence, never an error, where it cannot."""
    found = find()
    if found is None and is_root_on_debian():
        try:
            install()
        except (OSError, subprocess.SubprocessError) as error:
            return f"none, and none to be had ({error}): {otherwise}"
        found = find()
    return found or f"none: {otherwise}"


def needed(found: T | None, how_to_get_it: str) -> T:
    """What `make test` has tried to get; where it cannot be had the skip says how to."""
    if found is None:
        pytest.skip(how_to_get_it)
    return found
