"""Stored names and values in people's words."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from admin_app import clock
from admin_app.models import AuditAction, Priority, Status
from admin_app.web import words

BERLIN = ZoneInfo("Europe/Berlin")


class TestInWords:
    @pytest.mark.parametrize(
        ("stored", "said"),
        [("on_hold", "On hold"), (Status.PENDING, "Pending"), (Priority.HIGH, "High"), (3, "3"), ("", "")],
    )
    def test_reads_like_a_word(self, stored: object, said: str) -> None:
        assert words.in_words(stored) == said


class TestFieldWords:
    @pytest.mark.parametrize(
        ("field", "said"),
        [
            ("owner_id", "Owner"),
            ("due_at", "Due"),
            ("title", "Title"),
            ("some_new_column", "Some new column"),
            ("Customer E-mail", "Customer E-mail"),
            ("two words", "two words"),
        ],
    )
    def test_a_column_has_a_name_and_a_name_stays(self, field: str, said: str) -> None:
        assert words.field_words(field) == said


class TestActionWords:
    @pytest.mark.parametrize("action", AuditAction)
    def test_every_action_can_be_read_after_a_name(self, action: AuditAction) -> None:
        said = words.action_words(action)
        assert said
        assert "_" not in said
        assert said[0].islower()

    def test_an_action_of_a_later_version_is_still_readable(self) -> None:
        assert words.action_words("PAINTED_RED") == "painted red"

    def test_what_an_import_opened_was_imported(self) -> None:
        assert [words.action_words("CREATE", kind) for kind in ("user", "import")] == ["opened it", "imported it"]


class TestValueWords:
    @pytest.mark.parametrize(
        ("value", "field", "said"),
        [
            (None, "owner_id", "empty"),
            ("", "title", "empty"),
            (True, "is_active", "yes"),
            (False, "is_active", "no"),
            (0, "comments", "0"),
            ("on_hold", "status", "On hold"),
            ("a_b", "title", "a_b"),
            ("2030-01-15T12:00:00+00:00", "due_at", "15 Jan 2030, 13:00"),
            ("2030-01-15T12:00:00+00:00", "title", "2030-01-15T12:00:00+00:00"),
            ("2030-01-15T12:00:00", "due_at", "2030-01-15T12:00:00"),
            ("tomorrow", "due_at", "tomorrow"),
            (182_000, "size", "177.7 KB"),
            ("182000", "size", "182000"),
        ],
    )
    def test_is_what_the_page_would_show(self, value: object, field: str, said: str) -> None:
        assert words.value_words(value, field, BERLIN) == said


class TestFileSize:
    @pytest.mark.parametrize(
        ("size", "shown"),
        [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KB"), (1536, "1.5 KB"), (5 * 1024**2, "5.0 MB")],
    )
    def test_a_size_is_as_people_read_it(self, size: int, shown: str) -> None:
        assert words.file_size(size) == shown

    def test_a_huge_file_is_in_gigabytes(self) -> None:
        assert words.file_size(3 * 1024**3) == "3.0 GB"


class TestBriefTime:
    @pytest.fixture(autouse=True)
    def now(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Half past eleven at night in Berlin."""
        monkeypatch.setattr(clock, "now", lambda: datetime(2030, 6, 15, 21, 30, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("moment", "said"),
        [
            (None, ""),
            (datetime(2030, 6, 15, 6, 5, tzinfo=UTC), "08:05 today"),
            (datetime(2030, 6, 14, 21, 59, tzinfo=UTC), "14 Jun, 23:59"),
            (datetime(2030, 6, 14, 22, 1, tzinfo=UTC), "00:01 today"),
            (datetime(2029, 12, 31, 22, 59, tzinfo=UTC), "31 Dec 2029"),
            (datetime(2029, 12, 31, 23, 1, tzinfo=UTC), "01 Jan, 00:01"),
        ],
    )
    def test_says_no_more_than_it_takes_where_the_reader_lives(self, moment: datetime | None, said: str) -> None:
        assert words.brief_time(moment, BERLIN) == said


class TestBriefMoment:
    def test_it_tells_the_whole_time_to_who_asks(self) -> None:
        moment = datetime(2020, 5, 9, 7, 5, tzinfo=UTC)
        assert words.brief_moment(moment, BERLIN) == (
            '<time datetime="2020-05-09T07:05:00+00:00" title="09 May 2020, 09:05">09 May 2020</time>'
        )

    def test_no_time_is_said_in_words_that_cannot_be_code(self) -> None:
        assert words.brief_moment(None, BERLIN, "<none>") == '<span class="desk-quiet">&lt;none&gt;</span>'
