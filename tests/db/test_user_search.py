"""People are found by the words of their names and addresses, in the same way on both databases, and from an index."""

from sqlalchemy import select, text

from admin_app.db import user_search
from admin_app.db.database import Database
from admin_app.models import User
from admin_app.permissions import Role

QUESTIONS = {
    "zoe": ["Zoë Čapek"],
    "ZOË cap": ["Zoë Čapek"],
    "Čapek": ["Zoë Čapek"],
    "apek": [],
    "cap zoe": [],
    "zoe@far": ["Zoë Čapek"],
    "far.example": ["Zoë Čapek", "山田太郎"],
    "far.exam": ["Zoë Čapek", "山田太郎"],
    "far.exam le": [],
    "山": ["山田太郎"],
    "田太": ["山田太郎"],
    "山太": [],
    "sam st": ["Sam Staff"],
    "s": ["Sam Staff", "Sid Staff", "Sue Supervisor"],
    "'; --": [],
    'staff"': ["Sam Staff", "Sid Staff"],
}


def far() -> list[User]:
    """Two more people."""
    return [
        User(email="zoe@far.example", full_name="Zoë Čapek", role=Role.CUSTOMER),
        User(email="yamada@far.example", full_name="山田太郎", role=Role.CUSTOMER),
    ]


async def store(database: Database, people: list[User]) -> None:
    async def add(session) -> None:
        session.add_all(people)

    await database.run(add)


class TestFound:
    async def test_by_words_in_their_order_and_the_beginning_of_the_last(self, database: Database, cast) -> None:
        await store(database, far())
        named = select(User.full_name).where(User.id.in_(user_search.FOUND)).order_by(User.full_name)

        async def look(session) -> dict[str, list[str]]:
            wrong = {}
            for typed, expected in QUESTIONS.items():
                asked = user_search.typed(typed)
                found = list(await session.scalars(named, asked)) if asked else []
                if found != expected:
                    wrong[typed] = found
            return wrong

        assert await database.read(look) == {}

    async def test_from_the_index(self, database: Database, cast) -> None:
        people = [User(email=f"c{number:05}@far.example", full_name=f"Amara {number:05}") for number in range(2_000)]
        await store(database, people)
        named = select(User.full_name).where(User.id.in_(user_search.FOUND.params(**user_search.typed("c01999"))))
        engine = database.engines.read.sync_engine
        bound = named.compile(engine, compile_kwargs={"literal_binds": True})
        on_sqlite = database.engines.dialect == "sqlite"

        async def plan(session) -> str:
            await session.execute(text("ANALYZE"))
            explain = f"EXPLAIN {'QUERY PLAN' if on_sqlite else ''} {bound}".replace(":", r"\:")
            return "\n".join(str(row) for row in await session.execute(text(explain)))

        used = "user_search VIRTUAL TABLE INDEX 0:M" if on_sqlite else "ix_user_search_tokens"
        assert used in await database.run(plan)


class TestTyped:
    def test_asks_nothing_without_a_word(self) -> None:
        assert user_search.typed(" \x00'%_") == {}

    def test_is_the_same_in_both_languages(self) -> None:
        asked = user_search.typed("Zoë ČA")
        assert asked == {"phrase": " zoe ca", "tsquery": "'zoe' & 'ca':*", "fts5": '"zoe" AND "ca"*'}
