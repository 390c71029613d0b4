"""Whose ticket it is, and who may change that."""

import pytest

from admin_app.actor import Actor
from admin_app.errors import InvalidInput, PermissionDenied
from admin_app.models import NotificationType, Ticket, User
from admin_app.permissions import Role
from admin_app.services.blocks import ownership

OWN, NOBODYS, OTHERS = 1, None, 2
MAY = {
    "customer": set(),
    "staff": {OWN, NOBODYS},
    "supervisor": {OWN, NOBODYS, OTHERS},
    "ops": set(),
    "admin": {OWN, NOBODYS, OTHERS},
}
"""Whose tickets each role may hand over: written down by hand from the specification."""


async def transfer(session, actor: Actor, ticket_id: int, receiver: int, **options: str) -> None:
    ticket, new_owner = await session.get_one(Ticket, ticket_id), await session.get_one(User, receiver)
    await ownership.transfer(session, actor, ticket, new_owner=new_owner, reason="on holiday", **options)


class TestCanTransfer:
    @pytest.mark.parametrize("owner_id", [OWN, NOBODYS, OTHERS])
    @pytest.mark.parametrize("role", Role)
    def test_own_and_ownerless_ones_by_staff_and_all_by_supervisors(self, role: Role, owner_id: int | None) -> None:
        actor = Actor(id=1, name="Somebody", role=role)
        assert ownership.can_transfer(actor, Ticket(owner_id=owner_id)) == (owner_id in MAY[role.value])

    def test_a_command_without_a_person_may_hand_over_any(self) -> None:
        assert ownership.can_transfer(Actor(id=None, name="Command line", role=Role.ADMIN), Ticket(owner_id=7))


class TestCanTake:
    def test_what_is_not_theirs_yet_by_those_who_may_hand_it_over_and_can_own(self) -> None:
        taken = {
            role.value: {
                owner_id
                for owner_id in (OWN, NOBODYS, OTHERS)
                if ownership.can_take(Actor(id=1, name="Somebody", role=role), Ticket(owner_id=owner_id))
            }
            for role in Role
        }
        assert taken == {role: owners - {OWN} for role, owners in MAY.items()}


class TestTransfer:
    async def test_tells_the_new_and_the_former_owner(self, desk) -> None:
        ticket, cast = await desk.ticket(owner="sam@desk.example"), desk.cast
        async with desk.recorded() as written:
            await desk.run(transfer, cast.sue, ticket.id, cast.sid.id)
        number = ticket.ticket_number
        assert written.told == {
            "sid": f"Sue Supervisor handed {number} to you: Printer on fire",
            "sam": f"Sue Supervisor handed {number} from you to Sid Staff",
        }
        assert {told.type for told in written.notifications} == {NotificationType.TRANSFERRED}

    async def test_a_note_goes_along_to_the_new_owner(self, desk) -> None:
        ticket, cast = await desk.ticket(title="Printer on fire?"), desk.cast
        async with desk.recorded() as written:
            await desk.run(transfer, cast.sam, ticket.id, cast.sid.id, note="Kim calls at nine.")
        told = f"Sam Staff handed {ticket.ticket_number} to you: Printer on fire? Kim calls at nine."
        assert written.told == {"sid": told}

    async def test_nobody_is_told_of_what_they_did_themselves(self, desk) -> None:
        ticket, cast = await desk.ticket(), desk.cast
        async with desk.recorded() as written:
            await desk.run(transfer, cast.sam, ticket.id, cast.sam.id)
        assert written.told == {}
        assert written.entry.changes == {"owner_id": [None, cast.sam.id]}

    async def test_staff_may_not_hand_over_what_belongs_to_somebody_else(self, desk) -> None:
        ticket, cast = await desk.ticket(owner="sid@desk.example"), desk.cast
        error = await desk.refusal(PermissionDenied, transfer, cast.sam, ticket.id, cast.sam.id)
        assert str(error) == f"You may hand over your own tickets only; {ticket.ticket_number} is not yours."

    async def test_handing_it_to_its_owner_is_refused_at_the_field(self, desk) -> None:
        ticket, cast = await desk.ticket(owner="sam@desk.example"), desk.cast
        error = await desk.refusal(InvalidInput, transfer, cast.sam, ticket.id, cast.sam.id)
        assert error.fields == {"new_owner": f"{ticket.ticket_number} belongs to Sam Staff already."}
