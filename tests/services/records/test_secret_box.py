"""What lies sealed in the database opens with a key of the desk, for its owner, and not otherwise."""

import base64

import pytest

from admin_app.services.records.secret_box import SecretBox

OLD, NEW = "the key of last year, long enough", "the key of this year, long enough"


class TestSeal:
    def test_opens_again(self) -> None:
        sealed = SecretBox(NEW).seal("ABC234", owner_id=7)
        assert "ABC234" not in sealed
        assert len(sealed) <= 300
        assert SecretBox(NEW).open(sealed, owner_id=7) == "ABC234"

    def test_never_looks_the_same_twice(self) -> None:
        assert len({SecretBox(NEW).seal("ABC234", owner_id=7) for _ in range(3)}) == 3


class TestOpen:
    def test_is_nothing_in_the_row_of_somebody_else(self) -> None:
        sealed = SecretBox(NEW).seal("ABC234", owner_id=7)
        assert SecretBox(NEW).open(sealed, owner_id=8) is None

    @pytest.mark.parametrize("sealed", ["", "nonsense", "é", "AAAA", "A" * 16, "gAAAAAB" + "x" * 90])
    def test_is_nothing_when_it_was_never_sealed(self, sealed: str) -> None:
        assert SecretBox(NEW).open(sealed, owner_id=7) is None

    def test_is_nothing_when_a_single_bit_was_changed(self) -> None:
        whole = bytearray(base64.urlsafe_b64decode(SecretBox(NEW).seal("ABC234", owner_id=7)))
        for place in range(len(whole)):
            whole[place] ^= 1
            assert SecretBox(NEW).open(base64.urlsafe_b64encode(whole).decode(), owner_id=7) is None
            whole[place] ^= 1

    def test_a_key_that_the_desk_does_not_have_is_needed(self) -> None:
        sealed = SecretBox(OLD).seal("ABC234", owner_id=7)
        assert SecretBox(NEW).open(sealed, owner_id=7) is None

    def test_an_earlier_key_still_opens(self) -> None:
        sealed = SecretBox(OLD).seal("ABC234", owner_id=7)
        assert SecretBox(NEW, OLD).open(sealed, owner_id=7) == "ABC234"


class TestIsSealedWithNewest:
    def test_tells_which_key_is_needed(self) -> None:
        both = SecretBox(NEW, OLD)
        assert both.is_sealed_with_newest(both.seal("ABC234", owner_id=7), owner_id=7)
        assert not both.is_sealed_with_newest(SecretBox(OLD).seal("ABC234", owner_id=7), owner_id=7)
