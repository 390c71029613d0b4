"""What comes before the body has limits of its own; no page of ours comes near them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest

from admin_app.web import limits
from tests.services.scenes import Desk
from tests.web.browsing import ORIGIN, Visitor, text_of
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]


class TestRequestLimits:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            (f"/{'x' * (limits.LONGEST_PATH - 1)}", 404),
            (f"/{'x' * limits.LONGEST_PATH}", 414),
            (f"/health/live?{'x' * limits.LONGEST_QUERY}", 200),
            (f"/health/live?{'x' * (limits.LONGEST_QUERY + 1)}", 414),
        ],
        ids=["path", "long path", "query", "long query"],
    )
    async def test_an_address_may_be_so_long(self, window: Any, path: str, status: int) -> None:
        assert (await window().get(path)).status_code == status

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ([("Cookie", "x" * limits.LARGEST_COOKIES)], 200),
            ([("Cookie", "x" * limits.LARGEST_COOKIES), ("Cookie", "y")], 431),
            ([(f"X-{number}", "1") for number in range(90)], 200),
            ([(f"X-{number}", "1") for number in range(limits.MOST_HEADERS)], 431),
            ([("X", "x" * (limits.LARGEST_HEADERS - 1000))], 200),
            ([("X", "x" * limits.LARGEST_HEADERS)], 431),
            ([("x" * limits.LARGEST_HEADERS, "1")], 431),
        ],
        ids=["cookie", "cookies", "headers", "many headers", "header", "large header", "large name"],
    )
    async def test_headers_may_be_so_many_and_so_large(
        self, window: Any, headers: list[tuple[str, str]], status: int
    ) -> None:
        assert (await window().get("/health/live", headers=headers)).status_code == status

    async def test_it_is_found_out_before_anybody_looks_at_the_database(
        self, window: Any, statement_counter: Any, desk: Desk
    ) -> None:
        with statement_counter() as counted:
            await window().get("/admin/ticket/list", headers={"Cookie": f"desk_session={'x' * 9000}"})
        assert counted.total == 0


class TestSlowBody:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        """So that the tests need not be slow."""
        return {"body_timeout_seconds": 0.2}

    async def send(self, sam: Visitor, scene: Scene, pieces: int, seconds: float, size: int = 1) -> Any:
        """A form in pieces."""

        async def body() -> AsyncIterator[bytes]:
            yield b"body="
            for _ in range(pieces):
                await anyio.sleep(seconds)
                yield b"x" * size

        headers = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
        path = f"/admin/ticket/comment/{scene.ticket.id}"
        return await sam.client.post(path, content=body(), headers=headers)

    async def test_it_is_hung_up_on_and_nothing_is_saved(self, desk: Desk, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        async with desk.nothing_written():
            answer = await self.send(sam, scene, 100, 0.02)
        assert answer.status_code == 408
        assert "This form arrived too slowly, so nothing was saved." in text_of(answer)

    async def test_what_keeps_coming_fast_enough_may_take_longer(self, scene: Scene, visit: Visit) -> None:
        """The control: it is refused for its token only, after more than the time that a small form gets."""
        assert (await self.send(await visit("sam"), scene, 20, 0.02, size=2048)).status_code == 403
