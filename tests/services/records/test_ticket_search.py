"""Which tickets fit best."""

from sqlalchemy import select

from admin_app.db import ticket_search as searching
from admin_app.db.search_query import parse
from admin_app.models import Priority, Ticket
from admin_app.services.records import ticket_search
from admin_app.services.records.ticket_search import Found


async def best(desk, typed: str, fitting=None) -> Found:
    async def look(session) -> Found:
        return await ticket_search.best(session, parse(typed), fitting=fitting)

    return await desk.database.read(look)


class TestBest:
    async def test_number_address_and_words_in_the_title_come_first(self, desk) -> None:
        said, of_mallory, title, number = [
            (await desk.ticket(title=title, description=text, creator=f"{who}@desk.example")).id
            for title, text, who in (
                ("Lamp", "T-000004 and kim@desk.example on fire", "sid"),
                ("on", "fire", "mallory"),
                ("The lamp is on fire", "", "mallory"),
                ("Chair", "", "kim"),
            )
        ]
        assert (await best(desk, "T-000004")).ids == [number, said]
        assert (await best(desk, "4")).ids == [number]
        assert (await best(desk, "kim@desk.example")).ids == [number, said]
        assert (await best(desk, "on fire")).ids == [title, said, of_mallory]
        assert (await best(desk, '"on fire"')).ids == [title, said]
        assert (await best(desk, "mallory")).ids == [title, of_mallory], "of equals the newest first"
        assert (await best(desk, "?!")) == Found()

    async def test_a_number_is_found_beyond_the_newest_matches(self, desk, monkeypatch) -> None:
        monkeypatch.setattr(searching, "NEWEST", 2)
        monkeypatch.setattr(searching.newest, "__kwdefaults__", {"most": 3})
        first, *others = [(await desk.ticket(title="1 lamp", priority=Priority(n))).id for n in (1, 2, 3, 4)]
        found = await best(desk, "1")
        assert (found.ids, found.cut_at) == ([first, others[-1]], 2), "as many as it says, and not one more"
        narrow = await best(desk, "lamp", select(Ticket.id).where(Ticket.priority == Priority.HIGH))
        assert (narrow.ids, narrow.cut_at) == ([others[1]], 2)
        assert (await best(desk, "lamp", select(Ticket.id).where(Ticket.id < 1))).cut_at == 2
        await desk.set(Ticket, first, title="chair")
        await desk.set(Ticket, others[0], title="chair")
        assert (await best(desk, "lamp")).cut_at == 0
