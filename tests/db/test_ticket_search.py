"""The same data gives the same results, in the same order, on both databases; and what a plain reader would find."""

import itertools
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.dialects import postgresql

from admin_app.db import ticket_search
from admin_app.db.database import Database
from admin_app.db.engine import create_engines
from admin_app.db.search_query import parse
from admin_app.db.search_words import words
from admin_app.models import Comment, Ticket, User

VOCABULARY = re.findall(
    r"\S+",
    """printer Printers print Drucker Müller muller STRASSE Straße Größe naïve café 東京都 京都 プリンターが 壊れた
    طابعة أحمد مُدَرِّس 👍 👍🏽 🎉 fire on the a-b e.g. user@example.com T-000003 3 42 100% half_done İstanbul 漢字
    ПРИВЕТ елка ΣΊΣΥΦΟΣ 프린터""",
)
QUESTIONS = [
    *VOCABULARY,
    *(
        "print",
        "pri",
        "pr",
        "京",
        "プリ",
        "リンタ",
        "müll",
        "strasse",
        "grosse",
        "طابع",
        "kim",
        "kim4@ex",
        "T-3",
        "t-000012",
    ),
    *('"on the"', '"the on"', "printer fire", "fire printer Müller", "kim printer", '"printer fire"', "%", "'", "zzz"),
]
FIRST = datetime(2030, 1, 1, tzinfo=UTC)


def corpus(count: int) -> dict[type, list[dict]]:
    """People, tickets and comments that are the same in every run."""
    chance = random.Random("corpus")
    moment = {"created_at": FIRST, "updated_at": FIRST}

    def some(most: int) -> str:
        return chance.choice([" ", ", ", "\n"]).join(chance.choices(VOCABULARY, k=chance.randint(0, most)))

    users = [{"id": n, "email": f"kim{n}@ex.org", "full_name": f"Kim {some(2)}", **moment} for n in range(1, 11)]
    tickets, comments = [], []
    for number in range(1, count + 1):
        gone = {"deleted_at": FIRST + timedelta(number), "delete_batch_id": f"b{number}"} if number % 7 == 0 else {}
        marks = {"deleted_at": None, "delete_batch_id": None, **gone, **moment}
        named = {"id": number, "ticket_number": f"T-{number:06}", "creator_id": chance.randint(1, 10)}
        tickets.append({**named, "title": some(3) or "none", "description": some(5), **marks})
        comments += [{"ticket_id": number, "body": some(4) or "-", **marks} for _ in range(chance.randint(0, 2))]
    return {User: users, Ticket: tickets, Comment: comments}


async def found(database: Database, typed: str) -> tuple[list[tuple[int, int]], list[int]]:
    """Live tickets with their scores, best first; and ids of deleted ones."""
    query = parse(typed)
    if query.is_empty:
        return [], []

    async def look(session):
        live = await session.execute(*ticket_search.newest(query, database.engines.dialect))
        every = await session.scalars(ticket_search.matching(query))
        gone = await session.scalars(ticket_search.matching(query, deleted=True))
        places = sorted(((score, number) for number, score in live), reverse=True)
        assert {number for _, number in places} >= set(every)
        return places, sorted(gone)

    return await database.read(look)


def read_plainly(rows: dict[type, list[dict]], typed: str) -> tuple[set[int], set[int]]:
    """Ids of live and of deleted tickets that hold it, by looking at everything."""
    query, customers = parse(typed), {user["id"]: user for user in rows[User]}
    hits: tuple[set[int], set[int]] = set(), set()
    for ticket in rows[Ticket]:
        customer, number = customers[ticket["creator_id"]], ticket["ticket_number"]
        parts = [
            words(f"{number} T-{int(number[2:])} {ticket['title']}"),
            words(f"{customer['full_name']} {customer['email']}"),
            words(ticket["description"]),
            *(words(comment["body"]) for comment in rows[Comment] if comment["ticket_id"] == ticket["id"]),
        ]
        holds = all(any(needle in part for part in parts) for needle in (*query.needles, *query.phrases))
        if (holds and not query.is_empty) or (number == query.number and ticket["deleted_at"] is None):
            hits[ticket["deleted_at"] is not None].add(ticket["id"])
    return hits


@pytest.fixture
async def both(sqlite_url: str, postgresql_url: str):
    """The two databases."""
    pair = [Database(create_engines(url)) for url in (sqlite_url, postgresql_url)]
    yield pair
    for database in pair:
        await database.dispose()


async def fill(database: Database, rows: dict[type, list[dict]]) -> None:
    async def add(session) -> None:
        for model, values in rows.items():
            await session.execute(insert(model).execution_options(render_nulls=True), values)

    await database.run(add)


class TestBothDatabases:
    async def test_they_find_the_same_tickets_in_the_same_order(self, both, monkeypatch) -> None:
        rows = corpus(300)
        for database in both:
            await fill(database, rows)
        wrong, hits = [], 0
        for typed in QUESTIONS:
            on_sqlite, on_postgresql = [await found(database, typed) for database in both]
            plainly = read_plainly(rows, typed)
            hits += len(plainly[0])
            if on_sqlite != on_postgresql or ({n for _, n in on_sqlite[0]}, set(on_sqlite[1])) != plainly:
                wrong.append((typed, on_sqlite, on_postgresql, plainly))
        assert wrong == []
        assert hits > 1_000, "the questions ask for nothing"
        await self.texts_and_indexes_agree(both, monkeypatch)
        await self.one_forgets(both)

    async def texts_and_indexes_agree(self, both, monkeypatch) -> None:
        """SQLite reads the texts of the newest rows, PostgreSQL looks into its index."""
        monkeypatch.setattr(ticket_search, "ON_SQLITE", ticket_search.Walk(512, 1, 512, 0))
        walked = 0
        for query in map(parse, QUESTIONS):
            if query.beginnings:
                few = []
                for database in both:
                    asked = ticket_search.newest(query, database.engines.dialect, most=5)
                    rows = await database.read(lambda session, asked=asked: session.execute(*asked))
                    few.append(sorted(row.ticket_id for row in rows))
                assert few[0] == few[1], query
                walked += len(few[0]) == 5
        assert walked > 10

    async def one_forgets(self, both) -> None:
        """The negative control: without a trigger on one of them they differ."""
        await both[0].run(lambda session: session.execute(text("DROP TRIGGER ticket_search_on_update")))
        for database in both:
            change = text("UPDATE tickets SET title = 'zzz' WHERE id = 1")
            await database.run(lambda session, change=change: session.execute(change))
        on_sqlite, on_postgresql = [await found(database, "zzz") for database in both]
        assert (on_sqlite, on_postgresql) == (([], []), ([(12, 1)], []))

    async def test_of_many_matches_both_take_the_newest_by_every_way(self, both, monkeypatch) -> None:
        """Ids far apart lie in small and in large ranges; beginnings are walked to, taken at once or range by range."""
        ids = [5, 9_000, 140_000, 270_000, 280_000, 400_000, 401_000]
        moment = {"created_at": FIRST, "updated_at": FIRST}
        person = [{"id": 1, "email": "kim@ex.org", "full_name": "Kim", **moment}]
        named = [{"id": n, "ticket_number": f"T-{n:06}", "title": "lamp", "creator_id": 1, **moment} for n in ids]
        named.append({**named[0], "id": 401_001, "ticket_number": "T-401001", "title": "lamps"})
        ways = {
            "at once": (ticket_search.Walk(512, 40, 99, 0), 99),
            "walked to": (ticket_search.Walk(512, 2, 300_000, 0), 99),
            "not far enough": (ticket_search.Walk(512, 2, 2, 0), 99),
            "range by range": (ticket_search.Walk(512, 40, 99, 0), 2),
            "few tickets": (ticket_search.Walk(512, 1, 99, 500_000), 99),
        }
        wrong = []
        for database in both:
            await fill(database, {User: person, Ticket: named})
            for most, (way, (walk, limit)) in itertools.product((1, 3, 5, 7, 10), ways.items()):
                for name, value in (("ON_SQLITE", walk), ("ON_POSTGRESQL", walk), ("SORTED", limit)):
                    monkeypatch.setattr(ticket_search, name, value)
                longer = [*ids, 401_001]
                for typed, expected in (("lamp", ids if most < 8 else longer), ("lam", longer), ('"lamp"', ids)):
                    asked = ticket_search.newest(parse(typed), database.engines.dialect, most=most)
                    rows = await database.read(lambda session, asked=asked: session.execute(*asked))
                    taken = sorted(row.ticket_id for row in rows)
                    if taken != expected[-most:]:
                        wrong.append((database.engines.dialect, way, most, typed, taken))
        assert wrong == []

    async def test_among_takes_all_ids_as_one_value(self, both) -> None:
        for database in both:
            await fill(database, corpus(20))
            ids = [3, 5, 7, 1_000]
            statement = select(Ticket.id).where(ticket_search.among(Ticket.id, ids, database.engines.dialect))
            rows = await database.read(lambda session, statement=statement: session.scalars(statement))
            assert sorted(rows) == [3, 5]


class TestIndexes:
    async def test_each_search_is_answered_from_its_index(self, postgresql_url: str) -> None:
        """Small tables are read whole whatever there is: here PostgreSQL is told not to, and must have another way."""
        database = Database(create_engines(postgresql_url))
        await fill(database, corpus(20))
        query = parse('fire "on the"')

        async def plans(session) -> list[str]:
            await session.execute(text("SET LOCAL enable_seqscan = off"))
            await session.execute(text("SET LOCAL enable_indexscan = off"))
            found = []
            for statement, values in (
                ticket_search.newest(query, "postgresql"),
                (ticket_search.matching(query), {}),
                (ticket_search.matching(query, deleted=True), {}),
            ):
                bound = statement.params(**values).compile(
                    dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}
                )
                found.append("\n".join(await session.scalars(text(f"EXPLAIN {bound}".replace(":", r"\:")))))
            return found

        newest, live, trash = await database.run(plans)
        assert ["ix_ticket_search_live" in plan for plan in (newest, live, trash)] == [True, True, False]
        assert ["ix_ticket_search_trash" in plan for plan in (newest, live, trash)] == [False, False, True]
        await database.dispose()
