"""Real server processes for stories told through the browser."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.support.house import PROJECT_ROOT

SECRET_KEY = "the same for every process of a story, as for every worker of a desk"
STARTS_WITHIN = 90.0
ENDS_WITHIN = 30.0
THE_DESK = "admin_app.app:create_app_from_environment"
SERVE = """
import runpy, sys
from admin_app.cli import serving
serving.APP = sys.argv.pop(1)
runpy.run_module("admin_app", run_name="__main__")
"""
ADDRESS = re.compile(r"running on (http://\S+)")


@dataclass(frozen=True)
class Server:
    """One uvicorn process with a desk in it."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def path(self, path: str) -> str:
        """The address of one of its pages."""
        return f"{self.url}{path}"


@contextmanager
def serving(
    database_url: str, folder: Path, *, build: str = THE_DESK, at: int = 0, **settings: object
) -> Iterator[Server]:
    """A server process on a free port; `settings` as in the environment, in small letters; `build` makes the app."""
    log = folder / f"server-{time.monotonic_ns()}.log"
    command = [sys.executable, "-c", SERVE, build, "serve", "--port", str(at)]
    chosen = {name.upper(): str(value) for name, value in settings.items()}
    environment = {
        **os.environ,
        "ENVIRONMENT": "test",
        "DATABASE_URL": database_url,
        "SECRET_KEY": SECRET_KEY,
        "ATTACHMENTS_FOLDER": str(folder / "attachments"),
        **chosen,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=PROJECT_ROOT, stdout=output, stderr=output)
    try:
        yield Server(_address_of(process, log), process, log)
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where the process listens, once its database answers; an error with its log when it does not get there."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        found = ADDRESS.search(log.read_text())
        if found and _is_ready(found.group(1)):
            return found.group(1)
        time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


def _is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/health/ready", timeout=2) as answer:
            return answer.status == 200
    except (URLError, TimeoutError):
        return False
