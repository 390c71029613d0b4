"""What is compiled once serves all tests of a process: every application would compile its templates and statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jinja2
import pytest
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.ext.asyncio import AsyncEngine

from admin_app.db import engine


class Templates(BytecodeCache):
    """Byte code in memory; it is looked up by file and compared with the source."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Hand out what was kept."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


class Statements(dict[Any, Any]):
    """Compiled statements by kind of dialect: that of one engine is as good as that of the next."""

    @staticmethod
    def _alike(key: tuple[Any, ...]) -> tuple[Any, ...]:
        return (type(key[0]), *key[1:])

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        """What an engine of the same kind has compiled."""
        return super().get(self._alike(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(self._alike(key), compiled)


@contextmanager
def compiled_once() -> Iterator[None]:
    """Inside the block engines and template environments share what they compile."""
    templates, statements = Templates(), Statements()
    create_engine, make = engine.create_async_engine, jinja2.Environment.__init__

    def create(*args: Any, **options: Any) -> AsyncEngine:
        created = create_engine(*args, **options)
        created.sync_engine.update_execution_options(compiled_cache=statements)
        return created

    def start(environment: jinja2.Environment, *args: Any, **options: Any) -> None:
        make(environment, *args, **{"bytecode_cache": templates, **options})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "create_async_engine", create)
        patch.setattr(jinja2.Environment, "__init__", start)
        yield
