"""The first page: what waits for this person."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from admin_app import clock
from admin_app.services.pages import dashboard
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, names_of_links, text_of
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]
STATEMENTS = 7


class TestDashboard:
    async def test_it_shows_ones_own_late_and_ownerless_tickets(
        self, desk: Desk, scene: Scene, visit: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.ticket(title="Nobody's", due_at=clock.now() - timedelta(hours=1))
        page = await (await visit("sam")).get("/admin/")
        shown = " ".join(names_of_links(page, "/admin/ticket/details/"))
        assert "Printer on fire" in shown
        assert "Nobody's" in shown
        assert "Spam" not in text_of(page)
        monkeypatch.setattr(dashboard, "COUNTED", 1)
        assert "1+" in text_of(await (await visit("sam")).get("/admin/"))

    async def test_every_number_leads_to_its_list(self, scene: Scene, visit: Visit) -> None:
        sam = await visit("sam")
        page = await sam.get("/admin/")
        for link in {address for address in page.text.split('"') if address.startswith("/admin/ticket/list")}:
            assert (await sam.get(link.replace("&amp;", "&"))).status_code == 200, link

    async def test_it_takes_as_many_statements_whatever_there_is(
        self, desk: Desk, scene: Scene, visit: Visit, statement_counter: Any
    ) -> None:
        sam = await visit("sam")
        for _ in range(2):
            with statement_counter() as counted:
                await sam.get("/admin/")
            assert counted.total == STATEMENTS, counted.statements
            for _ in range(12):
                await desk.ticket(title="One more", owner="sam@desk.example")
