"""Reports of failures that nobody foresaw."""

import pytest

from admin_app.models import ErrorReport
from admin_app.services.records import error_tracking


def failure(message: str, kind: type[Exception] = ValueError) -> Exception:
    """An error that was really raised."""
    try:
        raise kind(message)
    except kind as error:
        return error


def failure_elsewhere(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


class TestNewReference:
    def test_is_eight_hexadecimal_characters_and_another_one_each_time(self) -> None:
        references = {error_tracking.new_reference() for _ in range(100)}
        assert len(references) == 100
        assert all(len(reference) == 8 and int(reference, 16) >= 0 for reference in references)


class TestReport:
    async def test_stores_what_happened_where_and_to_whom(self, desk, stopped_clock) -> None:
        error = failure("row 'Kim' is odd")
        await desk.run(
            error_tracking.report, error, reference="3f2a91c0", path="/admin/ticket/edit/7", actor_id=desk.cast.sam.id
        )
        [stored] = await desk.rows(ErrorReport)
        assert (stored.reference, stored.kind, stored.message) == ("3f2a91c0", "ValueError", "row … is odd")
        assert (stored.path, stored.actor_id) == ("/admin/ticket/edit/7", desk.cast.sam.id)
        assert stored.occurred_at == stopped_clock.time
        assert stored.fingerprint == error_tracking.fingerprint(error)

    async def test_a_report_fits_its_columns_whatever_it_holds(self, desk) -> None:
        error = failure("nul \x00 and " + "word " * 1000, type("E" * 300, (Exception,), {}))
        path = "/admin/%00/\x00" + "x" * 1000
        await desk.run(error_tracking.report, error, reference="3f2a91c0", path=path, actor_id=None)
        [stored] = await desk.rows(ErrorReport)
        assert (len(stored.kind), len(stored.message), len(stored.path)) == (100, 500, 300)
        assert stored.message.startswith("nul  and word")
        assert stored.path.startswith("/admin/%00/xxx")


class TestFingerprint:
    def test_is_the_same_for_the_same_kind_at_the_same_place_whatever_the_text(self) -> None:
        assert error_tracking.fingerprint(failure("one")) == error_tracking.fingerprint(failure("two"))

    def test_differs_by_kind_of_error(self) -> None:
        assert error_tracking.fingerprint(failure("one")) != error_tracking.fingerprint(failure("one", KeyError))

    def test_differs_by_place_in_the_code(self) -> None:
        assert error_tracking.fingerprint(failure("one")) != error_tracking.fingerprint(failure_elsewhere("one"))

    def test_an_error_that_was_never_raised_has_one_too(self) -> None:
        assert len(error_tracking.fingerprint(ValueError("one"))) == 64


class TestScrubbed:
    @pytest.mark.parametrize(
        "message",
        [
            "password=hunter2",
            "PASSWORD : hunter2",
            "the secret_key=hunter2 was wrong",
            "token: hunter2",
            "Authorization: Bearer hunter2",
            "Cookie: first=1; second=hunter2",
            "name 'hunter2' is unknown",
            'relation "hunter2" is unknown',
            "nobody called sam@hunter2 is here",
            "first line\npassword=hunter2",
        ],
    )
    def test_no_secret_or_quoted_value_gets_through(self, message: str) -> None:
        assert "hunter2" not in error_tracking.scrubbed(message)

    def test_long_numbers_go_and_short_ones_stay(self) -> None:
        assert error_tracking.scrubbed("card 4111111111111111 at row 12") == "card … at row 12"

    def test_words_that_tell_nobody_anything_stay(self) -> None:
        assert error_tracking.scrubbed("list index out of range") == "list index out of range"

    @pytest.mark.parametrize("message", ["", "\n", "\n\n", "\x00"])
    def test_an_empty_message_stays_empty(self, message: str) -> None:
        assert error_tracking.scrubbed(message) == ""
