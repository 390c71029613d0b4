"""The form that asks what the columns of a file mean."""

import pytest
from starlette.datastructures import FormData, UploadFile

from admin_app.errors import Conflict, InvalidInput
from admin_app.services.batches.imports import answers
from admin_app.services.batches.imports.previews import Preview
from admin_app.web.forms import Field
from admin_app.web.views import import_forms
from admin_app.web.views.import_forms import MappingForm, answers_in, mapping_form

FILE = Preview(
    header=("Id", "Subject", "", "Mail", "State", "Urgency"),
    rows=[],
    words={"State": ["Waiting", "Frozen"], "Urgency": ["high"], "Subject": ["a", "b"]},
    crowded=frozenset({"Subject"}),
)
GIVEN = {"title": "Subject", answers.EMAIL: "Mail", "status": "State"}


def field(form: MappingForm, name: str) -> Field:
    """The one question with this name."""
    [found] = [field for _, fields in form.groups for field in fields if field.name == name]
    return found


class TestMappingForm:
    def test_asks_for_every_field_of_a_ticket_once(self) -> None:
        names = [field.name for _, fields in mapping_form(FILE, GIVEN).groups for field in fields]
        assert len(names) == len(set(names))
        assert set(names) >= {*import_forms.LABELS, "key_prefix", "timezone", "date_format", "default_status"}
        assert {*answers.SINGLE, answers.KEY, answers.EMAIL, answers.NAME} <= set(names)

    def test_offers_the_columns_that_have_a_name(self) -> None:
        title, owner = field(mapping_form(FILE, GIVEN), "title"), field(mapping_form(FILE, GIVEN), "owner")
        columns = [name for name in FILE.header if name]
        assert [value for value, _ in title.options] == ["", *columns]
        assert (title.options[0][1], owner.options[0][1]) == ("Choose a column", "Not in this file")
        assert (title.value, title.required, owner.required) == ("Subject", True, False)

    def test_an_error_stands_at_its_question_and_the_rest_above(self) -> None:
        error = InvalidInput(title="Choose the column.", mapping="It is wrong.")
        form = mapping_form(FILE, {}, error)
        assert (field(form, "title").error, field(form, "owner").error, form.error) == (
            *("Choose the column.", ""),
            "It is wrong.",
        )

    def test_an_error_about_no_question_stands_above(self) -> None:
        assert mapping_form(FILE, GIVEN, Conflict("It has ended.")).error == "It has ended."
        assert mapping_form(FILE, GIVEN).error == ""

    def test_a_way_of_writing_times_that_was_chosen_elsewhere_is_kept_and_shown_by_example(self) -> None:
        form = mapping_form(FILE, {**GIVEN, "date_format": "%d/%m/%y|iso"})
        chosen = field(form, "date_format")
        assert (chosen.value, dict(chosen.options)["%d/%m/%y|iso"]) == (
            *("%d/%m/%y|iso", "21/11/26 or 2026-11-21T14:30:00+00:00"),
        )


class TestWords:
    def test_each_word_of_a_choice_gets_the_desks_word(self) -> None:
        [status] = mapping_form(FILE, GIVEN).words
        assert [(word, meaning) for _, word, meaning in status.rows] == [("Waiting", "pending"), ("Frozen", "")]
        assert status.options[0] == ("", "Turn the row away")
        assert not status.is_crowded

    def test_an_answer_goes_before_a_guess_and_words_of_other_files_stay(self) -> None:
        said = {"word:status:waiting": "open", "word:status:Sleeping": "closed", "word:status:Idle": ""}
        [status] = mapping_form(FILE, {**GIVEN, **said}).words
        assert [(word, meaning) for _, word, meaning in status.rows] == [
            ("Waiting", "open"),
            ("Frozen", ""),
            ("Sleeping", "closed"),
        ]

    def test_a_column_with_too_many_words_is_said_to_be_crowded(self) -> None:
        form = mapping_form(FILE, {**GIVEN, "priority": "Subject", "status": ""})
        assert [(found.column, list(found.rows), found.is_crowded) for found in form.words] == [("Subject", [], True)]

    def test_a_column_without_any_word_asks_nothing(self) -> None:
        assert mapping_form(FILE, {**GIVEN, "status": "Mail"}).words == []

    def test_a_column_that_the_file_does_not_have_asks_nothing(self) -> None:
        assert mapping_form(FILE, {**GIVEN, "status": "Elsewhere"}).words == []


class TestAnswersIn:
    @pytest.mark.parametrize("name", ["title", "key_prefix", "timezone", "default_priority", "word:status:Waiting"])
    def test_takes_what_was_asked(self, name: str) -> None:
        assert answers_in(FormData([(name, " said ")])) == {name: "said"}

    def test_takes_nothing_else(self) -> None:
        other = FormData([("form_token", "x"), ("owner_id", "1"), ("title", UploadFile(file=None, filename="a"))])
        assert answers_in(other) == {}
