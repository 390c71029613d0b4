"""The filter of the ticket list, as an address carries it."""

from starlette.datastructures import QueryParams

from admin_app.errors import Malformed
from admin_app.models import Channel, Priority, Status
from admin_app.services.pages.ticket_list import TicketFilter
from admin_app.web import parsing

DAYS = {"from": "first day", "changedFrom": "first day of changes", "dueFrom": "first day due"}
LAST_DAYS = {"to": "last day", "changedTo": "last day of changes", "dueTo": "last day due"}
WORDS = frozenset({"search", "status", "state", "priority", "channel", "owner", "creator", "tag", "overdue"})
FILTERS = WORDS | frozenset(DAYS) | frozenset(LAST_DAYS)
STATES = {"", "active"}


def filter_in(query: QueryParams, zone: str) -> TicketFilter:
    """The filter in an address; `Malformed` names what cannot be read."""
    if query.get("state", "") not in STATES:
        raise Malformed("The only state to filter by is active.")
    if query.get("overdue", "") not in {"", "yes"}:
        raise Malformed("The filter overdue is either yes or absent.")
    priority = query.get("priority", "")
    days = {name: parsing.date(query.get(name, ""), what, zone) for name, what in DAYS.items()}
    ends = {name: parsing.date(query.get(name, ""), what, zone, days_later=1) for name, what in LAST_DAYS.items()}
    return TicketFilter(
        search=query.get("search", "")[:200],
        status=parsing.choice(query.get("status", ""), Status, "status"),
        only_active=query.get("state") == "active",
        priority=parsing.choice(priority, Priority, "priority"),
        channel=parsing.choice(query.get("channel", ""), Channel, "channel"),
        owner=query.get("owner", "").replace("\x00", "").strip(),
        creator=query.get("creator", "").replace("\x00", "").strip(),
        tag=query.get("tag", "").replace("\x00", ""),
        created_from=days["from"],
        created_before=ends["to"],
        updated_from=days["changedFrom"],
        updated_before=ends["changedTo"],
        due_from=days["dueFrom"],
        due_before=ends["dueTo"],
        overdue=query.get("overdue") == "yes",
    )
