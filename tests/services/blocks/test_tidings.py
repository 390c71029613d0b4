"""What people are told."""

import logging
from datetime import UTC, datetime, timedelta

from admin_app.models import Incident
from admin_app.services.blocks import tidings
from admin_app.services.records.error_tracking.storing import Alert
from admin_app.services.records.incidents import News, Trouble, Turn

BEGAN = datetime(2030, 1, 15, 2, 13, tzinfo=UTC)
TROUBLE = Trouble("leak", "A connection may never come back.", "Restart the worker.", details={"pid": 7})


def incident(minutes: float | None = 4, **values) -> Incident:
    ended_at = None if minutes is None else BEGAN + timedelta(minutes=minutes)
    usual = {**vars(TROUBLE), "id": 3, "opened_at": BEGAN, "last_seen_at": BEGAN, "ended_at": ended_at}
    return Incident(**{**usual, **values})


class TestMessages:
    def test_the_beginning_says_what_to_do_and_the_end_how_long_it_lasted(self) -> None:
        critical = incident(None, is_critical=True)
        news = [News(Turn.OPENED, critical), News(Turn.OPENED, incident(None)), News(Turn.OVER, incident())]
        began, other, over = tidings.messages(news)
        assert began.text == "A connection may never come back. Restart the worker."
        assert (began.event, began.details["pid"], began.details["incident"]) == ("incident.opened", 7, "leak")
        assert (began.level, other.level, over.level) == (logging.CRITICAL, logging.ERROR, logging.WARNING)
        assert over.text == "Over after 4 min: A connection may never come back."
        assert (over.event, over.details["seconds"]) == ("incident.over", 240)

    def test_what_was_kept_quiet_is_one_message_with_a_line_each(self) -> None:
        news = [News(Turn.LATER, incident()), News(Turn.LATER, incident(None, text="Old."))]
        [digest] = tidings.messages(news)
        assert digest.text.splitlines() == [
            "2 incidents of the quiet hours, kept until now:",
            "- 15 Jan 02:13 UTC, over after 4 min: A connection may never come back.",
            "- 15 Jan 02:13 UTC, still there: Old.",
        ]
        [alone] = tidings.messages(news[:1])
        assert alone.text.startswith("1 incident of")


class TestOnThisHost:
    def test_says_that_each_host_tells_it_and_comes_back_from_a_file_as_it_was(self) -> None:
        began = tidings.on_this_host(TROUBLE, BEGAN)
        assert "each host tells it for itself" in str(began.details["scope"])
        trouble, opened_at = tidings.unpacked(tidings.packed(TROUBLE, BEGAN))
        assert (trouble, opened_at) == (TROUBLE, BEGAN)
        over = tidings.over_on_this_host(trouble, opened_at, BEGAN + timedelta(hours=3))
        assert over.text == "Over after 3.0 h: A connection may never come back."


class TestOfError:
    def test_says_how_many_of_what(self) -> None:
        told = tidings.of_error(Alert("KeyError", "…", "f" * 64, 10, "3f2a91c0", "/admin/x", BEGAN))
        assert told.text == "10 errors of one kind in 5 minutes: KeyError (reference 3f2a91c0)"
        assert (told.level, told.details["occurred_at"]) == (logging.CRITICAL, "2030-01-15T02:13:00+00:00")


class TestDuration:
    def test_is_as_short_as_people_say_it(self) -> None:
        said = [tidings.duration(timedelta(seconds=seconds)) for seconds in (12, 119, 600, 7200)]
        assert said == ["12 s", "119 s", "10 min", "2.0 h"]


class TestTest:
    def test_says_that_nothing_is_wrong(self) -> None:
        assert "Nothing is wrong" in tidings.test().text
