"""Forms as data: what was typed, what is wrong with it, and three sides of a stale save."""

import pytest
from starlette.datastructures import FormData

from admin_app.errors import AlreadyExists, FieldClash, InvalidInput, StaleEdit
from admin_app.web.forms import Field, Form, merge, without_theirs

FORM = Form([Field("title", "Title"), Field("status", "Status", kind="select", options=[("open", "Open")])])
PASSWORD = Form([Field("password", "Password", kind="password"), Field("file", "File", kind="file")])


def errors_of(form: Form) -> dict[str, str]:
    """What is said at which field."""
    return {field.name: field.error for field in form.fields if field.error}


class TestTyped:
    def test_what_was_typed_is_in_the_fields(self) -> None:
        typed = FORM.typed(FormData([("title", "a"), ("status", "open"), ("other", "x")]))
        assert [field.value for field in typed.fields] == ["a", "open"]

    def test_passwords_and_files_are_never_given_back(self) -> None:
        typed = PASSWORD.typed(FormData([("password", "secret"), ("file", "x")]))
        assert [field.value for field in typed.fields] == ["", ""]

    def test_an_error_is_said_at_its_field(self) -> None:
        wrong = FORM.typed(FormData(), InvalidInput(title="This is required."))
        assert (errors_of(wrong), wrong.error) == ({"title": "This is required."}, "")

    def test_what_is_about_no_field_here_is_said_above(self) -> None:
        wrong = FORM.wrong(AlreadyExists("email", "It is taken."))
        assert (errors_of(wrong), wrong.error) == ({}, "It is taken.")

    def test_a_stale_save_is_said_above(self) -> None:
        stale = StaleEdit(fields=[FieldClash("title", "a", "b", "c")])
        assert FORM.wrong(stale).error == str(stale)


class TestMerge:
    @pytest.mark.parametrize(
        ("at_start", "theirs", "yours", "by", "is_clash", "value"),
        [
            ("a", "a", "a", "", False, "a"),
            ("a", "b", "a", "them", False, "b"),
            ("a", "a", "c", "you", False, "c"),
            ("a", "b", "b", "both", False, "b"),
            ("a", "b", "c", "both", True, "c"),
            (None, "b", "", "them", False, "b"),
        ],
    )
    def test_each_side_is_told_apart(
        self, at_start: object, theirs: object, yours: object, by: str, is_clash: bool, value: str
    ) -> None:
        stale = StaleEdit(fields=[FieldClash("title", at_start, theirs, yours)])
        merged = merge(FORM, stale, lambda name, stored: str(stored or ""))
        [row] = merged.rows
        assert (row.changed_by, row.is_clash, row.field.value, merged.clashes) == (by, is_clash, value, int(is_clash))

    def test_sides_are_compared_as_the_form_holds_them(self) -> None:
        stale = StaleEdit(fields=[FieldClash("title", "12:00:59", "13:00:30", "12:00:00")])
        [row] = merge(FORM, stale, lambda name, stored: str(stored)[:5]).rows
        assert (row.changed_by, row.field.value) == ("them", "13:00")

    def test_what_is_no_longer_on_offer_stays_a_choice(self) -> None:
        stale = StaleEdit(fields=[FieldClash("status", "open", "open", "on_hold")])
        [row] = merge(FORM, stale, lambda name, stored: str(stored)).rows
        assert list(row.field.options) == [("open", "Open"), ("on_hold", "On hold")]
        assert (row.at_start, row.yours) == ("Open", "On hold")


class TestWithoutTheirs:
    def test_what_they_keep_is_not_saved(self) -> None:
        form = FormData([("choice-title", "theirs"), ("choice-status", "mine")])
        assert without_theirs(form, {"title": "a", "status": "b"}) == {"status": "b"}
