"""A customer's request and everything that hangs on it."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import selectinload

from admin_app.errors import AlreadyExists, InvalidInput
from admin_app.models import Channel, Priority, Status, Tag, Ticket
from tests.support.tickets import store_ticket


class TestTicket:
    async def test_a_new_one_is_new_of_medium_priority_and_from_the_web(self, database, cast) -> None:
        ticket_id = await store_ticket(database, cast)
        ticket = await database.read(lambda session: session.get_one(Ticket, ticket_id))
        assert (ticket.status, ticket.priority, ticket.channel) == (Status.NEW, Priority.MEDIUM, Channel.WEB)
        assert (ticket.owner_id, ticket.deleted_at, ticket.version) == (None, None, 1)

    @pytest.mark.parametrize("relation", ["creator", "owner", "parent", "tags"])
    async def test_nothing_is_loaded_behind_your_back(self, database, cast, relation: str) -> None:
        """A forgotten eager load is an exception, not a slow page."""
        ticket_id = await store_ticket(database, cast, owner_id=cast.sam.id)
        ticket = await database.read(lambda session: session.get_one(Ticket, ticket_id))
        with pytest.raises(InvalidRequestError, match="raise"):
            getattr(ticket, relation)

    async def test_tags_come_in_order_of_their_names(self, database, cast) -> None:
        await store_ticket(database, cast, tags=[Tag(name="b"), Tag(name="a")])
        statement = select(Ticket).options(selectinload(Ticket.tags))
        ticket = await database.read(lambda session: session.scalar(statement))
        assert [str(tag) for tag in ticket.tags] == ["a", "b"]

    async def test_two_never_share_an_external_key(self, database, cast) -> None:
        await store_ticket(database, cast, external_key="crm-1")
        with pytest.raises(AlreadyExists) as refused:
            await store_ticket(database, cast, external_key="crm-1")
        assert list(refused.value.fields) == ["external_key"]

    async def test_any_number_may_be_without_one(self, database, cast) -> None:
        await store_ticket(database, cast, external_key=None)
        assert await store_ticket(database, cast, external_key=None)

    async def test_a_tag_is_one_lower_case_word_form(self, database, cast) -> None:
        with pytest.raises(InvalidInput) as refused:
            await store_ticket(database, cast, tags=[Tag(name="Lamp")])
        assert list(refused.value.fields) == ["name"]


class TestIsActive:
    @pytest.mark.parametrize(
        ("status", "active"),
        [("new", True), ("open", True), ("pending", True), ("on_hold", True), ("resolved", False), ("closed", False)],
    )
    def test_work_is_owed_until_it_is_resolved(self, status: str, active: bool) -> None:
        assert Ticket(status=Status(status)).is_active is active


class TestStr:
    def test_a_ticket_reads_as_number_and_title(self) -> None:
        assert str(Ticket(ticket_number="T-000123", title="Broken lamp")) == "T-000123 Broken lamp"
