"""The pass for the pool page: for whom the database let in before, on that page alone, while it does not answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette

from admin_app.errors import Unavailable
from admin_app.models import UserSession
from admin_app.web import pool_pass
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, text_of

Visit = Callable[..., Awaitable[Visitor]]
BY_PASS = "could not be asked who you are"


class Failing:
    """Lets a test decide how the database answers who is signed in."""

    def __init__(self, app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = app.state.database
        self.really = self.database.read
        self.how = "fine"
        monkeypatch.setattr(self.database, "read", self.read)

    async def read(self, work: Any, *, aside: bool = False) -> Any:
        """As the database would, well or ill."""
        if self.how == "refuses":
            raise Unavailable
        if self.how == "hangs":
            await asyncio.sleep(1)
            raise Unavailable
        if self.how == "breaks":
            raise KeyError("a fault of ours")
        return await self.really(work, aside=aside)


@pytest.fixture
def failing(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> Failing:
    """A database that answers, until told otherwise."""
    return Failing(app, monkeypatch)


class TestPass:
    async def test_it_opens_one_page_to_whom_the_database_knew_and_only_while_it_is_silent(
        self, desk: Desk, visit: Visit, failing: Failing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pool_pass, "PATIENCE_SECONDS", 0.05)
        olaf, ada, sam = await visit("olaf"), await visit("ada"), await visit("sam")
        known = await olaf.get("/admin/pool")
        assert BY_PASS not in text_of(known)
        assert "HttpOnly" in known.headers["set-cookie"]
        assert "SameSite=strict" in known.headers["set-cookie"]
        assert (await sam.get("/admin/pool")).status_code == 403
        for how in ("refuses", "hangs"):
            failing.how = how
            answer = await olaf.get("/admin/pool")
            assert (answer.status_code, BY_PASS in text_of(answer)) == (200, True), how
            assert "set-cookie" not in answer.headers, "a pass never renews itself"
        failing.how = "refuses"
        assert (await olaf.get("/admin/slow-queries")).status_code == 503
        assert (await ada.get("/admin/pool")).status_code == 503, "she never had one"
        stolen = olaf.client.cookies[pool_pass.COOKIE]
        for whose in (ada, sam):
            whose.client.cookies.set(pool_pass.COOKIE, stolen, domain="127.0.0.1", path=pool_pass.PATH)
            assert (await whose.get("/admin/pool")).status_code == 503, "it belongs to another sign-in"
        failing.how = "breaks"
        assert (await olaf.get("/admin/pool")).status_code == 500
        failing.how = "fine"
        await asyncio.sleep(1)  # the question that nobody waited for ends in peace

    async def test_it_ends_with_the_sign_in_with_time_and_with_a_change_of_one_letter(
        self, desk: Desk, visit: Visit, failing: Failing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        olaf = await visit("olaf")
        await olaf.get("/admin/pool")
        packed = olaf.client.cookies[pool_pass.COOKIE]
        failing.how = "refuses"
        with monkeypatch.context() as later:
            later.setattr(pool_pass, "LONGEST_SECONDS", -1)
            assert (await olaf.get("/admin/pool")).status_code == 503
        assert (await olaf.get("/admin/pool")).status_code == 200
        olaf.client.cookies.set(pool_pass.COOKIE, "x" + packed[1:], domain="127.0.0.1", path=pool_pass.PATH)
        assert (await olaf.get("/admin/pool")).status_code == 503
        failing.how = "fine"
        await olaf.get("/admin/pool")
        [session] = [one for one in await desk.rows(UserSession) if one.user_id == desk.cast.olaf.id]
        await desk.set(UserSession, session.id, revoked_at=session.last_seen_at)
        assert (await olaf.get("/admin/pool")).status_code == 302, "the database has the last word"

    async def test_signing_out_takes_it_away(self, desk: Desk, visit: Visit) -> None:
        olaf = await visit("olaf")
        await olaf.get("/admin/pool")
        assert pool_pass.COOKIE in olaf.client.cookies
        await olaf.post("/admin/logout")
        assert pool_pass.COOKIE not in olaf.client.cookies
