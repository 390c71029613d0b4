"""What text a field takes."""

import pytest

from admin_app.errors import InvalidInput
from admin_app.services.records import text_rules


class TestCheck:
    @pytest.mark.parametrize(("name", "longest"), text_rules.LONGEST.items())
    def test_a_text_may_be_exactly_as_long_as_the_limit(self, name: str, longest: int) -> None:
        text_rules.check({name: "ä" * longest}, required=(name,))

    @pytest.mark.parametrize(("name", "longest"), text_rules.LONGEST.items())
    def test_one_character_more_is_refused_with_both_numbers(self, name: str, longest: int) -> None:
        with pytest.raises(InvalidInput) as caught:
            text_rules.check({name: "x" * (longest + 1)})
        assert caught.value.fields == {name: f"At most {longest:,} characters; these are {longest + 1:,}."}

    @pytest.mark.parametrize("blank", ["", "   ", "\r\n\t"])
    def test_a_required_text_must_not_be_blank(self, blank: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            text_rules.check({"title": blank}, required=("title",))
        assert caught.value.fields == {"title": "This is required."}

    def test_a_text_that_is_not_required_may_be_empty(self) -> None:
        text_rules.check({"category": ""}, required=("title",))

    def test_a_nul_is_refused_because_postgresql_cannot_store_it(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            text_rules.check({"title": "a\x00b"})
        assert caught.value.fields == {"title": "This contains a character that cannot be stored."}

    def test_every_wrong_field_gets_its_own_sentence(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            text_rules.check({"title": "", "category": "x" * 101, "description": "fine"}, required=("title",))
        assert set(caught.value.fields) == {"title", "category"}


class TestSentence:
    def test_it_ends_in_one_mark(self) -> None:
        said = [text_rules.sentence(title) for title in ("Printer on fire", "230 volts?", "Help!", "Odd …")]
        assert said == ["Printer on fire.", "230 volts?", "Help!", "Odd …"]


class TestNormalised:
    def test_line_ends_of_browsers_become_plain_ones_and_outer_blanks_go(self) -> None:
        assert text_rules.normalised("\r\n one\r\ntwo \n three  \r\n") == "one\ntwo \n three"
