"""Cells that a spreadsheet would run as a formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_app.services.batches import formula_safety

DANGEROUS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")


class TestDefused:
    @pytest.mark.parametrize("text", DANGEROUS)
    def test_what_would_run_gets_an_apostrophe(self, text: str) -> None:
        assert formula_safety.defused(text) == f"'{text}"
        assert formula_safety.is_defused(f"'{text}")

    @pytest.mark.parametrize("text", ["", "plain", "a=1", "'quoted'", "1-2", " =1"])
    def test_everything_else_stays_as_it_is(self, text: str) -> None:
        assert formula_safety.defused(text) == text
        assert not formula_safety.is_defused(text)


class TestOriginal:
    @given(st.text(alphabet="'=+-@\t\rab ", max_size=6))
    def test_it_is_the_exact_inverse(self, text: str) -> None:
        assert formula_safety.original(formula_safety.defused(text)) == text

    @given(st.text(alphabet="'=+-@\t\rab ", max_size=6))
    def test_no_defused_text_runs(self, text: str) -> None:
        assert not formula_safety.defused(text).startswith(("=", "+", "-", "@", "\t", "\r"))
