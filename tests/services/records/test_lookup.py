"""Who sees which rows."""

import asyncio

import pytest

from admin_app.actor import command_line_actor
from admin_app.errors import Conflict, Gone, InvalidInput, NotFound, PermissionDenied
from admin_app.models import Ticket, User
from admin_app.permissions import Role
from admin_app.services.operations import accounts, tickets
from admin_app.services.records import lookup

ODD_IDS = [0, -1, 999_999, 2**31, 2**70]
STAFF = frozenset({Role.STAFF})
BLIND = [Role.CUSTOMER, Role.OPS]
"""Roles that see no tickets and no people."""


class TestTicket:
    async def test_finds_a_live_one_with_its_people_loaded(self, desk) -> None:
        ticket = await desk.ticket(owner="sid@desk.example")
        found = await desk.read(lookup.ticket, desk.cast.sam, ticket.id)
        assert (found.ticket_number, found.creator.full_name) == (ticket.ticket_number, "Kim Customer")
        assert found.owner.full_name == "Sid Staff"

    @pytest.mark.parametrize("number", ODD_IDS)
    async def test_a_number_that_nobody_has_is_not_found(self, desk, number: int) -> None:
        await desk.refusal(NotFound, lookup.ticket, desk.cast.ada, number)

    @pytest.mark.parametrize("role", BLIND)
    async def test_those_who_may_not_see_it_get_the_answer_for_a_missing_one(self, desk, role: Role) -> None:
        ticket, actor = await desk.ticket(), desk.as_role(role)
        hidden = await desk.refusal(NotFound, lookup.ticket, actor, ticket.id)
        missing = await desk.refusal(NotFound, lookup.ticket, desk.cast.sam, 999_999)
        assert str(hidden) == str(missing)

    async def test_a_deleted_one_is_gone_and_only_those_who_see_the_trash_learn_where(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        for_staff = await desk.refusal(Gone, lookup.ticket, desk.cast.sam, ticket.id)
        for_supervisor = await desk.refusal(Gone, lookup.ticket, desk.cast.sue, ticket.id)
        assert (for_staff.ticket_id, for_supervisor.ticket_id) == (None, ticket.id)
        assert str(for_staff) == f"{ticket.ticket_number} was deleted."

    @pytest.mark.parametrize("role", BLIND)
    async def test_a_deleted_one_is_simply_missing_for_those_who_may_not_see_tickets(self, desk, role: Role) -> None:
        ticket = await desk.deleted_ticket()
        await desk.refusal(NotFound, lookup.ticket, desk.as_role(role), ticket.id)

    async def test_a_deleted_parent_is_not_shown(self, desk) -> None:
        parent = await desk.ticket()
        child = await desk.ticket(parent=parent.ticket_number)
        before = await desk.read(lookup.ticket, desk.cast.sam, child.id, options=lookup.WITH_EVERYTHING)
        assert before.parent.id == parent.id
        await desk.run(tickets.delete, desk.cast.sam, parent.id, reason="a double", version=1)
        after = await desk.read(lookup.ticket, desk.cast.sam, child.id, options=lookup.WITH_EVERYTHING)
        assert after.parent is None

    async def test_two_who_lock_it_take_turns(self, desk) -> None:
        ticket, order = await desk.ticket(), []

        async def hold(session, name: str) -> None:
            await lookup.ticket(session, desk.cast.sam, ticket.id, lock=True)
            order.append(f"{name} in")
            await asyncio.sleep(0.05)
            order.append(f"{name} out")

        await asyncio.gather(desk.run(hold, "first"), desk.run(hold, "second"))
        assert [step.split()[1] for step in order] == ["in", "out", "in", "out"]


class TestTicketByNumber:
    @pytest.mark.parametrize("spelled", ["{0}", " {0} ", "{1}"])
    async def test_finds_it_in_upper_and_lower_case(self, desk, spelled: str) -> None:
        ticket = await desk.ticket()
        number = spelled.format(ticket.ticket_number, ticket.ticket_number.lower())
        assert (await desk.read(lookup.ticket_by_number, desk.cast.sam, number)).id == ticket.id

    @pytest.mark.parametrize("number", ["", "T-999999", "T-00000%", "' OR 1=1", "T-\x00", "x" * 1000])
    async def test_anything_else_is_not_found(self, desk, number: str) -> None:
        await desk.ticket()
        await desk.refusal(NotFound, lookup.ticket_by_number, desk.cast.sam, number)

    async def test_a_deleted_one_is_gone(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        error = await desk.refusal(Gone, lookup.ticket_by_number, desk.cast.sue, ticket.ticket_number)
        assert error.ticket_id == ticket.id

    async def test_is_not_found_by_those_who_may_not_see_it(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.refusal(NotFound, lookup.ticket_by_number, desk.cast.olaf, ticket.ticket_number)


class TestNumberOf:
    async def test_tells_it_of_live_and_deleted_ones(self, desk) -> None:
        for ticket in (await desk.ticket(), await desk.deleted_ticket()):
            assert await desk.read(lookup.number_of, desk.cast.sam, ticket.id) == ticket.ticket_number

    async def test_tells_nothing_of_missing_or_hidden_ones(self, desk) -> None:
        ticket = await desk.ticket()
        for number in ODD_IDS:
            assert await desk.read(lookup.number_of, desk.cast.ada, number) == ""
        for role in BLIND:
            assert await desk.read(lookup.number_of, desk.as_role(role), ticket.id) == ""


class TestDeletedTicket:
    async def test_finds_one_in_the_trash(self, desk) -> None:
        ticket = await desk.deleted_ticket()
        found = await desk.read(lookup.deleted_ticket, desk.cast.sue, ticket.id)
        assert (found.id, found.creator.full_name) == (ticket.id, "Kim Customer")

    @pytest.mark.parametrize("role", [*BLIND, Role.STAFF])
    async def test_is_not_found_by_those_who_may_not_see_the_trash(self, desk, role: Role) -> None:
        ticket = await desk.deleted_ticket()
        await desk.refusal(NotFound, lookup.deleted_ticket, desk.as_role(role), ticket.id)

    async def test_a_live_one_is_not_in_the_trash(self, desk) -> None:
        ticket = await desk.ticket()
        error = await desk.refusal(NotFound, lookup.deleted_ticket, desk.cast.sue, ticket.id)
        assert str(error) == f"{ticket.ticket_number} is not in the trash."

    @pytest.mark.parametrize("number", ODD_IDS)
    async def test_a_number_that_nobody_has_is_not_found(self, desk, number: int) -> None:
        await desk.refusal(NotFound, lookup.deleted_ticket, desk.cast.ada, number)


class TestUser:
    async def test_finds_a_person_with_their_manager_active_or_not(self, desk) -> None:
        await desk.set(User, desk.cast.kim.id, is_active=False, manager_id=desk.cast.sue.id)
        found = await desk.read(lookup.user, desk.cast.sam, desk.cast.kim.id)
        assert (found.full_name, found.manager.full_name) == ("Kim Customer", "Sue Supervisor")

    @pytest.mark.parametrize("number", ODD_IDS)
    async def test_a_number_that_nobody_has_is_not_found(self, desk, number: int) -> None:
        await desk.refusal(NotFound, lookup.user, desk.cast.ada, number)

    @pytest.mark.parametrize("role", BLIND)
    async def test_is_not_found_by_those_who_may_not_see_people(self, desk, role: Role) -> None:
        await desk.refusal(NotFound, lookup.user, desk.as_role(role), desk.cast.kim.id)

    async def test_can_be_locked(self, desk) -> None:
        assert (await desk.run(lookup.user, desk.cast.sam, desk.cast.kim.id, lock=True)).id == desk.cast.kim.id


class TestActivePerson:
    @pytest.mark.parametrize(
        "typed", ["kim@desk.example", " KIM@Desk.Example ", "Kim Customer <kim@desk.example>", "<Kim@desk.example> "]
    )
    async def test_understands_an_address_however_it_is_written(self, desk, typed: str) -> None:
        assert (await desk.read(lookup.active_person, typed, field="creator")).id == desk.cast.kim.id

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("", "Enter an e-mail address."),
            (" <> ", "Enter an e-mail address."),
            ("nobody@desk.example", "Nobody here has the address nobody@desk.example."),
            ("\x00kim@desk.example.", "Nobody here has the address kim@desk.example.."),
        ],
    )
    async def test_says_at_the_field_what_is_wrong(self, desk, typed: str, sentence: str) -> None:
        error = await desk.refusal(InvalidInput, lookup.active_person, typed, field="creator")
        assert error.fields == {"creator": sentence}

    async def test_a_name_will_do_when_only_one_active_person_has_it(self, desk) -> None:
        for typed in (" sid staff", "Sid Staff"):
            assert (await desk.read(lookup.active_person, typed, field="owner")).id == desk.cast.sid.id
        await desk.set(User, desk.cast.sam.id, full_name="Sid Staff")
        error = await desk.refusal(InvalidInput, lookup.active_person, "Sid Staff", field="owner")
        assert error.fields == {"owner": "Several people here are called Sid Staff. Enter an e-mail address."}
        await desk.set(User, desk.cast.sam.id, is_active=False)
        assert (await desk.read(lookup.active_person, "Sid Staff", field="owner")).id == desk.cast.sid.id

    async def test_refuses_somebody_deactivated(self, desk) -> None:
        await desk.set(User, desk.cast.kim.id, is_active=False)
        error = await desk.refusal(InvalidInput, lookup.active_person, "kim@desk.example", field="creator")
        assert error.fields == {"creator": "Kim Customer is deactivated."}


class TestPossibleOwner:
    @pytest.mark.parametrize("name", ["sam", "sue", "ada"])
    async def test_takes_staff_supervisors_and_admins(self, desk, name: str) -> None:
        for typed in (f"{name}@desk.example", " Me"):
            found = await desk.run(lookup.possible_owner, getattr(desk.cast, name), typed, field="owner")
            assert found.id == desk.cast.users[name]

    @pytest.mark.parametrize(("name", "role"), [("kim", "a customer"), ("olaf", "in ops")])
    async def test_refuses_customers_and_ops(self, desk, name: str, role: str) -> None:
        address, sue = f"{name}@desk.example", desk.cast.sue
        error = await desk.refusal(InvalidInput, lookup.possible_owner, sue, address, field="owner")
        assert error.fields["owner"].endswith(f"is {role} and cannot own tickets.")

    async def test_a_command_is_nobody_who_could_own(self, desk) -> None:
        command = command_line_actor()
        error = await desk.refusal(InvalidInput, lookup.possible_owner, command, "me", field="owner")
        assert error.fields == {"owner": "Nobody here is called me. Enter an e-mail address."}

    async def test_somebody_being_deactivated_right_now_cannot_become_owner(self, desk) -> None:
        """Whoever comes first wins; never does an inactive person own an open ticket."""
        cast = desk.cast
        for _ in range(5):
            ticket = await desk.ticket()
            handing = desk.run(
                tickets.transfer, cast.sam, ticket.id, new_owner="sid@desk.example", reason="r", note="", version=1
            )
            leaving = desk.run(accounts.deactivate, cast.sue, cast.sid.id, reason="left")
            ends = await asyncio.gather(handing, leaving, return_exceptions=True)
            sid, stored = await desk.stored(User, cast.sid.id), await desk.stored(Ticket, ticket.id)
            assert sid.is_active or stored.owner_id != sid.id, ends
            await desk.set(User, cast.sid.id, is_active=True)
            await desk.set(Ticket, ticket.id, owner_id=None)


class TestSuggestPeople:
    @pytest.mark.parametrize("term", ["sam", "SAM", "sa", "sam sta", "sam@desk", " Sam Staff "])
    async def test_finds_by_words_of_name_or_address(self, desk, term: str) -> None:
        found = await desk.read(lookup.suggest_people, desk.cast.sam, term=term, roles=STAFF)
        assert found == [("sam@desk.example", "Sam Staff")]

    async def test_offers_only_the_wanted_roles_by_name(self, desk) -> None:
        roles = frozenset({Role.STAFF, Role.ADMIN})
        found = await desk.read(lookup.suggest_people, desk.cast.sam, term="desk", roles=roles)
        assert [name for _, name in found] == ["Ada Admin", "Sam Staff", "Sid Staff"]

    async def test_offers_nobody_who_was_deactivated(self, desk) -> None:
        await desk.set(User, desk.cast.sid.id, is_active=False)
        found = await desk.read(lookup.suggest_people, desk.cast.sam, term="desk", roles=STAFF)
        assert [name for _, name in found] == ["Sam Staff"]

    @pytest.mark.parametrize("term", ["%", "_", "s_m", "/", "\\", "samx\x00", "", "am"])
    async def test_wildcards_are_plain_text(self, desk, term: str) -> None:
        assert await desk.read(lookup.suggest_people, desk.cast.sam, term=term, roles=STAFF) == []

    async def test_stops_at_the_limit(self, desk) -> None:
        found = await desk.read(lookup.suggest_people, desk.cast.sam, term="desk", roles=frozenset(Role), limit=2)
        assert [name for _, name in found] == ["Ada Admin", "Kim Customer"]

    @pytest.mark.parametrize("role", BLIND)
    async def test_is_refused_to_those_who_may_not_list_people(self, desk, role: Role) -> None:
        await desk.refusal(PermissionDenied, lookup.suggest_people, desk.as_role(role), term="", roles=STAFF)


class TestNamesOf:
    async def test_gives_names_by_id_in_one_statement(self, desk, statement_counter) -> None:
        cast = desk.cast
        with statement_counter() as counted:
            found = await desk.read(lookup.names_of, [cast.sam.id, cast.kim.id, cast.sam.id, 999_999])
        assert found == {cast.sam.id: "Sam Staff", cast.kim.id: "Kim Customer"}
        assert counted.total == 1

    async def test_asks_nothing_for_nobody(self, desk, statement_counter) -> None:
        with statement_counter() as counted:
            assert await desk.read(lookup.names_of, []) == {}
        assert counted.total == 0


class TestCheckVersion:
    def test_lets_the_stored_version_pass(self) -> None:
        lookup.check_version(Ticket(ticket_number="T-000001", version=3), 3)

    @pytest.mark.parametrize("version", [0, 2, 4, 999])
    def test_any_other_is_a_conflict_that_says_what_to_do(self, version: int) -> None:
        with pytest.raises(Conflict, match="T-000001 was changed after you opened this form"):
            lookup.check_version(Ticket(ticket_number="T-000001", version=3), version)
