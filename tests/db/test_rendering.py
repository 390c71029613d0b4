"""Text that both databases write alike."""

import json
from datetime import UTC, datetime

from sqlalchemy import Integer, literal, select, true, union_all

from admin_app.db.rendering import CommaJoined, Joined, JsonList, JsonObject, MomentText, begins_with_one_of, constant
from admin_app.db.types import UTCDateTime


async def value(database, expression) -> object:
    return await database.read(lambda session: session.scalar(select(expression)))


class TestWords:
    async def test_both_databases_write_the_same(self, database) -> None:
        moment = literal(datetime(2030, 1, 2, 3, 4, 5, 999_000, tzinfo=UTC), UTCDateTime())
        assert await value(database, MomentText(moment)) == "2030-01-02 03:04:05+00:00"
        assert await value(database, MomentText(literal(None, UTCDateTime()))) is None
        assert await value(database, CommaJoined(constant("it's"), constant(""), constant("b"))) == "it's,,b"
        one = await value(database, JsonObject(constant("a"), constant('"\n'), constant("b"), literal(1, Integer())))
        assert json.loads(one) == {"a": '"\n', "b": 1}
        assert json.loads(await value(database, JsonList(constant("a"), constant("b")))) == ["a", "b"]
        rows = union_all(select(constant("a").label("x")), select(constant("b"))).subquery()
        assert await value(database, select(Joined(rows.c.x, constant(", "))).scalar_subquery()) == "a, b"

    async def test_the_first_sign_behind_others(self, database) -> None:
        texts = {"=": True, "'=": True, "''=": True, "'": False, "a=": False, "": False, "'a'=": False}
        for text, expected in texts.items():
            found = await value(database, begins_with_one_of(constant(text), "=+", after="'") & true())
            assert bool(found) is expected, text
