"""Where the tests get PgBouncer and Prometheus, and what they say where there is none."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import pgbouncer, programs, prometheus


class TestGet:
    @pytest.mark.parametrize("root_on_debian", [True, False])
    @pytest.mark.parametrize(
        ("get", "sentence"),
        [
            (pgbouncer.get_pgbouncer, "its test will be skipped"),
            (prometheus.get_prometheus, "its tests will be skipped"),
        ],
    )
    def test_where_there_is_none_to_be_had_a_sentence_says_so(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        root_on_debian: bool,
        get: Callable[[], str],
        sentence: str,
    ) -> None:
        def refused(*command: str) -> None:
            raise subprocess.CalledProcessError(100, command)

        monkeypatch.delenv("PGBOUNCER_PATH", raising=False)
        monkeypatch.setattr(prometheus, "UNPACKED", tmp_path)
        monkeypatch.setattr(pgbouncer, "find_pgbouncer", lambda: None)
        monkeypatch.setattr(prometheus, "find_prometheus", lambda: None)
        monkeypatch.setattr(programs, "is_root_on_debian", lambda: root_on_debian)
        monkeypatch.setattr(programs, "run", refused)
        assert sentence in get()
