"""What the desk signs can be made by nobody else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin_app.web.tokens import Tokens

OURS = Tokens("our secret key")
OTHERS = Tokens("another secret key")


class TestFormToken:
    def test_it_belongs_to_one_sign_in_and_one_key(self) -> None:
        token = OURS.form_token("a sign-in")
        assert OURS.is_form_token("a sign-in", token)
        assert not OURS.is_form_token("another sign-in", token)
        assert not OTHERS.is_form_token("a sign-in", token)

    def test_no_two_pages_carry_the_same_letters(self) -> None:
        """Or they could be guessed from how well a page compresses."""
        one, other = OURS.form_token("a sign-in"), OURS.form_token("a sign-in")
        assert OURS.is_form_token("a sign-in", one)
        assert OURS.is_form_token("a sign-in", other)
        assert sum(a == b for a, b in zip(one, other, strict=True)) < len(one) / 4

    def test_the_signature_itself_is_no_token(self) -> None:
        assert not OURS.is_form_token("a sign-in", OURS._forms.get_signature("a sign-in").decode())

    @settings(deadline=None)
    @given(st.text())
    def test_nothing_else_passes(self, text: str) -> None:
        assert not OURS.is_form_token("a sign-in", text)

    def test_half_a_character_is_no_token(self) -> None:
        assert not OURS.is_form_token("a sign-in", "\ud800")


class TestMessage:
    def test_it_comes_back_as_it_was(self) -> None:
        assert OURS.unpack_message(OURS.pack_message("saved", "T-000001 {} ünï")) == ("saved", "T-000001 {} ünï")

    @pytest.mark.parametrize("packed", ["", "x", OTHERS.pack_message("saved", "x"), OURS.pack_message("a", "b")[:-1]])
    def test_what_we_did_not_sign_is_none(self, packed: str) -> None:
        assert OURS.unpack_message(packed) is None

    def test_what_has_another_shape_is_none(self) -> None:
        assert OURS.unpack_message(str(OURS._messages.dumps(["only one"]))) is None
        assert OURS.unpack_message(str(OURS._messages.dumps(7))) is None

    def test_a_form_token_is_no_message(self) -> None:
        assert OURS.unpack_message(OURS.form_token("a sign-in")) is None


class TestRotation:
    ROTATED = Tokens("a new secret key", "our secret key")

    def test_what_the_key_before_signed_is_still_accepted(self) -> None:
        assert self.ROTATED.is_form_token("a sign-in", OURS.form_token("a sign-in"))
        assert self.ROTATED.unpack_message(OURS.pack_message("saved", "x")) == ("saved", "x")

    def test_it_signs_with_the_new_key_alone(self) -> None:
        new = Tokens("a new secret key")
        assert new.is_form_token("a sign-in", self.ROTATED.form_token("a sign-in"))
        assert not OURS.is_form_token("a sign-in", self.ROTATED.form_token("a sign-in"))
        assert self.ROTATED.pack_message("saved", "x") == new.pack_message("saved", "x")

    def test_a_key_that_was_taken_out_is_accepted_no_more(self) -> None:
        dropped = Tokens("a new secret key")
        assert not dropped.is_form_token("a sign-in", OURS.form_token("a sign-in"))
        assert dropped.unpack_message(OURS.pack_message("saved", "x")) is None
