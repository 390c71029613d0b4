"""The filter of the ticket list, as an address carries it."""

from datetime import UTC, datetime

import pytest
from starlette.datastructures import QueryParams

from admin_app.errors import Malformed
from admin_app.models import Channel, Priority, Status
from admin_app.services.pages.ticket_list import TicketFilter
from admin_app.web.views.ticket_filters import FILTERS, filter_in


def read(**query: str) -> TicketFilter:
    return filter_in(QueryParams(query), "Europe/Berlin")


class TestFilterIn:
    def test_an_empty_address_filters_nothing(self) -> None:
        assert read() == TicketFilter()

    def test_everything_at_once(self) -> None:
        found = read(search="lamp", status="pending", priority="3", channel="web", owner=" sam@desk.example ", tag="a")
        assert (found.search, found.status, found.priority, found.channel) == (
            *("lamp", Status.PENDING),
            *(Priority(3), Channel.WEB),
        )
        assert (found.owner, found.tag, found.only_active, found.overdue) == ("sam@desk.example", "a", False, False)

    def test_days_are_those_of_the_reader_and_the_last_one_counts(self) -> None:
        found = read(**{"from": "2030-01-15", "to": "2030-01-15"})
        assert found.created_from == datetime(2030, 1, 14, 23, tzinfo=UTC)
        assert found.created_before == datetime(2030, 1, 15, 23, tzinfo=UTC)

    def test_what_is_active_and_what_is_late(self) -> None:
        assert (read(state="active").only_active, read(overdue="yes").overdue) == (True, True)

    @pytest.mark.parametrize(
        "query",
        [
            {"state": "asleep"},
            {"overdue": "no"},
            {"status": "frozen"},
            {"priority": "9"},
            {"priority": "high!"},
            {"channel": "pigeon"},
            {"from": "yesterday"},
            {"to": "2030-02-30"},
            {"changedFrom": "soon"},
            {"dueTo": "2030-13-01"},
        ],
        ids=str,
    )
    def test_what_cannot_be_read_is_told(self, query: dict[str, str]) -> None:
        with pytest.raises(Malformed):
            read(**query)

    def test_a_nul_is_dropped_and_a_long_search_is_cut(self) -> None:
        found = read(owner="s\x00am", creator="k\x00im", tag="la\x00mp", search="x" * 500)
        assert (found.owner, found.creator, found.tag, len(found.search)) == ("sam", "kim", "lamp", 200)

    @pytest.mark.parametrize("name", sorted(FILTERS))
    def test_every_name_that_counts_as_a_filter_is_read(self, name: str) -> None:
        plain = {"state": "active", "overdue": "yes", "status": "open", "priority": "1", "channel": "web"}
        value = plain.get(name, "2030-01-15" if name.lower().endswith(("from", "to")) else "lamp")
        assert read(**{name: value}) != TicketFilter()
