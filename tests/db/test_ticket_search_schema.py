"""The words of each ticket follow every way of writing, or the search would miss what people see."""

import asyncio

from sqlalchemy import select, text

from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.db.search_words import words
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.models import Comment, Ticket, User
from tests.support.cast import store_cast

NOW = "CURRENT_TIMESTAMP"
NEW_TICKET = (
    "INSERT INTO tickets (id, ticket_number, title, description, status, priority, channel, category, creator_id,"
    " version, created_at, updated_at) SELECT {id}, '{number}', '{title}', 'Smoke, Müller!', 'new', 1, 'web',"
    f" '', id, 1, {NOW}, {NOW} FROM users WHERE email = 'kim@desk.example'"
)
NEW_COMMENT = (
    "INSERT INTO comments (id, ticket_id, body, is_internal, version, created_at, updated_at)"
    f" VALUES ({{id}}, {{ticket}}, '{{body}}', false, 1, {NOW}, {NOW})"
)
WAYS = [
    *(NEW_TICKET.format(id=n, number=f"T-{n:06}", title=f"Drucker {n} 東京都") for n in (1, 2, 3)),
    NEW_COMMENT.format(id=1, ticket=1, body="Straße 👍"),
    f"{NEW_COMMENT.format(id=2, ticket=1, body='second')}, (3, 2, 'third', false, 1, {NOW}, {NOW})",
    "UPDATE tickets SET title = 'Anders', description = ''  WHERE id = 1",
    "UPDATE tickets SET status = 'open'",
    "UPDATE tickets SET ticket_number = 'T-000009' WHERE id = 3",
    "UPDATE tickets SET creator_id = (SELECT id FROM users WHERE email = 'mallory@desk.example') WHERE id = 2",
    "UPDATE users SET full_name = 'Kim Åberg', email = 'kim.aberg@desk.example' WHERE email = 'kim@desk.example'",
    "UPDATE comments SET body = 'changed' WHERE id = 1",
    "UPDATE comments SET ticket_id = 3 WHERE id = 2",
    f"UPDATE comments SET deleted_at = {NOW}, delete_batch_id = 'alone' WHERE id = 1",
    "UPDATE comments SET deleted_at = NULL, delete_batch_id = NULL WHERE id = 1",
    f"UPDATE comments SET deleted_at = {NOW}, delete_batch_id = 'batch'",
    f"UPDATE tickets SET deleted_at = {NOW}, delete_batch_id = 'batch'",
    "UPDATE tickets SET deleted_at = NULL, delete_batch_id = NULL WHERE id = 1",
    "UPDATE users SET full_name = 'Kim Again' WHERE email = 'kim.aberg@desk.example'",
    "UPDATE comments SET deleted_at = NULL, delete_batch_id = NULL WHERE ticket_id = 1",
    "UPDATE comments SET body = body || ' and more'",
    "DELETE FROM comments WHERE id = 3",
    "DELETE FROM tickets WHERE id = 2",
    "DELETE FROM comments",
    "DELETE FROM tickets",
]


async def wanted(database) -> dict[int, tuple[bool, str, str, str]]:
    """What the search should know of each ticket, made anew from the tables."""

    async def look(session) -> dict[int, tuple[bool, str, str, str]]:
        customers = {user.id: user for user in await session.scalars(select(User))}
        said = (await session.scalars(select(Comment).order_by(Comment.id).execution_options(**INCLUDE_DELETED))).all()
        known = {}
        for ticket in await session.scalars(select(Ticket).execution_options(**INCLUDE_DELETED)):
            customer = customers[ticket.creator_id]
            bodies = [
                comment.body
                for comment in said
                if comment.ticket_id == ticket.id
                and (comment.deleted_at is None or comment.delete_batch_id == ticket.delete_batch_id)
            ]
            short = ticket.ticket_number.lstrip("T-0")
            known[ticket.id] = (
                ticket.deleted_at is not None,
                words(f"{ticket.ticket_number} T-{short} {ticket.title}"),
                words(f"{customer.full_name} {customer.email}"),
                "/".join([words(ticket.description), *map(words, bodies)]),
            )
        return known

    return await database.read(look)


async def kept(database) -> dict[int, tuple[bool, str, str, str]]:
    """What the search does know."""

    async def look(session) -> dict[int, tuple[bool, str, str, str]]:
        rows = await session.execute(text("SELECT ticket_id, is_deleted, title, customer, body FROM ticket_search"))
        return {row[0]: (bool(row[1]), *row[2:]) for row in rows}

    return await database.read(look)


async def indexed(database) -> dict[int, set[str]]:
    """The words that the index holds for each ticket, live or deleted, without the names of ranges."""

    async def look(session) -> dict[int, set[str]]:
        if database.engines.dialect == "postgresql":
            rows = await session.execute(text("SELECT ticket_id, tsvector_to_array(tokens) FROM ticket_search"))
            return {number: {word for word in found if not word[0].isupper()} for number, found in rows}
        every = {word for row in (await kept(database)).values() for part in row[1:] for word in part.split()} | {"kim"}
        found: dict[int, set[str]] = {number: set() for number in await kept(database)}
        for word in every - {"/"}:
            for name in ("live", "trash"):
                query = f"SELECT rowid FROM ticket_search_{name} WHERE ticket_search_{name} MATCH :word"
                for number in await session.scalars(text(query), {"word": f'"{word}"'}):
                    found[number].add(word)
        return found

    return await database.read(look)


async def write(database, statement: str) -> None:
    await database.run(lambda session: session.execute(text(statement)))


class TestInStep:
    async def test_every_way_of_writing_is_followed(self, database, cast) -> None:
        wrong = []
        for way in WAYS:
            await write(database, way)
            expected = await wanted(database)
            if await kept(database) != expected:
                wrong.append((way, await kept(database), expected))
            vocabulary = {number: set("".join(row[1:]).replace("/", "").split()) for number, row in expected.items()}
            if await indexed(database) != vocabulary:
                wrong.append((way, await indexed(database), vocabulary))
        assert wrong == []

    async def test_without_the_trigger_the_difference_is_seen(self, database, cast) -> None:
        """The negative control, trigger by trigger."""
        for way in (WAYS[0], WAYS[3]):
            await write(database, way)
        on = " ON {}" if database.engines.dialect == "postgresql" else ""
        for name, table, way in (
            ("on_comment", "comments", NEW_COMMENT.format(id=7, ticket=1, body="unseen")),
            ("on_update", "tickets", "UPDATE tickets SET title = 'unseen'"),
            ("on_comment_update", "comments", "UPDATE comments SET body = 'unseen again'"),
            ("on_comment_delete", "comments", "DELETE FROM comments WHERE id = 7"),
            ("on_customer", "users", "UPDATE users SET full_name = 'Unseen'"),
            ("on_insert", "tickets", WAYS[1]),
        ):
            assert (await kept(database) == await wanted(database)) is (name == "on_comment")
            await write(database, f"DROP TRIGGER ticket_search_{name}{on.format(table)}")
            before = await wanted(database)
            await write(database, way)
            assert await kept(database) != await wanted(database) != before, name

    async def test_emptying_the_comments_at_one_stroke_is_followed_too(self, postgresql_url) -> None:
        """Only PostgreSQL has TRUNCATE; it fires no trigger per row."""
        database = Database(create_engines(postgresql_url))
        await store_cast(database)
        for way in (WAYS[0], WAYS[3], "TRUNCATE comments CASCADE"):
            await write(database, way)
        assert await kept(database) == await wanted(database)
        await write(database, "TRUNCATE tickets CASCADE")
        assert await kept(database) == {}
        await database.dispose()

    async def test_two_comments_at_once_are_both_found(self, postgresql_url) -> None:
        """The second waits for the first and then sees it; SQLite has one writer at a time anyway."""
        database = Database(create_engines(postgresql_url))
        await store_cast(database)
        await write(database, WAYS[0])
        async with database.engines.write.connect() as one, database.engines.write.connect() as other:
            await one.execute(text(NEW_COMMENT.format(id=1, ticket=1, body="one")))
            second = asyncio.create_task(other.execute(text(NEW_COMMENT.format(id=2, ticket=1, body="other"))))
            await asyncio.sleep(0.2)
            assert not second.done(), "the second comment did not wait for the first"
            await one.commit()
            await second
            await other.commit()
        assert await kept(database) == await wanted(database)
        await database.dispose()
