"""The errors page: by kind, and from a reference that somebody read out to the reports behind it."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette

from tests.web.browsing import Visitor, links_on, text_of
from tests.web.scene import Scene

Visit = Callable[..., Awaitable[Visitor]]


class TestShow:
    async def test_kinds_and_their_reports(self, scene: Scene, visit: Visit) -> None:
        olaf = await visit("olaf")
        kinds = await olaf.get("/admin/errors")
        assert "KeyError" in text_of(kinds)
        path = f"/admin/errors/kind/{scene.error.fingerprint}"
        assert path in links_on(kinds)
        assert "3f2a91c0" in text_of(await olaf.get(path))

    async def test_says_how_many_of_a_kind_alarm(self, app: Starlette, scene: Scene, visit: Visit) -> None:
        olaf = await visit("olaf")
        for number, words, is_red in (
            (10, "10 of a kind within five minutes raise one alert.", False),
            (1, "Each kind raises one alert within five minutes.", True),
            (0, "Nobody is told of them: ALERT_ERRORS is 0.", False),
        ):
            app.state.errors.alert_at = number
            page = await olaf.get("/admin/errors")
            assert (words in text_of(page), "desk-red" in page.text) == (True, is_red), number

    async def test_a_reference_leads_to_its_kind(self, scene: Scene, visit: Visit) -> None:
        answer = await (await visit("olaf")).get("/admin/errors?reference=%203F2A91C0")
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/admin/errors/kind/{scene.error.fingerprint}",
        )

    async def test_a_reference_that_no_report_has_is_said_so(self, scene: Scene, visit: Visit) -> None:
        olaf = await visit("olaf")
        for path in ("/admin/errors?reference=ffffffff", "/admin/errors?reference=%00", "/admin/errors/kind/%00"):
            assert (await olaf.get(path)).status_code == 404
