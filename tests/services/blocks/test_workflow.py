"""The table of states, against an expectation that was written down by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from admin_app.actor import Actor
from admin_app.errors import InvalidInput, InvalidTransition, PermissionDenied
from admin_app.models import Status, Ticket
from admin_app.permissions import Role
from admin_app.services.blocks import workflow

DESK = {"staff", "supervisor", "admin"}
SENIOR = {"supervisor", "admin"}

EXPECTED = {
    "new": {"open": "", "pending": "", "on_hold": "", "resolved": "resolution", "closed": "resolution"},
    "open": {"pending": "", "on_hold": "", "resolved": "resolution", "closed": "resolution"},
    "pending": {"open": "", "on_hold": "", "resolved": "resolution", "closed": "resolution"},
    "on_hold": {"open": "", "pending": "", "resolved": "resolution", "closed": "resolution"},
    "resolved": {"open": "reason", "closed": "resolution"},
    "closed": {"open": "reason"},
}
"""From → to → what has to be said."""

PAIRS = [(source, target) for source in Status for target in Status]
EARLIER = datetime(2029, 12, 24, 18, 0, tzinfo=UTC)


def who(role: Role) -> Actor:
    return Actor(id=1, name="Somebody", role=role)


def ticket_in(status: Status, **columns: object) -> Ticket:
    return Ticket(ticket_number="T-000001", title="Printer", status=status, **columns)


def allowed_roles(source: Status, target: Status) -> set[str]:
    if target.value not in EXPECTED[source.value]:
        return set()
    return SENIOR if source is Status.CLOSED else DESK


class TestArrows:
    def test_no_arrow_is_listed_twice(self) -> None:
        ends = [(arrow.source, arrow.target) for arrow in workflow.ARROWS]
        assert len(ends) == len(set(ends))

    def test_there_is_one_for_every_expected_pair_and_no_other(self) -> None:
        ends = {(arrow.source.value, arrow.target.value) for arrow in workflow.ARROWS}
        assert ends == {(source, target) for source, targets in EXPECTED.items() for target in targets}

    def test_each_asks_for_what_is_expected(self) -> None:
        for arrow in workflow.ARROWS:
            needs = EXPECTED[arrow.source.value][arrow.target.value]
            assert (arrow.needs_reason, arrow.needs_resolution) == (needs == "reason", needs == "resolution"), arrow


class TestFindArrow:
    def test_says_in_words_which_change_there_is_not(self) -> None:
        with pytest.raises(InvalidTransition, match=r"A ticket cannot go from Closed to On hold\."):
            workflow.find_arrow(Status.CLOSED, Status.ON_HOLD)

    def test_finds_the_arrow_between_two_states(self) -> None:
        arrow = workflow.find_arrow(Status.NEW, Status.OPEN)
        assert (arrow.source, arrow.target) == (Status.NEW, Status.OPEN)


class TestFindReopening:
    @pytest.mark.parametrize("source", [Status.RESOLVED, Status.CLOSED])
    def test_leads_back_from_an_end(self, source: Status) -> None:
        assert workflow.find_reopening(source).target is Status.OPEN

    @pytest.mark.parametrize("source", [Status.NEW, Status.PENDING, Status.ON_HOLD])
    def test_is_refused_where_an_edit_would_do(self, source: Status) -> None:
        with pytest.raises(InvalidTransition, match="only a resolved or closed ticket can be reopened"):
            workflow.find_reopening(source)


class TestCheckReopening:
    def test_refuses_who_lacks_the_right_of_that_end(self) -> None:
        refused = set()
        for source in Status:
            for role in Role:
                try:
                    workflow.check_reopening(who(role), source)
                except PermissionDenied:
                    refused.add((source, role))
        outside = {Role.CUSTOMER, Role.OPS}
        assert refused == {(Status.RESOLVED, role) for role in outside} | {
            (Status.CLOSED, role) for role in outside | {Role.STAFF}
        }


class TestCanMove:
    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize(("source", "target"), PAIRS)
    def test_is_yes_for_exactly_the_expected_roles(self, source: Status, target: Status, role: Role) -> None:
        assert workflow.can_move(who(role), source, target) == (role.value in allowed_roles(source, target))


class TestChoices:
    def test_offers_the_present_status_and_every_arrow_without_a_reason(self) -> None:
        assert workflow.choices(who(Role.STAFF), Status.NEW) == list(Status)

    def test_does_not_offer_to_reopen_because_that_needs_a_reason(self) -> None:
        assert workflow.choices(who(Role.ADMIN), Status.CLOSED) == [Status.CLOSED]
        assert workflow.choices(who(Role.ADMIN), Status.RESOLVED) == [Status.RESOLVED, Status.CLOSED]

    def test_offers_only_the_present_status_to_those_who_may_change_nothing(self) -> None:
        assert workflow.choices(who(Role.OPS), Status.OPEN) == [Status.OPEN]


class TestMove:
    @pytest.mark.parametrize("role", Role)
    @pytest.mark.parametrize(("source", "target"), PAIRS)
    def test_moves_along_the_table_and_nowhere_else(self, source: Status, target: Status, role: Role) -> None:
        ticket = ticket_in(source)
        expected: type[Exception] | None = None
        if target.value not in EXPECTED[source.value]:
            expected = InvalidTransition
        elif role.value not in allowed_roles(source, target):
            expected = PermissionDenied
        if expected is None:
            workflow.move(who(role), ticket, target, reason="because", resolution="turned it off and on")
            assert ticket.status is target
            return
        with pytest.raises(expected):
            workflow.move(who(role), ticket, target, reason="because", resolution="turned it off and on")
        assert ticket.status is source

    @pytest.mark.parametrize(("source", "target"), PAIRS)
    def test_insists_on_the_reason_or_resolution_that_the_arrow_needs(self, source: Status, target: Status) -> None:
        needs = EXPECTED[source.value].get(target.value)
        if not needs:
            return
        for blank in (None, "", "  \n"):
            with pytest.raises(InvalidInput) as caught:
                workflow.move(who(Role.ADMIN), ticket_in(source), target, reason=blank, resolution=blank)
            assert set(caught.value.fields) == {needs}

    def test_a_resolution_that_the_ticket_has_already_is_enough(self) -> None:
        ticket = ticket_in(Status.RESOLVED, resolution="New toner.")
        workflow.move(who(Role.STAFF), ticket, Status.CLOSED)
        assert (ticket.status, ticket.resolution) == (Status.CLOSED, "New toner.")

    def test_a_new_resolution_replaces_the_old_one(self) -> None:
        ticket = ticket_in(Status.RESOLVED, resolution="New toner.")
        workflow.move(who(Role.STAFF), ticket, Status.CLOSED, resolution="  New printer. ")
        assert ticket.resolution == "New printer."

    def test_an_arrow_without_resolution_leaves_the_text_alone(self) -> None:
        ticket = ticket_in(Status.RESOLVED, resolution="New toner.")
        workflow.move(who(Role.STAFF), ticket, Status.OPEN, reason="still on fire", resolution="ignored")
        assert ticket.resolution == "New toner."

    def test_resolving_sets_the_time_of_it(self, stopped_clock) -> None:
        ticket = ticket_in(Status.OPEN)
        workflow.move(who(Role.STAFF), ticket, Status.RESOLVED, resolution="done")
        assert (ticket.resolved_at, ticket.closed_at) == (stopped_clock.time, None)

    def test_closing_a_resolved_ticket_keeps_the_time_it_was_resolved(self, stopped_clock) -> None:
        ticket = ticket_in(Status.RESOLVED, resolution="done", resolved_at=EARLIER)
        workflow.move(who(Role.STAFF), ticket, Status.CLOSED)
        assert (ticket.resolved_at, ticket.closed_at) == (EARLIER, stopped_clock.time)

    def test_closing_straight_away_counts_as_resolved_too(self, stopped_clock) -> None:
        ticket = ticket_in(Status.OPEN)
        workflow.move(who(Role.STAFF), ticket, Status.CLOSED, resolution="done")
        assert (ticket.resolved_at, ticket.closed_at) == (stopped_clock.time, stopped_clock.time)

    def test_reopening_clears_both_times(self) -> None:
        later = EARLIER + timedelta(days=1)
        ticket = ticket_in(Status.CLOSED, resolution="done", resolved_at=EARLIER, closed_at=later)
        workflow.move(who(Role.SUPERVISOR), ticket, Status.OPEN, reason="it came back")
        assert (ticket.resolved_at, ticket.closed_at) == (None, None)


class TestLabel:
    @pytest.mark.parametrize(("status", "expected"), [(Status.NEW, "New"), (Status.ON_HOLD, "On hold")])
    def test_reads_as_people_say_it(self, status: Status, expected: str) -> None:
        assert workflow.label(status) == expected
