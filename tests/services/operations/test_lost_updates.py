"""R-01: twenty people save one ticket fifty times each, and no saved word is lost.

Every save adds a word of its own to the text that its form was opened with. A save that was acknowledged must be in
the text at the end. The same load against a save that does not look at the version loses words: the test can fail.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy import update

from admin_app.actor import Actor
from admin_app.errors import StaleEdit
from admin_app.models import AuditLog, Ticket
from admin_app.services.operations import tickets
from admin_app.services.records import lookup
from tests.services.scenes import Desk

CLIENTS = 20
SAVES = 50

Save = Callable[..., Awaitable[object]]


@dataclass
class Tally:
    """How the saves ended."""

    acknowledged: list[str] = field(default_factory=list)
    refused: int = 0

    def lost_from(self, text: str) -> set[str]:
        """Words that were acknowledged and are not there."""
        return set(self.acknowledged) - set(text.split())


async def load(desk: Desk, save: Save, ticket_id: int) -> Tally:
    """All clients at once, each save from a form that was opened just before."""
    tally = Tally()

    async def client(name: int) -> None:
        for turn in range(SAVES):
            form = await desk.read(lookup.ticket, desk.cast.sam, ticket_id)
            word = f"{name}-{turn}"
            changes = {"description": f"{form.description} {word}".strip()}
            try:
                await desk.run(save, desk.cast.sam, ticket_id, changes, version=form.version)
            except StaleEdit:
                tally.refused += 1
            else:
                tally.acknowledged.append(word)

    await asyncio.gather(*(client(name) for name in range(CLIENTS)))
    return tally


async def save_without_looking(session, actor: Actor, ticket_id: int, changes, *, version: int) -> None:
    """The broken build: what the form holds is written over what is there."""
    await session.execute(update(Ticket).where(Ticket.id == ticket_id).values(**changes))


class TestLostUpdates:
    async def test_every_acknowledged_save_is_there_and_the_rest_is_told(self, desk) -> None:
        ticket = await desk.ticket()
        tally = await load(desk, tickets.edit, ticket.id)
        stored = await desk.stored(Ticket, ticket.id)
        entries = [entry for entry in await desk.rows(AuditLog) if entry.action == "EDIT"]
        assert tally.lost_from(stored.description) == set()
        assert sorted(stored.description.split()) == sorted(tally.acknowledged)
        assert len(tally.acknowledged) == stored.version - ticket.version == len(entries)
        assert [entry.version for entry in entries] == list(range(2, stored.version + 1))
        assert len(tally.acknowledged) + tally.refused == CLIENTS * SAVES
        assert len(tally.acknowledged) >= SAVES, "a save can make at most nineteen others stale"
        assert tally.refused > 0, "nobody met anybody: this load proves nothing"

    async def test_the_same_load_on_a_save_that_ignores_the_version_loses_words(self, desk) -> None:
        ticket = await desk.ticket()
        tally = await load(desk, save_without_looking, ticket.id)
        stored = await desk.stored(Ticket, ticket.id)
        assert len(tally.acknowledged) == CLIENTS * SAVES
        assert tally.lost_from(stored.description) != set()
