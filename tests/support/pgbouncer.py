"""PgBouncer for the test that needs one. `python -m tests.support.pgbouncer` gets it, or says that it cannot.

PGBOUNCER_PATH, then what is on the PATH, then where Debian puts it. There is no wheel: root on Debian installs it,
elsewhere its tests are skipped, with a sentence that says how to get it.
"""

import configparser
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from tests.support import programs
from tests.support.clusters import free_port
from tests.support.house import PROJECT_ROOT
from tests.support.programs import PATIENCE

SHIPPED = PROJECT_ROOT / "config" / "pgbouncer.ini"
HOW_TO_GET_IT = (
    "PgBouncer is not installed: `apt-get install pgbouncer` (or the package of your system), or set PGBOUNCER_PATH"
)
LOOKS, LOOKS_EVERY = 1000, 0.02


class NoPgBouncer(RuntimeError):
    """There is none."""


def find_pgbouncer() -> str | None:
    """The program, if there is one."""
    chosen = os.environ.get("PGBOUNCER_PATH")
    if chosen:
        if not Path(chosen).is_file():
            raise NoPgBouncer(f"PGBOUNCER_PATH is {chosen}, and there is no such file")
        return chosen
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


def get_pgbouncer() -> str:
    """Find it or install it, or say that there is none."""
    return programs.get(find_pgbouncer, _install, f"its test will be skipped. {HOW_TO_GET_IT}")


def _install() -> None:
    programs.run("apt-get", *PATIENCE, "update", "-q")
    programs.run("apt-get", *PATIENCE, "install", "-y", "-q", "--no-install-recommends", "pgbouncer")


def shipped_configuration() -> configparser.ConfigParser:
    """What `config/` brings, read as PgBouncer reads it."""
    parser = configparser.ConfigParser(comment_prefixes=(";", "#"), interpolation=None)
    parser.optionxform = str
    parser.read(SHIPPED, encoding="utf-8")
    return parser


@contextmanager
def pgbouncer(program: str, database_url: str, **changed: str) -> Iterator[str]:
    """One that runs as shipped, but for where it is and whom it lets in, and for `changed`; the URL of the desk."""
    folder = Path(tempfile.mkdtemp(prefix="desk-pgbouncer-"))
    url, port = make_url(database_url), free_port()
    configuration = shipped_configuration()
    host, server_port = url.host or url.query["host"], url.port or 5432
    configuration["databases"] = {"desk": f"host={host} port={server_port} dbname={url.database}"}
    user = url.username or "postgres"
    (folder / "users.txt").write_text(f'"{user}" ""\n')
    own = {
        "listen_port": str(port),
        "auth_type": "trust",
        "auth_file": str(folder / "users.txt"),
        "unix_socket_dir": "",
    }
    configuration["pgbouncer"].update({**own, **changed})
    with (folder / "pgbouncer.ini").open("w") as file:
        configuration.write(file)
    try:
        owner = Path(str(host)).owner() if str(host).startswith("/") else "nobody"
        with _running([program, str(folder / "pgbouncer.ini")], folder, port, owner):
            yield f"postgresql+asyncpg://{user}@127.0.0.1:{port}/desk"
    finally:
        shutil.rmtree(folder)


@contextmanager
def _running(command: list[str], folder: Path, port: int, owner: str) -> Iterator[None]:
    """It refuses to run as root, and who owns a socket's folder may use it."""
    for readable in (folder, *folder.iterdir()):
        readable.chmod(0o755)
    log = folder / "pgbouncer.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, user=owner if os.geteuid() == 0 else None)
    try:
        for _ in range(LOOKS):
            if _answers(port) or process.poll() is not None:
                break
            time.sleep(LOOKS_EVERY)
        assert _answers(port), f"PgBouncer did not start:\n{log.read_text()}"
        yield
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.stdout.write(f"pgbouncer: {get_pgbouncer()}\n")
