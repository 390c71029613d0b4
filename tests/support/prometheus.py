"""Prometheus for the test that needs one. `python -m tests.support.prometheus` gets it, or says that it cannot.

PROMETHEUS_PATH is the folder of `prometheus` and `promtool`; else they are on the PATH, or below `build/`, where root
on Debian has them unpacked: installed, its package would start a server on port 9090 for everybody on the network.
Elsewhere their tests are skipped, with a sentence that says how to get them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.support import programs
from tests.support.clusters import free_port
from tests.support.house import PROJECT_ROOT
from tests.support.programs import PATIENCE

RULES = PROJECT_ROOT / "config" / "prometheus-alerts.yml"
UNPACKED = PROJECT_ROOT / "build" / "prometheus"
HOW_TO_GET_IT = (
    "Prometheus is not there: `apt-get install prometheus` (or the package of your system), or set PROMETHEUS_PATH to "
    "the folder with prometheus and promtool"
)
CONFIGURATION = """
global: {{ scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms }}
rule_files: ["{rules}"]
scrape_configs: [{{ job_name: desk, static_configs: [{{ targets: ["{target}"] }}] }}]
"""


class NoPrometheus(RuntimeError):
    """There is none."""


@dataclass(frozen=True)
class Programs:
    """The server, and the tool that reads its files."""

    prometheus: str
    promtool: str

    def tool(self, *arguments: str) -> tuple[bool, str]:
        """Run promtool: whether it is content, and what it says."""
        ran = subprocess.run([self.promtool, *arguments], capture_output=True, text=True, check=False, timeout=60)
        return ran.returncode == 0, f"{ran.stdout}{ran.stderr}"


@dataclass(frozen=True)
class Prometheus:
    """A server that collects figures, asked by its own interface."""

    port: int
    log: Path

    def ask(self, what: str, **parameters: str) -> Any:
        """What it answers; None while it does not."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{what}?{urlencode(parameters)}", timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def value(self, expression: str) -> float | None:
        """The figure that it makes of an expression; None where there is none."""
        found = self.ask("query", query=expression)
        return float(found["result"][0]["value"][1]) if found and found["result"] else None


def find_prometheus() -> Programs | None:
    """Both programs, if they are there."""
    chosen = os.environ.get("PROMETHEUS_PATH")
    folders = chosen or os.pathsep.join([os.environ.get("PATH", ""), str(UNPACKED / "usr" / "bin")])
    server, tool = (shutil.which(name, path=folders) for name in ("prometheus", "promtool"))
    if server and tool:
        return Programs(server, tool)
    if chosen:
        raise NoPrometheus(f"PROMETHEUS_PATH is {chosen}, and prometheus and promtool are not both there")
    return None


def get_prometheus() -> str:
    """Find it or unpack it, or say that there is none."""

    def find() -> str | None:
        found = find_prometheus()
        return found and found.prometheus

    return programs.get(find, _unpack, f"its tests will be skipped. {HOW_TO_GET_IT}")


def _unpack() -> None:
    UNPACKED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="desk-prometheus-") as folder:
        programs.run("apt-get", *PATIENCE, "update", "-q")
        programs.run(
            "sh",
            "-c",
            'cd "$0" && apt-get -q "$@" download prometheus',
            folder,
            "-o",
            "APT::Sandbox::User=root",
            *PATIENCE,
        )
        [package] = Path(folder).glob("*.deb")
        programs.run("dpkg-deb", "-x", str(package), str(UNPACKED))


@contextmanager
def prometheus(tools: Programs, target: str) -> Iterator[Prometheus]:
    """One on loopback that collects the desk's figures five times a second, by the rules that are shipped."""
    folder = Path(tempfile.mkdtemp(prefix="desk-prometheus-"))
    (folder / "prometheus.yml").write_text(CONFIGURATION.format(rules=RULES, target=target))
    port, log = free_port(), folder / "prometheus.log"
    command = [
        tools.prometheus,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield Prometheus(port, log)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.stdout.write(f"prometheus: {get_prometheus()}\n")
