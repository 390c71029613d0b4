"""The words of names and addresses are kept in step with every way of writing."""

from sqlalchemy import select, text

from admin_app.db import user_search
from admin_app.db.database import Database
from admin_app.db.search_words import words
from admin_app.models import User

NEW_USER = (
    "INSERT INTO users (id, email, full_name, role, is_active, timezone, version, created_at, updated_at)"
    " VALUES ({id}, '{email}', '{name}', 'customer', true, 'UTC', 1, '2030-01-01', '2030-01-01')"
)
WAYS = (
    NEW_USER.format(id=901, email="zoe@far.example", name="Zoë Čapek"),
    NEW_USER.format(id=902, email="yamada@far.example", name="山田太郎"),
    "UPDATE users SET full_name = 'Zoë Smith' WHERE id = 901",
    "UPDATE users SET email = 'smith@far.example' WHERE id = 901",
    "UPDATE users SET is_active = false WHERE id = 901",
    "UPDATE users SET full_name = upper(full_name), email = 'x' || email",
    "DELETE FROM users WHERE id = 902",
)


async def write(database: Database, statement: str) -> None:
    await database.run(lambda session: session.execute(text(statement)))


async def differing(database: Database) -> list[str]:
    """Whose words are not those of their name and address, or are missing in the index."""

    async def look(session) -> list[str]:
        people = {user.id: words(f"{user.full_name} {user.email}") for user in await session.scalars(select(User))}
        kept = dict((await session.execute(select(user_search.stored.c.rowid, user_search.stored.c.words))).all())
        numbers = people.keys() | kept
        wrong = [f"{number}: {kept.get(number)}" for number in numbers if kept.get(number) != people.get(number)]
        for number, known in people.items():
            for word in known.split():
                found = await session.scalars(user_search.FOUND, user_search.typed(word))
                wrong += [f"{number}: {word} is not in the index"] if number not in found.all() else []
        return wrong

    return await database.read(look)


class TestInStep:
    async def test_every_way_of_writing_is_followed(self, database: Database, cast) -> None:
        assert await differing(database) == []
        for way in WAYS:
            await write(database, way)
            assert await differing(database) == [], way

    async def test_without_a_trigger_the_difference_is_seen(self, database: Database, cast) -> None:
        """The negative control."""
        await write(database, WAYS[0])
        followed = "user_search_anew" if database.engines.dialect == "sqlite" else "user_search_follow ON users"
        await write(database, f"DROP TRIGGER {followed}")
        await write(database, WAYS[2])
        assert await differing(database)
