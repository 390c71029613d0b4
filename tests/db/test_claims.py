"""One process of a host tells, whoever is first, and one tells the end."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url

from admin_app.db import claims as module
from admin_app.db.claims import Claims, claims_of


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    """Of a host on which nothing was told yet."""
    return Claims(tmp_path / "claims")


class TestStake:
    def test_of_many_at_once_one_is_first_and_one_takes_it_back(self, claims: Claims) -> None:
        with ThreadPoolExecutor(16) as threads:
            first = list(threads.map(lambda number: claims.stake("database", {"by": number}), range(64)))
            [claim] = claims.all()
            taken = list(threads.map(lambda _: claims.take_back("database"), range(64)))
        assert (sum(first), sum(taken)) == (1, 1)
        assert (claim.kind, claim.told) == ("database", {"by": first.index(True)})
        assert claims.all() == []

    def test_whoever_sees_it_again_keeps_it_from_being_over(self, claims: Claims, tmp_path: Path) -> None:
        claims.stake("a", {})
        [file] = (tmp_path / "claims").iterdir()
        os.utime(file, (0, 0))
        assert claims.all()[0].silent > 1000
        assert not claims.stake("a", {})
        assert claims.all()[0].silent < 1000

    def test_one_that_goes_while_it_is_looked_at_is_no_error(self, claims: Claims, tmp_path: Path) -> None:
        module._touch(tmp_path / "gone")
        assert module._read(tmp_path / "gone.claim") is None
        claims.stake("a", {})
        (tmp_path / "claims" / "broken.claim").write_text("{")
        assert [claim.kind for claim in claims.all()] == ["a"]

    def test_of_two_at_the_very_same_moment_the_link_decides(self, claims: Claims, monkeypatch) -> None:
        claims.stake("a", {})
        monkeypatch.setattr(Path, "exists", lambda self: False)
        assert not claims.stake("a", {})

    def test_a_folder_of_somebody_else_is_not_believed(self, claims: Claims, monkeypatch) -> None:
        claims.stake("a", {})
        monkeypatch.setattr(module, "_own_number", lambda: -1)
        assert claims.all() == []
        with pytest.raises(PermissionError):
            claims.stake("b", {})


class TestClaimsOf:
    def test_beside_a_file_and_for_a_server_in_a_folder_of_its_own(self) -> None:
        assert claims_of(make_url("sqlite+aiosqlite:////x/desk.sqlite3"))._folder == Path("/x/desk.sqlite3.incidents")
        first, second = (claims_of(make_url(f"postgresql+asyncpg://desk:s3cret@db/{name}")) for name in ("a", "b"))
        assert first._folder != second._folder
        assert "s3cret" not in str(first._folder)
