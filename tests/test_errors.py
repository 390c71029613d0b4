"""What can go wrong, as one tree."""

import re

import pytest

from admin_app import clock, errors
from admin_app.errors import (
    AlreadyExists,
    AppError,
    FieldClash,
    Findings,
    Gone,
    InvalidInput,
    NotFound,
    SavedBy,
    StaleEdit,
    Unavailable,
    UnexpectedFailure,
    WriteOutsideService,
)

ANSWERS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AppError)]


class TestTree:
    def test_the_picture_in_the_docstring_shows_every_answer(self) -> None:
        drawn = set(re.findall(r"[A-Z][A-Za-z]+(?=  |\s\d| +[a-z]|$)", errors.__doc__ or "", re.MULTILINE))
        assert {kind.__name__ for kind in ANSWERS} - drawn == set()

    def test_the_picture_shows_the_status_codes(self) -> None:
        for name, code in re.findall(r"([A-Z]\w+) (\d{3})", errors.__doc__ or ""):
            assert getattr(errors, name).status_code == int(code), name

    @pytest.mark.parametrize("kind", [kind for kind in ANSWERS if kind is not AppError])
    def test_every_answer_has_a_code_of_its_own_or_its_parents(self, kind: type[AppError]) -> None:
        assert 400 <= kind.status_code <= 504
        assert kind.__doc__

    def test_a_write_from_a_page_is_no_answer(self) -> None:
        assert not issubclass(WriteOutsideService, AppError)


class TestAppError:
    def test_it_says_its_default_sentence(self) -> None:
        assert str(NotFound()) == "There is no such page or record."

    def test_it_says_what_it_was_given(self) -> None:
        assert str(NotFound("No such ticket.")) == "No such ticket."


class TestInvalidInput:
    def test_each_field_gets_its_own_sentence(self) -> None:
        error = InvalidInput(title="Too long.", owner_id="Unknown.")
        assert error.fields == {"title": "Too long.", "owner_id": "Unknown."}
        assert str(error) == "Too long. Unknown."

    def test_without_fields_it_asks_to_check(self) -> None:
        assert str(InvalidInput()) == "Please check the marked fields."


class TestAlreadyExists:
    def test_it_points_at_the_field(self) -> None:
        error = AlreadyExists("email", "This address is taken.")
        assert (error.fields, str(error)) == ({"email": "This address is taken."}, "This address is taken.")


class TestGone:
    def test_it_leads_to_the_trash(self) -> None:
        assert Gone(ticket_id=7).ticket_id == 7
        assert str(Gone()) == "This was deleted."


class TestUnexpectedFailure:
    def test_it_says_its_reference_and_no_more(self) -> None:
        error = UnexpectedFailure("3f2a91c0")
        assert str(error) == "Something went wrong. Reference 3f2a91c0"
        assert error.reference == "3f2a91c0"


class TestUnavailable:
    def test_it_says_when_to_come_back(self) -> None:
        assert (Unavailable().retry_after, Unavailable(retry_after=9).retry_after) == (2, 9)


class TestStaleEdit:
    def test_it_carries_what_a_merge_needs(self) -> None:
        clash = FieldClash("title", "a", "b", "c")
        saved_by = SavedBy("Sid Staff", clock.now())
        error = StaleEdit(current_version=3, fields=[clash], saved_by=[saved_by])
        assert (error.current_version, error.fields, error.saved_by) == (3, (clash,), (saved_by,))


class TestFindings:
    def test_every_field_is_told_at_once_and_what_has_no_field_right_away(self) -> None:
        wrong = Findings()
        wrong.tell()
        for fields in ({"title": "This is required."}, {"owner": "Nobody here is called Zoe."}):
            with wrong.gathered():
                raise InvalidInput(**fields)
        with pytest.raises(InvalidInput) as told:
            wrong.tell()
        assert told.value.fields == {"title": "This is required.", "owner": "Nobody here is called Zoe."}
        with pytest.raises(InvalidInput, match="no longer kept"), wrong.gathered():
            raise InvalidInput("The file is no longer kept here.")


class TestFieldClash:
    @pytest.mark.parametrize(
        ("theirs", "yours", "is_clash", "merged"),
        [
            ("start", "start", False, "start"),
            ("theirs", "start", False, "theirs"),
            ("start", "yours", False, "yours"),
            ("same", "same", False, "same"),
            ("theirs", "yours", True, "yours"),
        ],
        ids=["nobody", "only they", "only you", "both alike", "both differently"],
    )
    def test_who_changed_it_decides(self, theirs: str, yours: str, is_clash: bool, merged: str) -> None:
        clash = FieldClash("title", "start", theirs, yours)
        assert (clash.is_clash, clash.merged) == (is_clash, merged)
