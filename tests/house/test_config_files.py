"""What `config/` brings for a deployment: read, and where the program is there run. PgBouncer has a test of its own."""

import configparser
import datetime
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from admin_app.__main__ import desk
from admin_app.settings import Settings
from tests.support import pgbouncer
from tests.support.house import PROJECT_ROOT
from tests.support.pgbouncer import shipped_configuration

CONFIG = PROJECT_ROOT / "config"
DEFAULTS = Settings.model_fields


class TestSystemdUnit:
    @pytest.fixture
    def service(self) -> configparser.SectionProxy:
        unit = configparser.ConfigParser(interpolation=None, comment_prefixes=("#", ";"))
        unit.optionxform = str
        unit.read(CONFIG / "support-desk.service", encoding="utf-8")
        assert set(unit.sections()) == {"Unit", "Service", "Install"}
        return unit["Service"]

    def test_what_it_starts_is_a_command_of_the_desk(self, service) -> None:
        python, minus_m, package, command, *options = shlex.split(service["ExecStart"])
        assert (Path(python).is_absolute(), minus_m, package) == (True, "-m", "admin_app")
        chosen = typer.main.get_command(desk).commands[command].make_context(command, options)
        assert (chosen.params["host"], chosen.params["port"]) == ("127.0.0.1", 8000)

    def test_it_sets_what_is_a_setting(self, service) -> None:
        name, value = service["Environment"].split("=")
        assert Settings.__annotations__[name.lower()](value)

    def test_it_waits_for_longer_than_a_worker_takes_to_finish(self, service) -> None:
        assert int(service["TimeoutStopSec"]) > DEFAULTS["graceful_shutdown_seconds"].default
        assert service["KillMode"] == "mixed", "a worker that is told to stop by two is stopped midway"


class TestNginx:
    TEXT = (CONFIG / "nginx.conf").read_text()

    def test_it_passes_on_what_the_desk_needs(self) -> None:
        headers = dict(re.findall(r"proxy_set_header (\S+) (\S+);", self.TEXT))
        assert headers == {
            "Connection": '""',
            "Host": "$http_host",
            "X-Forwarded-For": "$proxy_add_x_forwarded_for",
            "X-Forwarded-Proto": "$scheme",
        }
        assert re.findall(r"proxy_buffering (\w+);", self.TEXT) == ["off"], "progress would come all at once"

    def test_it_lets_the_largest_file_through(self) -> None:
        [megabytes] = re.findall(r"client_max_body_size (\d+)m;", self.TEXT)
        assert int(megabytes) * 1024 * 1024 > DEFAULTS["max_import_bytes"].default

    def test_it_sends_no_form_twice(self) -> None:
        assert "non_idempotent" not in self.TEXT

    def test_nginx_takes_it(self, tmp_path) -> None:
        """Where nginx is; everywhere its blocks are balanced and its lines ended."""
        lines = [line.strip() for line in self.TEXT.splitlines() if line.strip() and not line.strip().startswith("#")]
        assert all(line[-1] in "{};" for line in lines)
        assert self.TEXT.count("{") == self.TEXT.count("}")
        nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        if nginx is not None:
            put_down(tmp_path, self.TEXT)
            command = [nginx, "-t", "-q", "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
            tried = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert tried.returncode == 0, tried.stderr


def put_down(folder: Path, text: str) -> None:
    """The file as nginx includes it, with a certificate of the moment."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "desk.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1)
    ).sign(key, hashes.SHA256())
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "private-key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "desk.conf").write_text(text.replace("/etc/ssl/desk", str(folder)))
    around = f"pid {folder}/nginx.pid; events {{}} http {{ access_log off; include {folder}/desk.conf; }}"
    (folder / "nginx.conf").write_text(around)


class TestPgBouncer:
    def test_a_connection_is_lent_for_a_transaction(self) -> None:
        assert shipped_configuration()["pgbouncer"]["pool_mode"] == "transaction"

    def test_the_desk_gives_up_about_when_it_does(self) -> None:
        wait = float(shipped_configuration()["pgbouncer"]["query_wait_timeout"])
        assert DEFAULTS["pool_timeout_seconds"].default <= wait <= DEFAULTS["statement_timeout_seconds"].default

    def test_it_takes_as_many_connections_as_a_desk_opens(self) -> None:
        a_worker = sum(DEFAULTS[name].default for name in ("pool_size", "pool_max_overflow", "exports_at_once")) + len(
            ("aside", "watching")
        )
        assert int(shipped_configuration()["pgbouncer"]["max_client_conn"]) >= 4 * 4 * a_worker

    def test_a_choice_that_is_not_there_is_an_error(self, monkeypatch) -> None:
        monkeypatch.setenv("PGBOUNCER_PATH", "/nowhere/pgbouncer")
        with pytest.raises(pgbouncer.NoPgBouncer, match="/nowhere/pgbouncer"):
            pgbouncer.find_pgbouncer()
