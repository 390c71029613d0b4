"""Six digits that change every thirty seconds, and codes for the day the phone is lost."""

import base64
import math
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from admin_app.services.records import one_time_codes

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
NOON = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)


class TestMatchingStep:
    @pytest.mark.parametrize(
        ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")]
    )
    def test_agrees_with_the_examples_of_rfc_6238(self, seconds: int, code: str) -> None:
        """Appendix B; its eight digits end in these six."""
        moment = datetime.fromtimestamp(seconds, UTC)
        assert one_time_codes.matching_step(RFC_SECRET, code, moment) == seconds // 30

    @pytest.mark.parametrize(("late", "is_accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
    def test_a_clock_may_be_one_step_off(self, late: int, is_accepted: bool) -> None:
        code = pyotp.TOTP(RFC_SECRET).at(NOON)
        found = one_time_codes.matching_step(RFC_SECRET, code, NOON + timedelta(seconds=late))
        assert found == (one_time_codes.step_at(NOON) if is_accepted else None)

    @pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "ünïcöd", "000000"])
    def test_is_none_for_anything_else(self, typed: str) -> None:
        assert one_time_codes.matching_step(RFC_SECRET, typed, NOON) is None


class TestTyping:
    @pytest.mark.parametrize("typed", ["123 456", "123-456", " 123456\n", "123456"])
    def test_blanks_and_dashes_do_not_count(self, typed: str) -> None:
        assert one_time_codes.bare(typed) == "123456"
        assert one_time_codes.is_time_based(one_time_codes.bare(typed))

    @pytest.mark.parametrize("code", ["12345", "1234567", "abc123", "١٢٣٤٥٦", ""])
    def test_what_is_no_six_digits_is_tried_as_a_recovery_code(self, code: str) -> None:
        assert not one_time_codes.is_time_based(code)


class TestRecoveryCodes:
    def test_ten_that_nobody_guesses_or_misreads(self) -> None:
        codes = one_time_codes.new_recovery_codes()
        assert len(set(codes)) == 10
        for code in codes:
            assert [len(group) for group in code.split("-")] == [4, 4, 4, 4, 4, 4]
            assert not set(code) & set("il1o0")

    def test_each_holds_enough_chance_for_a_fast_hash(self) -> None:
        code = one_time_codes.bare(one_time_codes.new_recovery_codes()[0])
        assert len(code) * math.log2(len(one_time_codes.ALPHABET)) >= 112, "below that a hash needs salt and time"

    def test_the_hash_is_of_the_code_however_it_is_typed(self) -> None:
        hashes = {one_time_codes.hash_of(typed) for typed in ("abcd-efgh", "ABCD EFGH", "abcdefgh")}
        assert len(hashes) == 1
        assert "abcd" not in hashes.pop()


class TestAddress:
    def test_tells_the_app_whose_account_it_is(self) -> None:
        address = one_time_codes.address(RFC_SECRET, "sam@desk.example")
        assert address.startswith("otpauth://totp/Support%20Desk:sam%40desk.example?secret=")

    def test_every_secret_is_new_and_160_bits_long(self) -> None:
        secrets = {one_time_codes.new_secret() for _ in range(3)}
        assert {len(base64.b32decode(secret)) for secret in secrets} == {20}
        assert len(secrets) == 3
