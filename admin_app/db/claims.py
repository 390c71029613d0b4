"""Who tells of something while the database cannot decide it: whoever puts a file in place first, of all on this host.

A file per kind in a folder that all workers of a host share. It appears whole or not at all, and whoever removes it is
one process alone, so that the beginning and the end of a thing are each told once per host.
"""

import hashlib
import json
import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL


@dataclass(frozen=True)
class Claim:
    """What somebody has told; not seen again for `silent` seconds."""

    kind: str
    told: Mapping[str, Any]
    silent: float


class Claims:
    """The claims of one host. Every method raises `OSError` when the disk does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def stake(self, kind: str, told: Mapping[str, Any]) -> bool:
        """Whether this process is the first; for everybody else it is noted as seen again."""
        file = self._file(kind)
        if file.exists():
            _touch(file)
            return False
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._is_ours():
            raise PermissionError(f"{self._folder} belongs to somebody else")
        draft = self._folder / f"{secrets.token_hex(8)}.draft"
        draft.touch(mode=0o600)
        try:
            draft.write_text(json.dumps({"kind": kind, "told": dict(told)}))
            os.link(draft, file)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def all(self) -> list[Claim]:
        """Those that stand."""
        files = sorted(self._folder.glob("*.claim")) if self._is_ours() else []
        found = [_read(file) for file in files]
        return [claim for claim in found if claim is not None]

    def take_back(self, kind: str) -> bool:
        """Whether it was this process that removed it."""
        try:
            self._file(kind).unlink()
        except FileNotFoundError:
            return False
        return True

    def _is_ours(self) -> bool:
        """Not there, or somebody else's, in a folder where everybody may write: nothing in it counts."""
        return self._folder.is_dir() and self._folder.stat().st_uid == _own_number()

    def _file(self, kind: str) -> Path:
        return self._folder / f"{hashlib.sha256(kind.encode()).hexdigest()[:32]}.claim"


def claims_of(url: URL) -> Claims:
    """Those about one database: beside an SQLite file; for a server, in this host's folder for what may be lost."""
    if url.get_backend_name() == "sqlite":
        return Claims(Path(f"{url.database}.incidents"))
    which = f"{url.render_as_string(hide_password=True)} {_own_number()}"
    name = f"support-desk-{hashlib.sha256(which.encode()).hexdigest()[:16]}"
    return Claims(Path(tempfile.gettempdir()) / name)


def _own_number() -> int:
    return os.getuid()


def _touch(file: Path) -> None:
    try:
        os.utime(file)
    except FileNotFoundError:
        """Taken back this very moment; the next look puts another in place."""


def _read(file: Path) -> Claim | None:
    """None for one that is gone by now, or that nobody can read."""
    try:
        silent = max(0.0, time.time() - file.stat().st_mtime)
        known = json.loads(file.read_text())
        return Claim(str(known["kind"]), known["told"], silent)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
