"""People: customers, who never sign in, and the desk."""

import pytest

from admin_app.errors import AlreadyExists
from admin_app.models import User


class TestNormaliseEmail:
    @pytest.mark.parametrize("typed", ["Sam@Desk.Example", "  sam@desk.example "])
    def test_an_address_is_stored_in_one_case_without_spaces(self, typed: str) -> None:
        assert User(email=typed).email == "sam@desk.example"

    def test_it_is_also_done_when_the_address_changes(self) -> None:
        user = User(email="sam@desk.example")
        user.email = "SAM@NEW.example"
        assert user.email == "sam@new.example"

    async def test_the_same_address_in_another_case_is_taken(self, database, cast) -> None:
        async def add(session) -> None:
            session.add(User(email="SAM@desk.example", full_name="Another Sam"))

        with pytest.raises(AlreadyExists) as refused:
            await database.run(add)
        assert list(refused.value.fields) == ["email"]


class TestStr:
    def test_a_person_reads_as_name_and_address(self) -> None:
        assert str(User(email="sam@desk.example", full_name="Sam Staff")) == "Sam Staff <sam@desk.example>"
