"""Where in a text another one stands."""

import pytest
from sqlalchemy import literal, select

from admin_app.db.database import Database
from admin_app.db.text_position import TextPosition


class TestTextPosition:
    @pytest.mark.parametrize(
        ("text", "part", "position"), [("müller", "ü", 2), ("müller", "müller", 1), ("müller", "M", 0), ("", "a", 0)]
    )
    async def test_counts_characters_from_one(self, database: Database, text: str, part: str, position: int) -> None:
        asked = select(TextPosition(literal(text), literal(part)))
        assert await database.read(lambda session: session.scalar(asked)) == position
