"""Rendering: messages for the next page, times on the person's clock, sizes as people read them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from admin_app.web import pages
from admin_app.web.tokens import Tokens
from tests.services.scenes import Desk
from tests.web.browsing import Visitor, text_of
from tests.web.conftest import SECRET_KEY

Visit = Callable[..., Awaitable[Visitor]]


class TestMessages:
    @pytest.mark.parametrize(
        ("cookie", "is_shown"),
        [
            (Tokens(SECRET_KEY).pack_message("opened", "<b>T-1</b> {0}"), True),
            (Tokens("another key").pack_message("opened", "forged"), False),
            (Tokens(SECRET_KEY).pack_message("no such code", "forged"), False),
            ("forged", False),
        ],
        ids=["ours", "another key", "unknown code", "no signature"],
    )
    async def test_only_what_we_signed_is_shown_and_only_as_text(
        self, desk: Desk, visit: Visit, cookie: str, is_shown: bool
    ) -> None:
        sam = await visit("sam")
        sam.client.cookies.set("desk_message", cookie, domain="127.0.0.1")
        answer = await sam.get("/admin/notification/list")
        assert ("<b>T-1</b> {0} is open." in text_of(answer)) is is_shown
        assert "forged" not in answer.text
        assert "<b>T-1" not in answer.text

    def test_every_message_takes_a_label(self) -> None:
        assert all(sentence.format("x") for sentence in pages.MESSAGES.values())


class TestTimes:
    MOMENT = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)

    def test_a_time_is_on_the_persons_clock(self) -> None:
        assert pages.as_local(self.MOMENT, ZoneInfo("Asia/Tokyo")).startswith("02 Jul 2026, 07:30")
        assert pages.as_input(self.MOMENT, UTC) == "2026-07-01T22:30"

    def test_no_time_is_nothing(self) -> None:
        assert (pages.as_local(None, UTC), pages.as_input(None, UTC)) == ("", "")
