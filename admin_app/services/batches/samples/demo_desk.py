"""The demo desk: people, tickets and four months of history, made by the services that people use."""

import io
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from admin_app import clock
from admin_app.actor import Actor, command_line_actor
from admin_app.errors import Conflict
from admin_app.models.notification import Notification
from admin_app.models.ticket import Ticket
from admin_app.models.user import User
from admin_app.models.watcher import WatchLevel
from admin_app.services.batches.samples import demo_people, demo_story
from admin_app.services.batches.samples.demo_story import Step
from admin_app.services.batches.units_of_work import RunsWork
from admin_app.services.operations import accounts, attachments, comments, following, tickets
from admin_app.services.records import passwords
from admin_app.services.records.file_store import FileStore

UNREAD_FOR = timedelta(days=4)


async def load(run: RunsWork, store: FileStore) -> bool:
    """Load the demo desk in one transaction; False, and nothing written, when it is here already.

    `Conflict` when the database holds another desk. Every entry of the history is written by the service that would
    write it on the day; only the clock is told what day it is.
    """
    if await run(_is_loaded):
        return False
    hashes = {person.email: passwords.hash_password(person.password) for person in demo_people.DESK}
    await run(lambda session: _load(session, store, hashes))
    return True


async def _is_loaded(session: AsyncSession) -> bool:
    first = demo_people.DESK[0].email
    if await session.scalar(select(User.id).where(User.email == first)) is not None:
        return True
    if await session.scalar(select(User.id).limit(1)) is not None:
        raise Conflict("This database holds another desk, so the demo stays out of it. Set DATABASE_URL to a new one.")
    return False


async def _load(session: AsyncSession, store: FileStore, hashes: Mapping[str, str]) -> None:
    now = clock.now()
    teller = _Teller(session, store)
    with clock.at(now - timedelta(days=demo_story.DAYS + 2)):
        await teller.hire(hashes)
    for step in demo_story.whole_story(now):
        with clock.at(step.at):
            await teller.play(step)
            await session.flush()
    old = Notification.created_at < now - UNREAD_FOR
    await session.execute(update(Notification).where(old).values(read_at=now - UNREAD_FOR))


class _Teller:
    """Plays steps of the story through the services."""

    def __init__(self, session: AsyncSession, store: FileStore) -> None:
        self._session = session
        self._store = store
        self._actors: dict[str, Actor] = {}
        self._tickets: dict[int, Ticket] = {}

    async def hire(self, hashes: Mapping[str, str]) -> None:
        """Make the accounts of the desk and of its customers."""
        boss = command_line_actor()
        for person in demo_people.DESK:
            user = await accounts.create(
                self._session,
                boss,
                email=person.email,
                full_name=person.full_name,
                role=person.role,
                password_hash=hashes[person.email],
            )
            await self._session.flush()
            self._actors[person.first_name] = Actor(id=user.id, name=user.full_name, role=user.role)
        for number in range(demo_story.CUSTOMERS):
            name, address = demo_people.customer(number)
            await accounts.create(self._session, self._actors["ada"], email=address, full_name=name)

    async def play(self, step: Step) -> None:
        """One step, by the service of that name."""
        verb: Callable[[Actor, int, dict[str, Any]], Awaitable[object]] = getattr(self, f"_{step.what}")
        await verb(self._actors[step.who], step.ticket, dict(step.words))

    async def _open(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        owner, customer = words.pop("owner"), words.pop("customer")
        address = demo_people.customer(customer)[1]
        new = tickets.NewTicket(creator=address, owner=_address(owner) if owner else "", **words)
        self._tickets[number] = await tickets.open_ticket(self._session, actor, new)

    async def _transfer(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        ticket = self._tickets[number]
        await tickets.transfer(
            self._session,
            actor,
            ticket.id,
            new_owner=_address(words["new_owner"]),
            reason=words["reason"],
            note="",
            version=ticket.version,
        )

    async def _move(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        ticket = self._tickets[number]
        await tickets.edit(self._session, actor, ticket.id, words, version=ticket.version)

    async def _resolve(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        ticket = self._tickets[number]
        await tickets.resolve(self._session, actor, ticket.id, version=ticket.version, **words)

    async def _close(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        ticket = self._tickets[number]
        await tickets.close(self._session, actor, ticket.id, resolution="", version=ticket.version)

    async def _reopen(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        ticket = self._tickets[number]
        await tickets.reopen(self._session, actor, ticket.id, version=ticket.version, **words)

    async def _delete(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        ticket = self._tickets[number]
        await tickets.delete(self._session, actor, ticket.id, version=ticket.version, **words)

    async def _comment(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        await comments.add(self._session, actor, self._tickets[number].id, **words)

    async def _tag(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        await following.tag(self._session, actor, self._tickets[number].id, **words)

    async def _watch(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        person, level = _address(words["person"]), WatchLevel(words["level"])
        await following.watch(self._session, actor, self._tickets[number].id, person=person, level=level)

    async def _attach(self, actor: Actor, number: int, words: dict[str, Any]) -> None:
        content = io.BytesIO(words["content"].encode())
        await attachments.attach(
            self._session,
            actor,
            self._tickets[number].id,
            filename=words["filename"],
            content=content,
            store=self._store,
        )


def _address(first_name: str) -> str:
    return next(person.email for person in demo_people.DESK if person.first_name == first_name)
