"""The forms of a ticket as data, and what they hold turned into values."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from admin_app import clock
from admin_app.actor import Actor
from admin_app.errors import AppError, InvalidInput
from admin_app.models import Channel, Priority, Status, Ticket
from admin_app.services.blocks import workflow
from admin_app.services.operations.tickets import NewTicket
from admin_app.services.records import text_rules
from admin_app.web import parsing
from admin_app.web.desk import text_in
from admin_app.web.forms import Field, Form, Options
from admin_app.web.pages import as_input, in_words

SUGGEST_OWNER = "/admin/ticket/ajax/lookup?name=owner"
SUGGEST_CREATOR = "/admin/ticket/ajax/lookup?name=creator"

PRIORITIES: Options = [(str(priority.value), in_words(priority)) for priority in Priority]
CHANNELS: Options = [(channel.value, in_words(channel)) for channel in Channel]


def status_options(statuses: Iterable[Status]) -> Options:
    """Statuses as choices."""
    return [(status.value, workflow.label(status)) for status in statuses]


def _what_fields() -> list[Field]:
    longest = text_rules.LONGEST
    return [
        Field("title", "Title", required=True, longest=longest["title"]),
        Field("description", "Description", kind="textarea", longest=longest["description"], rows=8),
        Field("priority", "Priority", kind="select", value=str(Priority.MEDIUM.value), options=PRIORITIES),
        Field("channel", "Channel", kind="select", value=Channel.WEB.value, options=CHANNELS),
        Field("category", "Category", longest=longest["category"]),
    ]


def new_form(timezone: str) -> Form:
    """The empty form of a new ticket."""
    customer = Field(
        "creator",
        "Customer",
        kind="person",
        required=True,
        suggest=SUGGEST_CREATOR,
        help="The e-mail address of the person who asks; start typing a name to find it.",
    )
    return Form(
        [
            customer,
            *_what_fields(),
            Field("owner", "Owner", kind="person", suggest=SUGGEST_OWNER, help="Leave empty to decide later."),
            Field("due_at", "Due", kind="datetime", help=f"In your time zone, {timezone}."),
            Field("parent", "Follow-up to", help="A ticket number such as T-000123."),
        ]
    )


def new_ticket(form: FormData, timezone: str) -> NewTicket:
    """What the form of a new ticket holds; `InvalidInput` names every field that cannot be read."""
    values = _values(form, timezone, ("priority", "channel", "due_at"))
    if values["due_at"] is not None and values["due_at"] < clock.now():
        raise InvalidInput(due_at="This time is past already.")
    return NewTicket(
        creator=text_in(form, "creator"),
        title=text_in(form, "title"),
        description=text_rules.normalised(text_in(form, "description")),
        category=text_in(form, "category"),
        owner=text_in(form, "owner"),
        parent=text_in(form, "parent"),
        **values,
    )


def edit_form(actor: Actor, ticket: Ticket) -> Form:
    """The edit form of a ticket as it is stored."""
    statuses = workflow.choices(actor, ticket.status)
    status = Field(
        "status",
        "Status",
        kind="select",
        options=status_options(statuses),
        help="Resolved and Closed need a resolution.",
    )
    due = Field("due_at", "Due", kind="datetime", help=f"In your time zone, {actor.timezone}.")
    resolution = Field("resolution", "Resolution", kind="textarea", longest=text_rules.LONGEST["resolution"], rows=3)
    stored = {name: as_typed(actor, name, getattr(ticket, name)) for name in EDITED}
    return Form([*_what_fields()[:2], status, *_what_fields()[2:], due, resolution]).filled(stored)


EDITED = ("title", "description", "status", "priority", "channel", "category", "due_at", "resolution")


def edited_values(form: FormData, timezone: str) -> dict[str, Any]:
    """What the edit form holds; a field that was not sent is left out, `InvalidInput` names those it cannot read."""
    sent = tuple(name for name in EDITED if name in form)
    typed = {name: text_in(form, name) for name in sent if name in {"title", "description", "category", "resolution"}}
    return {**typed, **_values(form, timezone, sent)}


def without_lost_seconds(actor: Actor, form: FormData, ticket: Ticket) -> dict[str, Any]:
    """What the edit form holds, less a due time that nobody touched: a form knows neither seconds nor summer time."""
    values = edited_values(form, actor.timezone)
    if text_in(form, "due_at") == as_typed(actor, "due_at", ticket.due_at):
        values.pop("due_at", None)
    return values


def as_typed(actor: Actor, name: str, stored: object) -> str:
    """A stored value as the form holds it."""
    if stored is None:
        return ""
    if name == "due_at":
        moment = stored if isinstance(stored, datetime) else datetime.fromisoformat(str(stored))
        return as_input(moment, ZoneInfo(actor.timezone))
    return str(getattr(stored, "value", stored))


def _values(form: FormData, timezone: str, names: tuple[str, ...]) -> dict[str, Any]:
    readers: dict[str, Any] = {
        "status": lambda text: parsing.one_of(text, Status, "status"),
        "priority": lambda text: parsing.one_of(text, Priority, "priority"),
        "channel": lambda text: parsing.one_of(text, Channel, "channel"),
        "due_at": lambda text: parsing.local_time(text, "due_at", timezone),
    }
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name in names:
        if name not in readers or (name not in form and name != "due_at"):
            continue
        try:
            values[name] = readers[name](text_in(form, name))
        except InvalidInput as error:
            wrong.update(error.fields)
    if wrong:
        raise InvalidInput(**wrong)
    return values


def keep_choice(form: Form, typed: FormData, error: AppError) -> Form:
    """The form with what was typed; a status that is no longer offered stays visible as a choice."""
    marked = form.typed(typed, error)
    shown = []
    for field in marked.fields:
        known = {value for value, _ in field.options}
        if field.kind == "select" and field.value not in known:
            extra = [(field.value, in_words(field.value) or "(nothing chosen)")]
            field = Field(**{**vars(field), "options": [*field.options, *extra]})
        shown.append(field)
    return Form(shown, marked.error)
