"""Bytes of attachments, kept by their content outside the web root."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from admin_app.errors import InvalidInput, NotFound, TooLarge

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class StoredFile:
    """What is known about stored bytes."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class FileStore:
    """A folder in which a file's name is the hash of its content; `limit` is in bytes."""

    folder: Path
    limit: int

    def put(self, content: BinaryIO) -> StoredFile:
        """Store the bytes, the same ones only once. `TooLarge` over the limit, `InvalidInput` when empty."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as target:
                size, digest = self._copy(content, target)
                target.flush()
                os.fsync(target.fileno())
            key = f"{digest[:2]}/{digest}"
            final = self.folder / key
            final.parent.mkdir(exist_ok=True)
            Path(name).replace(final)
        finally:
            Path(name).unlink(missing_ok=True)
        return StoredFile(key=key, size=size, sha256=digest)

    def path_of(self, key: str) -> Path:
        """Where the bytes are; `NotFound` when they are not, or the key is not one of ours."""
        path = (self.folder / key).resolve()
        if not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            raise NotFound("The file is missing from the store.")
        return path

    def has(self, key: str) -> bool:
        """Whether the bytes are there."""
        return (self.folder / key).is_file()

    def remove(self, keys: Iterable[str]) -> None:
        """Remove the bytes behind these keys; those already gone are fine."""
        for key in keys:
            (self.folder / key).unlink(missing_ok=True)

    def _copy(self, content: BinaryIO, target: BinaryIO) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        content.seek(0)
        while chunk := content.read(CHUNK_BYTES):
            size += len(chunk)
            if size > self.limit:
                raise TooLarge(f"A file may have at most {self.limit // (1024 * 1024)} MB.")
            digest.update(chunk)
            target.write(chunk)
        if size == 0:
            raise InvalidInput(file="This file is empty.")
        return size, digest.hexdigest()
