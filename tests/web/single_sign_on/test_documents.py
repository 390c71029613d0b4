"""Which addresses and keys of a provider are taken, and how long what was fetched is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from admin_app import clock
from admin_app.web.single_sign_on import documents
from admin_app.web.single_sign_on.documents import KEPT_FOR, PAUSE, Kept, is_safe_address
from admin_app.web.single_sign_on.fetching import ProviderDown

PUBLIC = RSAKey.generate_key(2048).as_dict(private=False)


class Spring:
    """Something to fetch, which may be dry."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_dry = False

    async def fetch(self) -> int:
        self.asked += 1
        await anyio.sleep(0)
        if self.is_dry:
            raise ProviderDown("dry")
        return self.asked


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`passing(duration)` moves a clock that else stands still."""
    now = [datetime(2030, 1, 15, tzinfo=UTC)]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    return lambda duration: now.__setitem__(0, now[0] + duration)


class TestKept:
    async def test_is_fetched_once_for_all_who_wait(self, passing: Any) -> None:
        spring, found = Spring(), []
        kept = Kept(spring.fetch)

        async def drink() -> None:
            found.append(await kept.get())

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(drink)
        assert (found, spring.asked) == ([1] * 10, 1)

    async def test_is_fetched_again_when_it_is_old(self, passing: Any) -> None:
        kept = Kept(Spring().fetch)
        await kept.get()
        passing(KEPT_FOR - timedelta(seconds=1))
        assert await kept.get() == 1
        passing(timedelta(seconds=1))
        assert await kept.get() == 2

    async def test_is_renewed_only_so_often(self, passing: Any) -> None:
        kept = Kept(Spring().fetch)
        assert [await kept.renewed() for _ in range(5)] == [1] * 5
        passing(PAUSE)
        assert [await kept.renewed() for _ in range(5)] == [2] * 5

    async def test_a_failure_is_remembered_for_a_moment(self, passing: Any) -> None:
        spring = Spring()
        kept, spring.is_dry = Kept(spring.fetch), True
        for _ in range(5):
            with pytest.raises(ProviderDown):
                await kept.get()
        assert spring.asked == 1
        spring.is_dry = False
        passing(PAUSE)
        assert await kept.get() == 2


class TestAddresses:
    @pytest.mark.parametrize("address", ["https://a.example/b?c=d", "http://localhost:1/", "http://[::1]:1/"])
    def test_that_are_safe(self, address: str) -> None:
        assert is_safe_address(address)

    @pytest.mark.parametrize(
        "address",
        ["", "http://a.example/", "https://", "https://[a", "https://a/#b", "ftp://a/", "javascript:alert(1)"],
    )
    def test_that_are_not(self, address: str) -> None:
        assert not is_safe_address(address)


class TestKeys:
    @pytest.mark.parametrize("listed", [PUBLIC, {**PUBLIC, "use": "sig"}, ECKey.generate_key().as_dict(private=False)])
    def test_that_are_taken(self, listed: dict[str, Any]) -> None:
        assert documents._signing_key(listed) is not None

    @pytest.mark.parametrize(
        "listed",
        [
            OctKey.generate_key().as_dict(),
            {**PUBLIC, "use": "enc"},
            {"kty": "RSA"},
            {"kty": "none"},
            {},
            "key",
            None,
            7,
        ],
        ids=["symmetric", "for encryption", "half", "none", "empty", "text", "nothing", "number"],
    )
    def test_that_count_as_absent(self, listed: Any) -> None:
        assert documents._signing_key(listed) is None
