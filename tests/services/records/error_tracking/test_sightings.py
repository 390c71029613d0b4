"""What is noted of a failure, and what never is."""

import pytest

from admin_app.services.records import one_time_codes
from admin_app.services.records.error_tracking import sightings
from admin_app.services.records.secret_box import SecretBox


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
        references = {sightings.new_reference() for _ in range(100)}
        assert len(references) == 100
        assert all(len(reference) == 8 and int(reference, 16) >= 0 for reference in references)


class WordlessError(Exception):
    """Cannot even say what went wrong."""

    def __str__(self) -> str:
        raise RuntimeError


class TestNote:
    def test_says_what_happened_where_and_to_whom(self, stopped_clock) -> None:
        error = failure("row 'Kim' is odd")
        seen = sightings.note(error, reference="3f2a91c0", path="/admin/ticket/edit/7", actor_id=3)
        assert (seen.reference, seen.kind, seen.message) == ("3f2a91c0", "ValueError", "row … is odd")
        assert (seen.path, seen.actor_id, seen.occurred_at) == ("/admin/ticket/edit/7", 3, stopped_clock.time)
        assert seen.fingerprint == sightings.fingerprint(error)

    def test_fits_its_columns_whatever_the_error_holds(self) -> None:
        error = failure("nul \x00 and half \udc80 " + "word " * 1000, type("E" * 300, (Exception,), {}))
        seen = sightings.note(error, reference="3f2a91c0", path="/admin/%00/\x00" + "x" * 1000, actor_id=None)
        assert (len(seen.kind), len(seen.message), len(seen.path)) == (100, 500, 300)
        assert seen.message.startswith("nul  and half ? word")
        assert seen.path.startswith("/admin/%00/xxx")

    def test_addresses_of_people_do_not_stay_in_the_path(self) -> None:
        seen = sightings.note(failure("x"), reference="3f2a91c0", path="/admin/kim@desk.example/7", actor_id=None)
        assert seen.path == "/admin/…/7"

    def test_an_error_that_cannot_be_put_into_words_is_noted_too(self) -> None:
        seen = sightings.note(WordlessError(), reference="3f2a91c0", path="/", actor_id=None)
        assert (seen.kind, seen.message) == ("WordlessError", "an error without a text")


class TestFingerprint:
    def test_is_the_same_for_the_same_kind_at_the_same_place_whatever_the_text(self) -> None:
        assert sightings.fingerprint(failure("one")) == sightings.fingerprint(failure("two"))

    def test_differs_by_kind_of_error(self) -> None:
        assert sightings.fingerprint(failure("one")) != sightings.fingerprint(failure("one", KeyError))

    def test_differs_by_place_in_the_code(self) -> None:
        assert sightings.fingerprint(failure("one")) != sightings.fingerprint(failure_elsewhere("one"))

    def test_an_error_that_was_never_raised_has_one_too(self) -> None:
        assert len(sightings.fingerprint(ValueError("one"))) == 64


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
        assert "hunter2" not in sightings.scrubbed(message)

    def test_nothing_of_a_second_factor_gets_through(self) -> None:
        secret = one_time_codes.new_secret()
        sealed = SecretBox("a key of this test").seal(secret, owner_id=1)
        code = one_time_codes.new_recovery_codes()[0]
        address = one_time_codes.address(secret, "sam@desk.example")
        for value in (secret, sealed, code, "123456", "123 456"):
            assert sightings.scrubbed(f"no match for {value} here") == "no match for … here"
        assert sightings.scrubbed(f"no picture of {address}") == "no picture of …"

    def test_long_numbers_go_and_short_ones_stay(self) -> None:
        assert sightings.scrubbed("card 4111111111111111 at row 12") == "card … at row 12"

    def test_words_that_tell_nobody_anything_stay(self) -> None:
        assert sightings.scrubbed("list index out of range") == "list index out of range"

    @pytest.mark.parametrize("message", ["", "\n", "\n\n", "\x00"])
    def test_an_empty_message_stays_empty(self, message: str) -> None:
        assert sightings.scrubbed(message) == ""
