"""What holds for every table."""

import importlib
import pkgutil

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.types import DateTime

from admin_app import models
from admin_app.db.base import Base
from admin_app.db.types import UTCDateTime
from admin_app.models import Attachment, Comment, Notification, NotificationType, Ticket, TicketWatcher, User
from tests.support.tickets import store_comment, store_ticket

MAPPERS = sorted(Base.registry.mappers, key=lambda mapper: mapper.class_.__name__)
TABLES = sorted(Base.metadata.tables)


class TestEveryTable:
    @pytest.mark.parametrize("mapper", MAPPERS, ids=lambda mapper: mapper.class_.__name__)
    def test_every_relation_must_be_loaded_on_purpose(self, mapper) -> None:
        lazy = {relation.key: relation.lazy for relation in mapper.relationships}
        assert set(lazy.values()) <= {"raise"}, f"{lazy}: a lazy load is one statement per row of a page"

    @pytest.mark.parametrize("name", TABLES)
    def test_every_time_is_stored_with_its_zone(self, name: str) -> None:
        times = [c for c in Base.metadata.tables[name].columns if isinstance(c.type, DateTime)]
        assert times == [], "use UTCDateTime: SQLite forgets time zones"

    @pytest.mark.parametrize("mapper", MAPPERS, ids=lambda mapper: mapper.class_.__name__)
    def test_every_table_says_when_a_row_was_made_and_written(self, mapper) -> None:
        for name in ("created_at", "updated_at"):
            assert isinstance(mapper.columns[name].type, UTCDateTime)

    def test_every_model_can_be_imported_from_the_package(self) -> None:
        """Alembic and the tests see the tables that the package imports, and no others."""
        for module in pkgutil.iter_modules(models.__path__):
            importlib.import_module(f"admin_app.models.{module.name}")
        exported = [thing for thing in vars(models).values() if isinstance(thing, type)]
        assert {mapper.class_ for mapper in Base.registry.mappers} <= set(exported)


class TestForeignKeys:
    async def test_what_hangs_on_a_ticket_goes_with_it(self, database, cast) -> None:
        ticket_id = await store_ticket(database, cast)
        comment_id = await store_comment(database, cast, ticket_id)

        async def attach(session) -> None:
            session.add(TicketWatcher(ticket_id=ticket_id, user_id=cast.sam.id))
            session.add(
                Attachment(
                    ticket_id=ticket_id,
                    comment_id=comment_id,
                    filename="lamp.png",
                    content_type="image/png",
                    size=3,
                    sha256="0" * 64,
                    storage_key="00",
                )
            )

        await database.run(attach)
        await database.run(lambda session: session.execute(delete(Ticket)))
        for model in (Comment, TicketWatcher, Attachment):
            assert await database.read(lambda session, m=model: session.scalar(select(func.count(m.id)))) == 0

    async def test_a_notification_outlives_its_ticket(self, database, cast) -> None:
        ticket_id = await store_ticket(database, cast)

        async def notify(session) -> None:
            kind = NotificationType.TRANSFERRED
            session.add(Notification(user_id=cast.sam.id, type=kind, message="Yours now.", ticket_id=ticket_id))

        await database.run(notify)
        await database.run(lambda session: session.execute(delete(Ticket)))
        notification = await database.read(lambda session: session.scalar(select(Notification)))
        assert (notification.message, notification.ticket_id) == ("Yours now.", None)

    async def test_a_person_with_tickets_cannot_vanish(self, database, cast) -> None:
        await store_ticket(database, cast)
        with pytest.raises(Exception, match="still point"):
            await database.run(lambda session: session.execute(delete(User).where(User.id == cast.kim.id)))
