"""A mapping as the answers of a form, and back."""

from pathlib import Path

import pytest

from admin_app.errors import InvalidInput
from admin_app.services.batches.csv_import import mapping as mappings
from admin_app.services.batches.imports import answers
from tests.services.batches.csv_files import HEADER, rules

CONFIG = Path(__file__).resolve().parents[4] / "config"


class TestThereAndBack:
    @pytest.mark.parametrize(
        "mapping",
        [
            rules(),
            rules(external_key=None, customer={"email": "Mail"}),
            *(mappings.load(file) for file in sorted(CONFIG.glob("import-*.toml"))),
        ],
        ids=lambda mapping: mapping.name,
    )
    def test_nothing_is_lost(self, mapping) -> None:
        header = [*dict.fromkeys(mapping._named())]
        assert answers.mapping_of(answers.answers_of(mapping), header, name=mapping.name) == mapping


class TestMappingOf:
    ENOUGH = {"title": "Subject", "email": "Mail"}

    def test_two_columns_are_enough(self) -> None:
        found = answers.mapping_of(self.ENOUGH, HEADER, name="x")
        assert (found.external_key, found.timezone, found.date_formats) == (None, "UTC", ("iso",))

    @pytest.mark.parametrize(
        ("given", "fields"),
        [
            ({}, {"form"}),
            ({"word:status:Waiting": "open", "timezone": "UTC"}, {"form"}),
            ({"title": "Subject"}, {"email"}),
            ({"email": "Mail"}, {"title"}),
            ({"tags": "Labels"}, {"title", "email"}),
            ({**ENOUGH, "status": "Nowhere"}, {"file"}),
            ({**ENOUGH, "timezone": "Mars/Olympus"}, {"mapping"}),
            ({**ENOUGH, "default_status": "frozen"}, {"mapping"}),
            ({**ENOUGH, "word:priority:Huge": "huge"}, {"mapping"}),
        ],
    )
    def test_what_is_missing_or_wrong_gets_a_sentence(self, given, fields) -> None:
        with pytest.raises(InvalidInput) as caught:
            answers.mapping_of(given, HEADER, name="x")
        assert set(caught.value.fields) == fields


class TestLookedUp:
    def test_case_and_blanks_do_not_matter(self) -> None:
        assert answers.looked_up({"on hold": "x"}, " On_Hold ") == "x"
        assert answers.looked_up({"on hold": "x"}, "open") is None
