"""Suggestions of people are the same wherever they come from, and cost the same however many people there are."""

import pytest
from sqlalchemy import text

from admin_app.models import User
from admin_app.permissions import Role
from admin_app.services.records import lookup
from tests.db.test_user_search import QUESTIONS, far
from tests.support.plans import Plans


@pytest.mark.parametrize("few", [1, 100])
async def test_they_are_the_same_from_the_index_and_by_looking(desk, few: int, monkeypatch) -> None:
    """With so few looked at by name, the others can only come from the index."""
    await desk.store(*far())
    monkeypatch.setattr(lookup, "LOOKED_AT", few)
    lookup._suggestions.cache_clear()
    wrong = {}
    for typed, expected in QUESTIONS.items():
        found = await desk.read(lookup.suggest_people, desk.cast.sam, term=typed, roles=frozenset(Role))
        if [name for _, name in found] != expected:
            wrong[typed] = found
    lookup._suggestions.cache_clear()
    assert wrong == {}


async def test_nobody_reads_through_everybody(desk) -> None:
    """Neither a rare word nor one that fits everybody nor one that fits nobody."""
    people = (User(email=f"c{number:05}@far.example", full_name=f"Amara {number:05}") for number in range(3_000))
    await desk.store(*people)
    await desk.database.run(lambda session: session.execute(text("ANALYZE")))
    looked = Plans(desk.database)
    for typed in ("c02999", "far example", "amara 02", "nobody"):

        async def ask(typed: str = typed) -> None:
            roles = frozenset({Role.CUSTOMER})
            await desk.read(lookup.suggest_people, desk.cast.sam, term=typed, roles=roles)

        assert await looked.faults(ask, most=300) == [], typed
    await looked.close()
