"""Searches of one shape share a statement."""

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from admin_app.db import search_shape, ticket_search
from admin_app.db.search_query import parse


def statement_of(typed: str, dialect: str = "postgresql"):
    return ticket_search.newest(parse(typed), dialect)[0]


class TestShapeOf:
    def test_words_make_no_difference_but_their_number_does(self) -> None:
        assert statement_of("printer fire") is statement_of("lamp broken")
        assert statement_of("printer") is not statement_of("printer fire")

    def test_every_kind_of_search_has_its_own(self) -> None:
        kinds = ["printer", "pr", "printer fire", '"on fire"', "90", "kim@desk.example", "one two three four"]
        shapes = [search_shape.shape_of(parse(typed)) for typed in kinds]
        assert len(set(shapes)) == len(kinds), dict(zip(kinds, shapes, strict=True))


class TestValuesOf:
    @pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()], ids=lambda dialect: dialect.name)
    def test_every_parameter_has_one(self, dialect) -> None:
        for typed in ("printer", "printer fire", '"on fire" lamp', "90", "kim@desk.example", "京都"):
            statement, values = ticket_search.newest(parse(typed), dialect.name)
            parameters = statement.params(**values).compile(dialect=dialect).params
            assert [name for name, value in parameters.items() if value is None] == [], typed
