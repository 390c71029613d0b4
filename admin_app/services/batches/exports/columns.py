"""What stands under which heading, as text that the database makes of a ticket in people's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, func, select, type_coerce
from sqlalchemy.orm import aliased

from admin_app.db import planning
from admin_app.db.planning import among_found
from admin_app.db.rendering import Joined, MomentText, constant
from admin_app.models.tag import Tag, ticket_tags
from admin_app.models.ticket import Channel, Priority, Status, Ticket
from admin_app.models.user import User
from admin_app.services.blocks import workflow

Text = ColumnElement[str]

STATUSES = {member: workflow.label(member) for member in Status}
PRIORITIES = {member: member.name.capitalize() for member in Priority}
CHANNELS = {member: member.value.capitalize() for member in Channel}


@dataclass(frozen=True)
class Column:
    """One heading."""

    text: Text
    """NULL where there is nothing."""
    is_free: bool = False
    """Whether people fill it; the others hold words and times of ours."""


def page_of(statement: Select[Any], rows: int) -> Any:
    """A page of tickets, to be asked once."""
    return statement.limit(planning.written(rows)).cte("page")


class Sheet:
    """The columns of a page, and the statement that they belong to."""

    def __init__(self, page: Any) -> None:
        self.ticket = aliased(Ticket, page)
        self._customer, self._owner = aliased(User, name="customer"), aliased(User, name="owner")
        self._tags = _names_of_tags(page)
        self.columns = self._columns(self._tags.c.names)

    def select(self, line: Text) -> Any:
        """The id and the line of every ticket on the page."""
        return (
            select(self.ticket.id, line.label("line"))
            .join(self._customer, self.ticket.creator_id == self._customer.id)
            .outerjoin(self._owner, self.ticket.owner_id == self._owner.id)
            .outerjoin(self._tags, self.ticket.id == self._tags.c.ticket_id)
        )

    def _columns(self, tags: Text) -> Mapping[str, Column]:
        ticket, customer, owner = self.ticket, self._customer, self._owner
        return {
            "Number": _ours(ticket.ticket_number),
            "Title": _free(ticket.title),
            "Description": _free(ticket.description),
            "Status": _words(ticket.status, STATUSES),
            "Priority": _words(ticket.priority, PRIORITIES),
            "Channel": _words(ticket.channel, CHANNELS),
            "Category": _free(ticket.category),
            "Customer": _free(customer.full_name),
            "Customer e-mail": _free(customer.email),
            "Owner": _free(owner.full_name),
            "Owner e-mail": _free(owner.email),
            "Resolution": _free(ticket.resolution),
            "Created": _ours(MomentText(ticket.created_at)),
            "First response": _ours(MomentText(ticket.first_response_at)),
            "Resolved": _ours(MomentText(ticket.resolved_at)),
            "Closed": _ours(MomentText(ticket.closed_at)),
            "Due": _ours(MomentText(ticket.due_at)),
            "External key": _free(ticket.external_key),
            "Tags": _free(tags),
        }


def _names_of_tags(page: Any) -> Any:
    """By ticket, those of the whole page at once: asking ticket by ticket takes a third of the time of an export."""
    ticket_id = ticket_tags.c.ticket_id
    named = (
        select(ticket_id, Tag.name)
        .join(Tag, ticket_tags.c.tag_id == Tag.id)
        .where(among_found(ticket_id, select(page.c.id)))
        .order_by(ticket_id, Tag.name)
        .subquery()
    )
    joined = Joined(named.c.name, constant(", ")).label("names")
    return select(named.c.ticket_id, joined).group_by(named.c.ticket_id).subquery("tags_of_page")


def filled(text: Text) -> Text:
    """Nothing as an empty text."""
    return func.coalesce(text, constant(""))


def _ours(text: Any) -> Column:
    return Column(type_coerce(text, String()))


def _free(text: Any) -> Column:
    return Column(type_coerce(text, String()), is_free=True)


def _words(column: Any, words: Mapping[Any, str]) -> Column:
    stored: dict[Enum, Text] = {member: constant(word) for member, word in words.items()}
    return Column(case(stored, value=column))


HEADINGS = tuple(Sheet(page_of(select(Ticket), 1)).columns)
