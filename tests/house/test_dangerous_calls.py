"""What this code never does with what people type, and whom it talks to: read from its own source."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.cells import for_every
from tests.support.house import ADMIN_APP, PROJECT_ROOT, name_of, python_files

SOURCES = python_files(ADMIN_APP)
SCRIPTS = sorted((ADMIN_APP / "web" / "static").glob("*.js"))
TEMPLATES = sorted((ADMIN_APP / "web" / "templates").rglob("*.html"))
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")

CALLERS = {
    "admin_app/services/records/alarms.py": {"urllib.request", "smtplib"},  # hook and mail of settings
    "admin_app/web/single_sign_on/fetching.py": {"httpx"},  # the provider of settings
    "admin_app/cli/serving.py": {"socket"},  # asks whether its own port is free
}
"""Who may open a connection to somebody else, and with what."""

CHANCE = ("admin_app/db/database.py", "admin_app/services/batches/samples/")
"""Where predictable chance will do: pauses between tries, and sample data."""


@cache
def walked(text: str) -> tuple[ast.AST, ...]:
    """Every node of this source."""
    return tuple(ast.walk(ast.parse(text)))


def dotted(node: ast.AST) -> str:
    """`re.compile` for the expression re.compile; the last names only when it begins with something else."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def calls(text: str, *names: str) -> Iterator[ast.Call]:
    """Calls of these names, however they are reached."""
    for node in walked(text):
        if isinstance(node, ast.Call) and any(f".{dotted(node.func)}".endswith(f".{name}") for name in names):
            yield node


def imported(text: str) -> set[str]:
    """Every module that is imported, and every name from it."""
    found = set()
    for node in walked(text):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def is_fixed(node: ast.AST) -> bool:
    """Whether this text is the same in every run: a literal, a constant, or made of those."""
    if isinstance(node, ast.JoinedStr):
        return all(is_fixed(part.value) for part in node.values if isinstance(part, ast.FormattedValue))
    if isinstance(node, ast.Name | ast.Attribute):
        return CONSTANT.fullmatch(dotted(node).split(".")[-1]) is not None
    if isinstance(node, ast.Subscript):
        return is_fixed(node.value)
    return isinstance(node, ast.Constant)


def made_of_values(text: str, *names: str) -> list[int]:
    """Lines on which one of these is called with a text that is not fixed."""
    return [call.lineno for call in calls(text, *names) if not (call.args and is_fixed(call.args[0]))]


class TestNoTextBecomesSql:
    @for_every(SOURCES, name_of)
    def test_statements_as_text_are_fixed(self, file: Path) -> None:
        assert made_of_values(file.read_text(), "text", "literal_column") == [], "Bind values, or use the ORM."

    def test_the_drivers_own_language_is_spoken_on_the_database_floor_alone(self) -> None:
        others = [name_of(file) for file in SOURCES if list(calls(file.read_text(), "exec_driver_sql"))]
        assert others == ["admin_app/db/bulk_rows.py", "admin_app/db/engine.py"]

    def test_a_statement_made_of_values_is_seen(self) -> None:
        """The negative control."""
        assert made_of_values("text(f'SELECT {word}')\nsa.text('SELECT 1' + word)", "text") == [1, 2]
        assert made_of_values("text(f'SELECT {LIMIT}')\ntext('SELECT 1')", "text") == []


class TestNothingIsRun:
    RUNNERS = ("eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "import_module")
    MODULES = frozenset({"subprocess", "pickle", "marshal", "shelve", "dill", "yaml", "ctypes", "pty", "code", "xml"})

    def found(self, text: str) -> list[str]:
        run = [dotted(call.func) for call in calls(text, *self.RUNNERS)]
        taken = {name.split(".")[0] for name in imported(text)} & self.MODULES
        return sorted({name for name in run if name != "re.compile"} | taken)

    @for_every(SOURCES, name_of)
    def test_no_text_becomes_code_object_or_command(self, file: Path) -> None:
        assert self.found(file.read_text()) == [], "Whoever reaches that line with their own text owns the server."

    def test_each_way_is_seen(self) -> None:
        """The negative control."""
        text = "import pickle\nfrom subprocess import run\neval(word)\nos.system(word)\nre.compile('a')"
        assert self.found(text) == ["eval", "os.system", "pickle", "subprocess"]


class TestPatterns:
    FUNCTIONS = tuple(f"re.{name}" for name in ("compile", "match", "search", "sub", "fullmatch", "findall", "split"))

    @for_every(SOURCES, name_of)
    def test_they_are_fixed(self, file: Path) -> None:
        assert made_of_values(file.read_text(), *self.FUNCTIONS) == [], "A pattern made of words can mean anything."


class TestTemplates:
    def test_they_are_files_and_never_texts(self) -> None:
        makers = [name_of(file) for file in SOURCES if list(calls(file.read_text(), "from_string", "Template"))]
        assert makers == []

    @for_every(TEMPLATES, name_of)
    def test_nothing_is_declared_safe(self, file: Path) -> None:
        text = file.read_text()
        assert re.findall(r"\|\s*safe\b|autoescape\s+false", text) == [], "Escaping is what keeps text text."


class TestFormats:
    @for_every([file for file in SOURCES if "samples" not in file.parts], name_of)
    def test_they_are_fixed(self, file: Path) -> None:
        receivers = [
            call.func.value for call in calls(file.read_text(), "format") if isinstance(call.func, ast.Attribute)
        ]
        assert [node.lineno for node in receivers if not is_fixed(node)] == [], "A format can read any attribute."


class TestCallsToOthers:
    OPENERS = frozenset({"urllib.request", "http.client", "smtplib", "socket", "ssl", "ftplib", "telnetlib"})
    PACKAGES = frozenset({"httpx", "requests", "aiohttp", "httpcore", "urllib3", "authlib", "websockets"})

    def opened(self, text: str) -> set[str]:
        names = imported(text)
        return {
            name for name in names if name in self.OPENERS or (name.split(".")[0] in self.PACKAGES and "." not in name)
        }

    @for_every(SOURCES, name_of)
    def test_only_these_files_open_a_connection(self, file: Path) -> None:
        strangers = self.opened(file.read_text()) - {"ssl"} - CALLERS.get(name_of(file), set())
        assert strangers == set(), (
            "Whoever may choose where the server calls reads what only the server can reach. Take the address from "
            "the settings, never from a request, and add the file to CALLERS."
        )

    def test_a_call_is_seen(self) -> None:
        """The negative control."""
        assert self.opened("import httpx\nfrom urllib import request\nfrom smtplib import SMTP\nimport json") == {
            "httpx",
            "urllib.request",
            "smtplib",
        }


class TestNoOtherOrigins:
    def test_no_answer_is_opened_to_other_sites(self) -> None:
        assert [name_of(file) for file in SOURCES if re.search("(?i)cors|access-control", file.read_text())] == []


class TestChance:
    def test_what_must_not_be_guessed_comes_from_secrets(self) -> None:
        predictable = [name_of(file) for file in SOURCES if "random" in imported(file.read_text())]
        assert [name for name in predictable if not name.startswith(CHANCE)] == []
        assert predictable, "The rule would pass for want of anything to check."


class TestCryptography:
    WEAK = re.compile(r"(?i)\b(md5|sha1|sha-?1|des3?|ecb|rc4|arc4|blowfish|pkcs1v15)\b")
    HASHES = frozenset({"hashlib.sha256", "hashlib.sha384", "hashlib.sha512", "hashlib.blake2b"})

    @for_every(SOURCES, name_of)
    def test_nothing_weak_is_named_and_hashes_are_long(self, file: Path) -> None:
        text = file.read_text()
        named = {dotted(node) for node in walked(text) if isinstance(node, ast.Attribute)} | imported(text)
        assert {name for name in named if name.startswith("hashlib.")} <= self.HASHES
        assert self.WEAK.findall(text) == []

    def test_signatures_do_not_use_the_librarys_default(self) -> None:
        text = (ADMIN_APP / "web" / "tokens.py").read_text()
        assert text.count("digest_method") >= 1, "itsdangerous signs with SHA-1 unless it is told otherwise."

    def test_our_own_cipher_there_is_none(self) -> None:
        users = {
            name_of(file) for file in SOURCES if any("cryptography" in name for name in imported(file.read_text()))
        }
        assert users <= {"admin_app/services/records/secret_box.py"}, "One place seals and opens."


class TestCertificates:
    CARELESS = re.compile(r"verify\s*=\s*False|_create_unverified|CERT_NONE|check_hostname\s*=\s*False|starttls\(\)")

    @for_every(SOURCES, name_of)
    def test_nobody_is_believed_without_one(self, file: Path) -> None:
        assert self.CARELESS.findall(file.read_text()) == []

    @pytest.mark.parametrize("text", ["verify=False", "ssl._create_unverified_context()", "server.starttls()"])
    def test_carelessness_is_seen(self, text: str) -> None:
        """The negative control."""
        assert self.CARELESS.search(text)


class TestScripts:
    RISKY = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|postMessage|onmessage|"
        r"addEventListener\(.message|document\.cookie|sessionStorage|indexedDB|__proto__|\.prototype\b|Object\.assign"
    )

    @for_every(SCRIPTS, name_of)
    def test_they_put_text_into_pages_as_text_and_keep_nothing_of_anybodys(self, file: Path) -> None:
        text = file.read_text()
        assert self.RISKY.findall(text) == []
        assert set(re.findall(r"localStorage\.\w+\(([^,)]*)", text)) <= {'"theme"', '"signed-out"'}

    def test_there_are_scripts_to_look_at(self) -> None:
        assert SCRIPTS


class TestLogs:
    def test_they_go_to_standard_error_alone(self) -> None:
        written = tomllib.loads((PROJECT_ROOT / "config" / "logging.toml").read_text())
        assert {(one["class"], one["stream"]) for one in written["handlers"].values()} == {
            ("logging.StreamHandler", "ext://sys.stderr")
        }
        makers = ("addHandler", "basicConfig", "FileHandler", "SocketHandler", "SysLogHandler", "HTTPHandler")
        assert [name_of(file) for file in SOURCES if list(calls(file.read_text(), *makers))] == []
