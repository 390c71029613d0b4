"""Watching and tagging."""

import asyncio

import pytest
from sqlalchemy import select

from admin_app.actor import command_line_actor
from admin_app.errors import Gone, InvalidInput, PermissionDenied
from admin_app.models import AuditAction, Tag, Ticket, TicketWatcher, User, WatchLevel, ticket_tags
from admin_app.services.operations import following

MYSELF = {"person": "", "level": WatchLevel.ALL}


async def tags_of(desk, ticket: Ticket) -> list[str]:
    statement = select(Tag.name).join(ticket_tags).where(ticket_tags.c.ticket_id == ticket.id).order_by(Tag.name)
    return list(await desk.database.read(lambda session: session.scalars(statement)))


class TestWatch:
    async def test_adds_the_actor_when_nobody_is_named(self, desk) -> None:
        ticket = await desk.ticket()
        async with desk.recorded() as written:
            await desk.run(following.watch, desk.cast.sam, ticket.id, **MYSELF)
        [watcher] = await desk.rows(TicketWatcher)
        assert (watcher.user_id, watcher.added_by_id, watcher.level) == (*[desk.cast.sam.id] * 2, WatchLevel.ALL)
        assert (written.entry.action, written.entry.record_id) == (AuditAction.WATCH, ticket.id)
        assert written.entry.changes == {"Sam Staff": [None, "all"]}
        assert written.told == {}

    async def test_adds_somebody_else_by_address_and_remembers_who_did(self, desk) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        form = {"person": "Sue <sue@desk.example>", "level": WatchLevel.MENTIONS}
        await desk.run(following.watch, cast.sam, ticket.id, **form)
        [watcher] = await desk.rows(TicketWatcher)
        assert (watcher.user_id, watcher.added_by_id) == (cast.sue.id, cast.sam.id)

    async def test_watching_again_changes_the_level(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(following.watch, desk.cast.sam, ticket.id, **MYSELF)
        async with desk.recorded() as written:
            await desk.run(following.watch, desk.cast.sam, ticket.id, person=" Me", level=WatchLevel.REPLIES)
        [watcher] = await desk.rows(TicketWatcher)
        assert watcher.level is WatchLevel.REPLIES
        assert written.entry.changes == {"Sam Staff": ["all", "replies"]}

    async def test_the_same_level_again_writes_nothing(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(following.watch, desk.cast.sam, ticket.id, **MYSELF)
        async with desk.nothing_written():
            await desk.run(following.watch, desk.cast.sam, ticket.id, **MYSELF)

    async def test_twice_at_once_makes_one_watcher(self, desk) -> None:
        ticket = await desk.ticket()
        await asyncio.gather(*(desk.run(following.watch, desk.cast.sam, ticket.id, **MYSELF) for _ in range(3)))
        assert len(await desk.rows(TicketWatcher)) == 1

    @pytest.mark.parametrize(
        ("person", "sentence"),
        [
            ("who@desk.example", "Nobody here has the address who@desk.example."),
            ("kim@desk.example", "Kim Customer is a customer and cannot watch tickets."),
            ("olaf@desk.example", "Olaf Ops is in ops and cannot watch tickets."),
        ],
    )
    async def test_says_at_the_field_who_cannot_watch(self, desk, person: str, sentence: str) -> None:
        ticket = await desk.ticket()
        form = {"person": person, "level": WatchLevel.ALL}
        error = await desk.refusal(InvalidInput, following.watch, desk.cast.sam, ticket.id, **form)
        assert error.fields == {"person": sentence}

    async def test_nobody_deactivated_watches(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.set(User, desk.cast.sid.id, is_active=False)
        form = {"person": "sid@desk.example", "level": WatchLevel.ALL}
        error = await desk.refusal(InvalidInput, following.watch, desk.cast.sam, ticket.id, **form)
        assert error.fields == {"person": "Sid Staff is deactivated."}

    async def test_the_command_line_has_to_name_somebody(self, desk) -> None:
        ticket = await desk.ticket()
        error = await desk.refusal(InvalidInput, following.watch, command_line_actor(), ticket.id, **MYSELF)
        assert error.fields == {"person": "Say who should watch."}

    async def test_a_deleted_ticket_cannot_be_watched(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        await desk.refusal(Gone, following.watch, desk.cast.sam, ticket.id, **MYSELF)


class TestUnwatch:
    async def test_takes_a_watcher_away_and_says_whom(self, desk) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        for actor in (cast.sam, cast.sid):
            await desk.run(following.watch, actor, ticket.id, **MYSELF)
        async with desk.recorded() as written:
            await desk.run(following.unwatch, cast.sue, ticket.id, user_id=cast.sam.id)
        assert [watcher.user_id for watcher in await desk.rows(TicketWatcher)] == [cast.sid.id]
        assert written.entry.action is AuditAction.UNWATCH
        assert written.entry.changes == {"Sam Staff": ["all", None]}

    async def test_somebody_who_watches_another_ticket_keeps_watching_it(self, desk) -> None:
        ticket, other = await desk.ticket(), await desk.ticket()
        await desk.run(following.watch, desk.cast.sam, other.id, **MYSELF)
        async with desk.nothing_written():
            await desk.run(following.unwatch, desk.cast.sam, ticket.id, user_id=desk.cast.sam.id)

    @pytest.mark.parametrize("number", [0, -1, 999_999, 2**31, 2**70])
    async def test_nothing_happens_for_somebody_who_did_not_watch(self, desk, number: int) -> None:
        ticket = await desk.ticket()
        async with desk.nothing_written():
            await desk.run(following.unwatch, desk.cast.sam, ticket.id, user_id=number)


class TestTag:
    async def test_makes_tags_of_words_in_lower_case_and_in_order(self, desk) -> None:
        ticket = await desk.ticket()
        async with desk.recorded() as written:
            await desk.run(following.tag, desk.cast.sam, ticket.id, names=" Toner,, Big \t Smoke , TONER,")
        assert await tags_of(desk, ticket) == ["big smoke", "toner"]
        assert (written.entry.action, written.entry.record_id) == (AuditAction.TAG, ticket.id)
        assert written.entry.changes == {"tags": ["", "big smoke, toner"]}

    async def test_replaces_the_tags_of_this_ticket_only(self, desk) -> None:
        ticket, other = await desk.ticket(), await desk.ticket()
        for each in (ticket, other):
            await desk.run(following.tag, desk.cast.sam, each.id, names="smoke, toner")
        async with desk.recorded() as written:
            await desk.run(following.tag, desk.cast.sam, ticket.id, names="toner, water")
        assert await tags_of(desk, ticket) == ["toner", "water"]
        assert await tags_of(desk, other) == ["smoke", "toner"]
        assert written.entry.changes == {"tags": ["smoke, toner", "toner, water"]}
        assert [tag.name for tag in await desk.rows(Tag)] == ["smoke", "toner", "water"]

    async def test_an_empty_text_takes_them_all_away(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(following.tag, desk.cast.sam, ticket.id, names="smoke")
        await desk.run(following.tag, desk.cast.sam, ticket.id, names=" , ")
        assert await tags_of(desk, ticket) == []

    async def test_the_same_words_again_write_nothing(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(following.tag, desk.cast.sam, ticket.id, names="smoke, toner")
        async with desk.nothing_written():
            await desk.run(following.tag, desk.cast.sam, ticket.id, names="Toner, smoke")

    async def test_leaves_the_version_of_the_ticket(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.run(following.tag, desk.cast.sam, ticket.id, names="smoke")
        assert (await desk.stored(Ticket, ticket.id)).version == 1

    async def test_two_who_invent_the_same_word_at_once_share_it(self, desk) -> None:
        pair = [await desk.ticket() for _ in range(4)]
        await asyncio.gather(
            *(desk.run(following.tag, desk.cast.sam, ticket.id, names="smoke, toner") for ticket in pair)
        )
        assert [tag.name for tag in await desk.rows(Tag)] == ["smoke", "toner"]
        assert [await tags_of(desk, ticket) for ticket in pair] == [["smoke", "toner"]] * 4

    @pytest.mark.parametrize(
        ("names", "sentence"),
        [
            ("x" * 51, "A tag may have at most 50 characters."),
            (",".join(f"tag {number}" for number in range(21)), "A ticket may have at most 20 tags."),
            ("smo\x00ke", "A tag contains a character that cannot be stored."),
        ],
    )
    async def test_says_at_the_field_what_is_wrong(self, desk, names: str, sentence: str) -> None:
        ticket = await desk.ticket()
        error = await desk.refusal(InvalidInput, following.tag, desk.cast.sam, ticket.id, names=names)
        assert error.fields == {"tags": sentence}

    async def test_takes_the_longest_word_and_the_most_words(self, desk) -> None:
        ticket = await desk.ticket()
        words = ["x" * 50, *(f"tag {number:02}" for number in range(19))]
        await desk.run(following.tag, desk.cast.sam, ticket.id, names=",".join(words))
        assert len(await tags_of(desk, ticket)) == 20


class TestAllTags:
    async def test_gives_names_in_order_and_stops_at_the_limit(self, desk) -> None:
        await desk.store(*(Tag(name=name) for name in ("toner", "fire", "smoke")))
        assert await desk.read(following.all_tags, desk.cast.sam) == ["fire", "smoke", "toner"]
        assert await desk.read(following.all_tags, desk.cast.sam, limit=2) == ["fire", "smoke"]

    @pytest.mark.parametrize("name", ["mallory", "olaf"])
    async def test_is_refused_to_those_who_may_not_list_tickets(self, desk, name: str) -> None:
        await desk.refusal(PermissionDenied, following.all_tags, getattr(desk.cast, name))
