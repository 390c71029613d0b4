"""Deactivating somebody who owns open tickets: shown first, then done as shown, all of it or nothing."""

from collections import Counter
from typing import Any

import pytest

from admin_app.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from admin_app.models import AuditAction, Status, Ticket, User, UserSession
from admin_app.services.operations import accounts, off_boarding, tickets
from admin_app.services.operations.off_boarding import Choice, Wanted
from tests.services.scenes import Desk

GIVE = Wanted(Choice.GIVE, "sid@desk.example")
SPREAD = Wanted(Choice.SPREAD)
LEAVE = Wanted(Choice.LEAVE)


async def sams(desk: Desk, count: int, owner: str = "sam@desk.example") -> list[Ticket]:
    """Open tickets of Sam's."""
    return [await desk.ticket(title=f"Number {number}", owner=owner) for number in range(count)]


async def shown(desk: Desk, wanted: Wanted, person: str = "sam") -> off_boarding.Plan:
    """What Sue sees before she presses the button."""
    plan: off_boarding.Plan = await desk.read(
        off_boarding.preview, desk.cast.sue, desk.cast.users[person], wanted=wanted
    )
    return plan


async def leave(desk: Desk, wanted: Wanted, frozen: str | None = None, reason: str = " left us ") -> User:
    """Sue presses the button."""
    digest = (await shown(desk, wanted)).frozen if frozen is None else frozen
    user: User = await desk.run(
        off_boarding.off_board, desk.cast.sue, desk.cast.sam.id, wanted=wanted, reason=reason, frozen=digest
    )
    return user


async def owners(desk: Desk) -> Counter[int | None]:
    """How many open tickets each person has."""
    return Counter(ticket.owner_id for ticket in await desk.rows(Ticket) if ticket.is_active)


class TestPreview:
    async def test_giving_names_one_person_and_how_much(self, desk) -> None:
        await sams(desk, 3)
        await desk.ticket(owner="sid@desk.example")
        plan = await shown(desk, GIVE)
        assert [(each.name, each.has, each.gets) for each in plan.receivers] == [("Sid Staff", 1, 3)]
        assert {name for _, name in plan.shown} == {"Sid Staff"}

    async def test_leaving_names_nobody(self, desk) -> None:
        await sams(desk, 2)
        plan = await shown(desk, LEAVE)
        assert (list(plan.receivers), [name for _, name in plan.shown]) == ([], ["", ""])

    async def test_spreading_fills_up_those_who_have_the_fewest_and_of_several_the_oldest_account(self, desk) -> None:
        await sams(desk, 4)
        await desk.ticket(owner="sid@desk.example")
        await desk.ticket(owner="sid@desk.example")
        plan = await shown(desk, SPREAD)
        names = [name for _, name in plan.shown]
        assert names == ["Sue Supervisor", "Ada Admin", "Sue Supervisor", "Ada Admin"]
        assert [(each.name, each.has, each.gets) for each in plan.receivers] == [
            ("Ada Admin", 0, 2),
            ("Sue Supervisor", 0, 2),
        ]

    @pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
    async def test_spreading_is_fair(self, desk, count: int) -> None:
        await sams(desk, count)
        plan = await shown(desk, SPREAD)
        after = Counter({desk.cast.users[name]: 0 for name in ("sid", "sue", "ada")}) + Counter()
        after.update(owner for owner in plan.owner_of.values())
        loads = [after[desk.cast.users[name]] for name in ("sid", "sue", "ada")]
        assert sum(loads) == count
        assert max(loads) - min(loads) <= 1

    async def test_only_active_people_who_can_own_tickets_get_any(self, desk) -> None:
        await sams(desk, 6)
        await desk.set(User, desk.cast.sid.id, is_active=False)
        plan = await shown(desk, SPREAD)
        assert {each.name for each in plan.receivers} == {"Sue Supervisor", "Ada Admin"}

    async def test_shows_the_first_fifty_and_counts_all(self, desk) -> None:
        await desk.store(*_many(desk, 60))
        plan = await shown(desk, SPREAD)
        assert (len(plan.shown), len(plan.tickets)) == (50, 60)

    async def test_tickets_that_ended_or_lie_in_the_trash_stay_where_they_are(self, desk) -> None:
        ended = await desk.ticket(owner="sam@desk.example")
        await desk.run(tickets.resolve, desk.cast.sam, ended.id, resolution="done", version=1)
        await desk.deleted_ticket(owner="sam@desk.example")
        assert (await shown(desk, SPREAD)).tickets == []

    @pytest.mark.parametrize("wanted", [GIVE, SPREAD, LEAVE])
    async def test_takes_a_constant_number_of_statements(self, desk, statement_counter, wanted: Wanted) -> None:
        counts = []
        for _ in range(2):
            await desk.store(*_many(desk, 30))
            with statement_counter() as counted:
                await shown(desk, wanted)
            counts.append(counted.total)
        assert counts[0] == counts[1] <= 4

    @pytest.mark.parametrize("address", ["", "nobody@desk.example", "kim@desk.example", "olaf@desk.example"])
    async def test_says_at_the_field_who_cannot_own_tickets(self, desk, address: str) -> None:
        await sams(desk, 1)
        error = await self.refusal(desk, InvalidInput, Wanted(Choice.GIVE, address))
        assert set(error.fields) == {"new_owner"}

    async def test_nobody_inherits_from_themselves(self, desk) -> None:
        await sams(desk, 1)
        error = await self.refusal(desk, InvalidInput, Wanted(Choice.GIVE, "SAM@desk.example"))
        assert error.fields == {"new_owner": "Sam Staff is the one who leaves. Name somebody else."}

    async def test_there_may_be_nobody_to_spread_to(self, desk) -> None:
        await sams(desk, 1)
        for name in ("sid", "sue", "ada"):
            await desk.set(User, desk.cast.users[name], is_active=False)
        error = await self.refusal(desk, InvalidInput, SPREAD)
        assert error.fields == {"choice": "There is nobody else who can own tickets."}

    async def refusal(self, desk: Desk, kind: type[Exception], wanted: Wanted) -> Any:
        with pytest.raises(kind) as caught:
            await shown(desk, wanted)
        return caught.value


class TestOffBoard:
    async def test_does_what_was_shown(self, desk) -> None:
        await sams(desk, 5)
        plan = await shown(desk, SPREAD)
        await leave(desk, SPREAD, plan.frozen)
        assert {ticket.id: ticket.owner_id for ticket in await desk.rows(Ticket)} == plan.owner_of
        assert {ticket.version for ticket in await desk.rows(Ticket)} == {2}
        assert not (await desk.stored(User, desk.cast.sam.id)).is_active

    @pytest.mark.parametrize(("wanted", "owner"), [(GIVE, "sid"), (LEAVE, "nobody")])
    async def test_all_go_to_one_or_to_nobody(self, desk, wanted: Wanted, owner: str) -> None:
        await sams(desk, 3)
        await leave(desk, wanted)
        assert await owners(desk) == {desk.cast.users.get(owner): 3}

    async def test_writes_one_entry_for_the_person_and_one_per_ticket_in_one_batch(self, desk) -> None:
        made = await sams(desk, 3)
        async with desk.recorded() as written:
            await leave(desk, GIVE)
        person, *handed = written.audit
        assert (person.action, person.record_id, person.version) == (AuditAction.DEACTIVATE, desk.cast.sam.id, 2)
        assert person.changes == {"is_active": [True, False]}
        assert {entry.action for entry in handed} == {AuditAction.TRANSFER_OWNERSHIP}
        assert [(entry.record_id, entry.record_label, entry.version) for entry in handed] == [
            (ticket.id, ticket.ticket_number, 2) for ticket in made
        ]
        assert handed[0].changes == {"owner_id": [desk.cast.sam.id, desk.cast.sid.id]}
        assert {entry.reason for entry in written.audit} == {"left us"}
        [batch] = {entry.batch_id for entry in written.audit}
        assert batch

    async def test_everybody_who_gets_something_is_told_once_and_the_one_who_does_it_is_not(self, desk) -> None:
        made = await sams(desk, 20)
        async with desk.recorded() as written:
            await leave(desk, SPREAD)
        assert set(written.told) == {"sid", "ada"}
        numbers = [ticket.ticket_number for ticket in made[::3]]
        assert written.told["sid"] == (
            f"Sue Supervisor handed you 7 tickets of Sam Staff, who leaves: {', '.join(numbers[:5])} and 2 more"
        )
        assert {told.ticket_id for told in written.notifications} == {None}

    async def test_a_single_ticket_is_told_by_its_number(self, desk) -> None:
        [ticket] = await sams(desk, 1)
        async with desk.recorded() as written:
            await leave(desk, GIVE)
        assert written.told == {
            "sid": f"Sue Supervisor handed you a ticket of Sam Staff, who leaves: {ticket.ticket_number}"
        }

    async def test_ends_the_sign_ins_of_the_person(self, desk, stopped_clock) -> None:
        session = await desk.store(
            UserSession(
                token_hash="t", user_id=desk.cast.sam.id, last_seen_at=stopped_clock.time, expires_at=stopped_clock.time
            )
        )
        await leave(desk, LEAVE)
        assert (await desk.stored(UserSession, session.id)).revoked_at == stopped_clock.time

    async def test_somebody_without_open_tickets_just_leaves(self, desk) -> None:
        async with desk.recorded() as written:
            await leave(desk, SPREAD)
        assert written.entry.action is AuditAction.DEACTIVATE
        assert written.notifications == []

    async def test_five_thousand_tickets_take_as_many_statements_as_ten(self, desk, statement_counter) -> None:
        counts = []
        for count in (10, 5_000):
            await desk.store(*_many(desk, count))
            plan = await shown(desk, SPREAD)
            assert len(plan.tickets) == count
            with statement_counter() as counted:
                await leave(desk, SPREAD, plan.frozen)
            counts.append(counted.total)
            await desk.run(accounts.reactivate, desk.cast.sue, desk.cast.sam.id)
        assert counts[0] == counts[1] <= 20
        loads = await owners(desk)
        assert max(loads.values()) - min(loads.values()) <= 1


class TestWhatChangedMeanwhile:
    """A preview is a promise: what is no longer so is shown again, never done."""

    async def test_a_ticket_that_got_another_owner(self, desk) -> None:
        [ticket, _] = await sams(desk, 2)
        plan = await shown(desk, SPREAD)
        options = {"new_owner": "sid@desk.example", "reason": "r", "note": "", "version": 1}
        await desk.run(tickets.transfer, desk.cast.sue, ticket.id, **options)
        await self.refused(desk, SPREAD, plan.frozen)
        await leave(desk, SPREAD)

    async def test_a_ticket_that_came(self, desk) -> None:
        plan = await shown(desk, LEAVE)
        await sams(desk, 1)
        await self.refused(desk, LEAVE, plan.frozen)

    async def test_a_ticket_that_was_edited(self, desk) -> None:
        [ticket] = await sams(desk, 1)
        plan = await shown(desk, GIVE)
        await desk.run(tickets.edit, desk.cast.sam, ticket.id, {"title": "Other"}, version=1)
        await self.refused(desk, GIVE, plan.frozen)

    async def test_others_who_got_more_to_do(self, desk) -> None:
        await sams(desk, 3)
        plan = await shown(desk, SPREAD)
        await sams(desk, 3, owner="sid@desk.example")
        await self.refused(desk, SPREAD, plan.frozen)

    async def test_a_choice_that_was_not_the_one_shown(self, desk) -> None:
        await sams(desk, 3)
        plan = await shown(desk, LEAVE)
        await self.refused(desk, GIVE, plan.frozen)

    async def test_a_receiver_who_left(self, desk) -> None:
        await sams(desk, 1)
        plan = await shown(desk, GIVE)
        await desk.run(accounts.deactivate, desk.cast.sue, desk.cast.sid.id, reason="left too")
        options = {"wanted": GIVE, "reason": "r", "frozen": plan.frozen}
        error = await desk.refusal(InvalidInput, off_boarding.off_board, desk.cast.sue, desk.cast.sam.id, **options)
        assert error.fields == {"new_owner": "Sid Staff is deactivated."}

    async def refused(self, desk: Desk, wanted: Wanted, frozen: str) -> None:
        options = {"wanted": wanted, "reason": "r", "frozen": frozen}
        error = await desk.refusal(Conflict, off_boarding.off_board, desk.cast.sue, desk.cast.sam.id, **options)
        assert "have changed since this was shown" in str(error)


class TestRefusals:
    async def test_the_same_rules_as_for_deactivating(self, desk) -> None:
        cast = desk.cast
        options = {"wanted": LEAVE, "reason": "r", "frozen": "x"}
        await desk.refusal(PermissionDenied, off_boarding.off_board, cast.sam, cast.sid.id, **options)
        await desk.refusal(PermissionDenied, off_boarding.off_board, cast.sue, cast.sue.id, **options)
        await desk.refusal(PermissionDenied, off_boarding.off_board, cast.sue, cast.ada.id, **options)
        await desk.refusal(NotFound, off_boarding.off_board, cast.sue, 999_999, **options)
        await desk.set(User, cast.sid.id, is_active=False)
        await desk.refusal(Conflict, off_boarding.off_board, cast.sue, cast.sid.id, **options)
        for reader in (off_boarding.open_work, off_boarding.owns_open_tickets):
            await desk.refusal(PermissionDenied, reader, cast.sam, cast.sid.id)

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    async def test_needs_a_reason_that_fits(self, desk, reason: str) -> None:
        options = {"wanted": LEAVE, "reason": reason, "frozen": "x"}
        error = await desk.refusal(InvalidInput, off_boarding.off_board, desk.cast.sue, desk.cast.sam.id, **options)
        assert set(error.fields) == {"reason"}


class TestOpenWork:
    async def test_names_the_person_and_their_open_tickets(self, desk) -> None:
        made = await sams(desk, 2)
        user, found = await desk.read(off_boarding.open_work, desk.cast.sue, desk.cast.sam.id)
        assert (user.full_name, [ticket.id for ticket in found]) == ("Sam Staff", [ticket.id for ticket in made])

    async def test_tells_whether_there_are_any(self, desk) -> None:
        for expected in (False, True):
            found = await desk.read(off_boarding.owns_open_tickets, desk.cast.sue, desk.cast.sam.id)
            assert found is expected
            await sams(desk, 1)


def _many(desk: Desk, count: int) -> list[Ticket]:
    """Open tickets of Sam's, past every service."""
    start = next(_numbers) * 10_000
    return [
        Ticket(
            ticket_number=f"X-{start + number:08d}",
            title="Lamp",
            creator_id=desk.cast.kim.id,
            owner_id=desk.cast.sam.id,
            status=[Status.NEW, Status.OPEN, Status.PENDING, Status.ON_HOLD][number % 4],
        )
        for number in range(count)
    ]


_numbers = iter(range(1, 1000))
