"""What service tests are made of: call a service in a transaction of its own, and see what it left in the tables."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import select, update

from admin_app.actor import Actor
from admin_app.db.base import Base
from admin_app.db.database import Database
from admin_app.db.sessions import INCLUDE_DELETED
from admin_app.models import AuditLog, Comment, Notification, Ticket
from admin_app.permissions import Role
from admin_app.services.operations import comments, tickets
from tests.support.cast import PEOPLE, Cast

EVERY_ROLE = frozenset(Role)


@dataclass
class Recorded:
    """What a block of a test added to the records."""

    audit: list[AuditLog] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    people: dict[int, str] = field(default_factory=dict)

    @property
    def entry(self) -> AuditLog:
        """The one audit entry; there must be exactly one."""
        assert len(self.audit) == 1, [entry.action for entry in self.audit]
        return self.audit[0]

    @property
    def told(self) -> dict[str, str]:
        """Message by first name; everybody is told at most once."""
        names = [self.people[told.user_id] for told in self.notifications]
        assert len(names) == len(set(names)), f"somebody was told twice: {names}"
        return dict(zip(names, [told.message for told in self.notifications], strict=True))


@dataclass(frozen=True)
class Desk:
    """The cast at work on one database."""

    database: Database
    cast: Cast

    async def run(self, service: Any, *args: Any, **options: Any) -> Any:
        """Call a service in one transaction, as a form would."""
        return await self.database.run(lambda session: service(session, *args, **options))

    async def read(self, service: Any, *args: Any, **options: Any) -> Any:
        """Call a service in a session that cannot write, as a page would."""
        return await self.database.read(lambda session: service(session, *args, **options))

    async def ticket(self, actor: Actor | None = None, **fields: Any) -> Ticket:
        """A ticket that Sam opened for Kim; fields as in `NewTicket`."""
        new = tickets.NewTicket(**{"creator": "kim@desk.example", "title": "Printer on fire", **fields})
        return await self.run(tickets.open_ticket, actor or self.cast.sam, new)

    async def comment(self, ticket: Ticket, body: str = "On my way.", *, actor: Actor | None = None) -> Comment:
        """A public comment by Sam."""
        return await self.run(comments.add, actor or self.cast.sam, ticket.id, body=body, is_internal=False)

    async def deleted_ticket(self, **fields: Any) -> Ticket:
        """A ticket that Sam put into the trash."""
        ticket = await self.ticket(**fields)
        return await self.run(tickets.delete, self.cast.sam, ticket.id, reason="a double", version=1)

    async def store(self, *rows: Any) -> Any:
        """Commit rows as they are, past every service; gives back the first."""

        async def add(session: Any) -> Any:
            session.add_all(rows)
            await session.flush()
            return rows[0]

        return await self.database.run(add)

    async def set(self, model: Any, record_id: int, **columns: Any) -> None:
        """Change columns past every service; the version stays."""
        statement = update(model).where(model.id == record_id).values(**columns)
        await self.database.run(lambda session: session.execute(statement.execution_options(**INCLUDE_DELETED)))

    async def stored(self, model: Any, record_id: int) -> Any:
        """The row as the database has it now, deleted or not; None when it is gone."""
        statement = select(model).where(model.id == record_id).execution_options(**INCLUDE_DELETED)
        return await self.database.read(lambda session: session.scalar(statement))

    async def rows(self, model: Any) -> Sequence[Any]:
        """Every row of a table in the order of ids, deleted ones too."""
        statement = select(model).order_by(model.id).execution_options(**INCLUDE_DELETED)
        return (await self.database.read(lambda session: session.scalars(statement))).all()

    async def everything(self) -> dict[str, list[Any]]:
        """The whole content of every table."""
        async with self.database.engines.read.connect() as connection:
            return {
                table.name: sorted((tuple(row) for row in await connection.execute(select(table))), key=repr)
                for table in Base.metadata.sorted_tables
            }

    @asynccontextmanager
    async def nothing_written(self) -> AsyncIterator[None]:
        """The block leaves every row of every table as it was."""
        before = await self.everything()
        yield
        after = await self.everything()
        assert [name for name in before if before[name] != after[name]] == [], "these tables changed"

    async def refusal(self, kind: type[Exception], service: Any, *args: Any, **options: Any) -> Any:
        """The error with which a service refuses, after seeing that it left nothing behind."""
        async with self.nothing_written():
            with pytest.raises(kind) as caught:
                await self.run(service, *args, **options)
        assert type(caught.value) is kind
        return caught.value

    @asynccontextmanager
    async def recorded(self) -> AsyncIterator[Recorded]:
        """What the block adds to the audit log and to the notifications, to be looked at after it."""
        last_entry, last_told = [len(await self.rows(model)) for model in (AuditLog, Notification)]
        found = Recorded(people={number: name for name, number in self.cast.users.items()})
        yield found
        found.audit += (await self.rows(AuditLog))[last_entry:]
        found.notifications += (await self.rows(Notification))[last_told:]

    def as_role(self, role: Role) -> Actor:
        """Somebody of the cast with this role, none of whom owns or opened a ticket by default."""
        names = {Role.CUSTOMER: "mallory", Role.STAFF: "sid"}
        name = names.get(role) or next(name for name, (_, theirs) in PEOPLE.items() if theirs is role)
        actor: Actor = getattr(self.cast, name)
        return replace(actor)
