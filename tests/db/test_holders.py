"""Who is using a database connection right now."""

import asyncio
from contextvars import Context

from admin_app.db.holders import Holder, current_holder


class TestCurrentHolder:
    def test_work_that_no_request_asked_for_is_background(self) -> None:
        assert Context().run(current_holder.get) == Holder("background", "not signed in")

    async def test_two_requests_at_once_do_not_see_each_others_note(self) -> None:
        async def request(route: str) -> str:
            current_holder.set(Holder(route))
            await asyncio.sleep(0)
            return current_holder.get().route

        assert await asyncio.gather(request("/a"), request("/b")) == ["/a", "/b"]

    async def test_the_actor_is_filled_in_once_known(self) -> None:
        current_holder.set(Holder("/a"))

        async def sign_in() -> None:
            current_holder.get().actor = "Sam Staff"

        await asyncio.create_task(sign_in())
        assert current_holder.get() == Holder("/a", "Sam Staff")
