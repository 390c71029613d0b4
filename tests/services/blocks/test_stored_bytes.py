"""Bytes stay as long as a row speaks of them, whoever removes and whoever adds at the same moment."""

import asyncio
from io import BytesIO

import pytest

from admin_app.db.database import Database
from admin_app.db.sessions import after_commit
from admin_app.errors import NotFound
from admin_app.models import Attachment
from admin_app.services.blocks import stored_bytes
from admin_app.services.operations import attachments, tickets

CONTENT = b"the same bytes"


async def attach(desk, ticket, store):
    options = {"filename": "a.txt", "content": BytesIO(CONTENT), "store": store}
    return await desk.run(attachments.attach, desk.cast.sam, ticket.id, **options)


async def in_the_trash(desk, store):
    """A ticket in the trash that has the bytes, and their key."""
    ticket = await desk.ticket()
    key = (await attach(desk, ticket, store)).storage_key
    await desk.run(tickets.delete, desk.cast.sam, ticket.id, reason="a double", version=1)
    return ticket, key


async def purge(desk, ticket, store) -> None:
    options = {"typed_number": ticket.ticket_number, "store": store}
    await desk.run(tickets.purge_for_good, desk.cast.ada, ticket.id, **options)


async def purged_while_somebody_attaches(desk, store, monkeypatch) -> str:
    """The worst moment: the purge is in, its bytes are not yet gone, and another ticket gets the same file."""
    ticket, key = await in_the_trash(desk, store)
    other = await desk.ticket()
    follow_up = Database._follow_up

    async def after_somebody_else(database, session) -> None:
        monkeypatch.setattr(Database, "_follow_up", follow_up)
        await attach(desk, other, store)
        await follow_up(database, session)

    monkeypatch.setattr(Database, "_follow_up", after_somebody_else)
    await purge(desk, ticket, store)
    return key


class TestRemoveWhenUnused:
    async def test_bytes_go_once_nobody_speaks_of_them(self, desk, store) -> None:
        ticket, key = await in_the_trash(desk, store)
        await purge(desk, ticket, store)
        assert not store.has(key)

    async def test_a_row_that_came_after_the_commit_keeps_them(self, desk, store, monkeypatch) -> None:
        key = await purged_while_somebody_attaches(desk, store, monkeypatch)
        assert store.path_of(key).read_bytes() == CONTENT

    async def test_of_two_purges_at_once_one_removes_what_they_shared(self, desk, store) -> None:
        one, key = await in_the_trash(desk, store)
        other, _ = await in_the_trash(desk, store)
        await asyncio.gather(purge(desk, one, store), purge(desk, other, store))
        assert not store.has(key)

    async def test_nothing_to_remove_asks_for_no_transaction(self, desk, store, statement_counter) -> None:
        async def work(session) -> None:
            stored_bytes.remove_when_unused(session, store, Attachment.storage_key, [])

        with statement_counter() as counted:
            await desk.database.run(work)
        assert counted.total == 0


class TestPut:
    async def test_bytes_that_went_while_they_were_put_are_put_again(self, desk, store, monkeypatch) -> None:
        put, ticket = type(store).put, await desk.ticket()

        def put_and_lose(store, content):
            monkeypatch.setattr(type(store), "put", put)
            stored = put(store, content)
            store.remove([stored.key])
            return stored

        monkeypatch.setattr(type(store), "put", put_and_lose)
        made = await attach(desk, ticket, store)
        assert store.path_of(made.storage_key).read_bytes() == CONTENT

    async def test_a_purge_waits_for_who_is_about_to_add_the_same(self, desk, store) -> None:
        """Between the bytes and the commit of their row nobody removes them."""
        ticket, key = await in_the_trash(desk, store)
        other = await desk.ticket()
        is_put, may_end = asyncio.Event(), asyncio.Event()

        async def attach_slowly(session) -> None:
            options = {"filename": "a.txt", "content": BytesIO(CONTENT), "store": store}
            await attachments.attach(session, desk.cast.sam, other.id, **options)
            is_put.set()
            await may_end.wait()

        adding = asyncio.create_task(desk.database.run(attach_slowly))
        await is_put.wait()
        purging = asyncio.create_task(purge(desk, ticket, store))
        await asyncio.sleep(0.2)
        assert store.has(key)
        may_end.set()
        await asyncio.gather(adding, purging)
        assert store.path_of(key).read_bytes() == CONTENT


class TestTheMeasure:
    async def test_bytes_removed_without_another_look_would_be_missed(self, desk, store, monkeypatch) -> None:
        """The negative control: what was unused before the commit is removed after it."""

        def remove_unseen(session, store, column, keys) -> None:
            after_commit(session, lambda: store.remove(keys))

        monkeypatch.setattr(stored_bytes, "remove_when_unused", remove_unseen)
        key = await purged_while_somebody_attaches(desk, store, monkeypatch)
        with pytest.raises(NotFound):
            store.path_of(key)
