"""People: made, edited, deactivated; their roles."""

import asyncio

import pytest

from admin_app.actor import Actor
from admin_app.errors import AlreadyExists, Conflict, InvalidInput, NotConfirmed, NotFound, PermissionDenied, StaleEdit
from admin_app.models import AuditAction, Status, Ticket, User
from admin_app.permissions import Role
from admin_app.services.operations import accounts, tickets

NEW = {"email": "Lea@Desk.example", "full_name": " Lea Customer "}


class TestCreate:
    async def test_makes_a_customer_with_the_address_in_lower_case(self, desk) -> None:
        made = await desk.run(accounts.create, desk.cast.sam, **NEW)
        stored = await desk.stored(User, made.id)
        assert (stored.email, stored.full_name, stored.role) == ("lea@desk.example", "Lea Customer", Role.CUSTOMER)
        assert (stored.is_active, stored.password_hash, stored.version) == (True, None, 1)

    async def test_writes_one_entry_without_the_password(self, desk) -> None:
        async with desk.recorded() as written:
            await desk.run(accounts.create, desk.cast.ada, **NEW, role=Role.STAFF, password_hash="hashed")
        entry = written.entry
        assert (entry.action, entry.record_label, entry.version) == (AuditAction.CREATE, "lea@desk.example", 1)
        assert entry.changes == {
            "email": [None, "lea@desk.example"],
            "full_name": [None, "Lea Customer"],
            "role": [None, "staff"],
        }
        assert (await desk.rows(User))[-1].password_hash == "hashed"

    @pytest.mark.parametrize("role", [Role.STAFF, Role.SUPERVISOR, Role.OPS, Role.ADMIN])
    @pytest.mark.parametrize("name", ["sam", "sue"])
    async def test_staff_and_supervisors_make_only_customers(self, desk, name: str, role: Role) -> None:
        await desk.refusal(PermissionDenied, accounts.create, getattr(desk.cast, name), **NEW, role=role)

    @pytest.mark.parametrize("taken", ["kim@desk.example", " KIM@DESK.EXAMPLE "])
    async def test_an_address_that_is_taken_is_refused_in_any_case_of_letters(self, desk, taken: str) -> None:
        form = {**NEW, "email": taken}
        error = await desk.refusal(AlreadyExists, accounts.create, desk.cast.sam, **form)
        assert error.fields == {"email": "kim@desk.example is taken already."}

    async def test_of_two_who_take_one_address_at_once_one_is_told(self, desk) -> None:
        ends = await asyncio.gather(
            *(desk.run(accounts.create, desk.cast.sam, **NEW) for _ in range(2)), return_exceptions=True
        )
        [lost] = [end for end in ends if not isinstance(end, User)]
        assert type(lost) is AlreadyExists
        assert set(lost.fields) == {"email"}
        assert len(await desk.rows(User)) == len(desk.cast.users) + 1

    @pytest.mark.parametrize(
        "email", ["", "lea", "@desk.example", "lea@", "lea@desk", "lea@.", "lea @desk.example", "x" * 250 + "@d.ex"]
    )
    async def test_says_at_the_field_that_an_address_is_none(self, desk, email: str) -> None:
        error = await desk.refusal(InvalidInput, accounts.create, desk.cast.sam, email=email, full_name="Lea")
        assert set(error.fields) == {"email"}

    @pytest.mark.parametrize("full_name", ["", "  ", "x" * 201, "Le\x00a"])
    async def test_says_at_the_field_that_a_name_is_none(self, desk, full_name: str) -> None:
        form = {**NEW, "full_name": full_name}
        error = await desk.refusal(InvalidInput, accounts.create, desk.cast.sam, **form)
        assert set(error.fields) == {"full_name"}


class TestEdit:
    async def test_changes_what_was_typed_and_writes_one_entry(self, desk) -> None:
        kim = desk.cast.kim.id
        changes = {"full_name": " Kim Kundig ", "email": "Kim.Kundig@desk.example", "timezone": "Europe/Zurich"}
        assert set(changes) == set(accounts.EDITABLE_FIELDS)
        async with desk.recorded() as written:
            await desk.run(accounts.edit, desk.cast.sam, kim, changes, version=1)
        stored = await desk.stored(User, kim)
        assert (stored.full_name, stored.email) == ("Kim Kundig", "kim.kundig@desk.example")
        assert (stored.timezone, stored.version) == ("Europe/Zurich", 2)
        entry = written.entry
        assert (entry.action, entry.version, entry.record_id) == (AuditAction.EDIT, 2, kim)
        assert entry.changes["email"] == ["kim@desk.example", "kim.kundig@desk.example"]

    async def test_saving_without_a_change_writes_nothing(self, desk) -> None:
        changes = {"full_name": "Kim Customer", "email": "KIM@desk.example", "timezone": "UTC"}
        async with desk.nothing_written():
            await desk.run(accounts.edit, desk.cast.sam, desk.cast.kim.id, changes, version=1)

    @pytest.mark.parametrize("name", ["sam", "sid", "sue", "olaf", "ada"])
    async def test_staff_and_supervisors_may_not_edit_the_desk_not_even_themselves(self, desk, name: str) -> None:
        target = desk.cast.users[name]
        for actor in (desk.cast.sam, desk.cast.sue):
            changes = {"full_name": "Mine"}
            await desk.refusal(PermissionDenied, accounts.edit, actor, target, changes, version=1)

    async def test_an_admin_edits_the_desk(self, desk) -> None:
        await desk.run(accounts.edit, desk.cast.ada, desk.cast.sam.id, {"full_name": "Sam Smith"}, version=1)
        assert (await desk.stored(User, desk.cast.sam.id)).full_name == "Sam Smith"

    async def test_an_address_to_sign_in_with_needs_a_proof(self, desk) -> None:
        changes, sam = {"email": "sam.smith@desk.example"}, desk.cast.sam.id
        await desk.refusal(NotConfirmed, accounts.edit, desk.cast.ada, sam, changes, version=1)
        await desk.run(accounts.edit, desk.cast.ada, sam, changes, version=1, is_confirmed=True)
        assert (await desk.stored(User, sam)).email == "sam.smith@desk.example"

    async def test_an_address_that_is_taken_is_refused(self, desk) -> None:
        changes = {"email": "MALLORY@desk.example"}
        error = await desk.refusal(AlreadyExists, accounts.edit, desk.cast.sam, desk.cast.kim.id, changes, version=1)
        assert set(error.fields) == {"email"}

    @pytest.mark.parametrize("field", ["role", "is_active", "password_hash", "version", "manager_id", "nonsense"])
    async def test_no_other_field_can_be_slipped_in(self, desk, field: str) -> None:
        changes = {"full_name": "Kim Kundig", field: "admin"}
        error = await desk.refusal(InvalidInput, accounts.edit, desk.cast.ada, desk.cast.kim.id, changes, version=1)
        assert error.fields == {field: "This cannot be edited here."}

    @pytest.mark.parametrize(
        "changes",
        [{"email": "kim"}, {"email": ""}, {"full_name": " "}, {"timezone": "Mars/Base"}, {"timezone": "../../x"}],
    )
    async def test_says_at_the_field_what_is_wrong(self, desk, changes: dict[str, str]) -> None:
        error = await desk.refusal(InvalidInput, accounts.edit, desk.cast.sam, desk.cast.kim.id, changes, version=1)
        assert set(error.fields) == set(changes)

    @pytest.mark.parametrize("version", [0, 2, 999])
    async def test_another_version_is_stale(self, desk, version: int) -> None:
        changes = {"full_name": "Kim Kundig"}
        await desk.refusal(StaleEdit, accounts.edit, desk.cast.sam, desk.cast.kim.id, changes, version=version)

    async def test_somebody_missing_is_not_found(self, desk) -> None:
        await desk.refusal(NotFound, accounts.edit, desk.cast.ada, 999_999, {"full_name": "Who"}, version=1)


class TestChangeRole:
    async def test_gives_another_role_and_writes_one_entry(self, desk) -> None:
        async with desk.recorded() as written:
            await desk.run(accounts.change_role, desk.cast.ada, desk.cast.sam.id, role=Role.SUPERVISOR)
        assert (await desk.stored(User, desk.cast.sam.id)).role is Role.SUPERVISOR
        entry = written.entry
        assert (entry.action, entry.version) == (AuditAction.CHANGE_ROLE, 2)
        assert entry.changes == {"role": ["staff", "supervisor"]}

    async def test_nobody_changes_their_own(self, desk) -> None:
        await desk.refusal(Conflict, accounts.change_role, desk.cast.ada, desk.cast.ada.id, role=Role.STAFF)

    async def test_the_same_role_is_refused_at_the_field(self, desk) -> None:
        error = await desk.refusal(InvalidInput, accounts.change_role, desk.cast.ada, desk.cast.sam.id, role=Role.STAFF)
        assert error.fields == {"role": "Sam Staff has this role already."}

    @pytest.mark.parametrize("role", [Role.CUSTOMER, Role.OPS])
    async def test_somebody_with_open_tickets_keeps_a_role_that_can_own_them(self, desk, role: Role) -> None:
        await desk.ticket(owner="sam@desk.example")
        error = await desk.refusal(Conflict, accounts.change_role, desk.cast.ada, desk.cast.sam.id, role=role)
        assert str(error) == "Sam Staff still owns 1 open tickets. Hand them over first."
        await desk.run(accounts.change_role, desk.cast.ada, desk.cast.sam.id, role=Role.ADMIN)

    async def test_somebody_without_open_tickets_may_get_any_role(self, desk) -> None:
        await desk.run(accounts.change_role, desk.cast.ada, desk.cast.sam.id, role=Role.OPS)
        assert (await desk.stored(User, desk.cast.sam.id)).role is Role.OPS


class TestDeactivate:
    async def test_keeps_a_person_out_and_writes_one_entry(self, desk) -> None:
        async with desk.recorded() as written:
            await desk.run(accounts.deactivate, desk.cast.sue, desk.cast.sam.id, reason=" left ")
        stored = await desk.stored(User, desk.cast.sam.id)
        assert (stored.is_active, stored.version) == (False, 2)
        entry = written.entry
        assert (entry.action, entry.reason, entry.version) == (AuditAction.DEACTIVATE, "left", 2)
        assert entry.changes == {"is_active": [True, False]}

    async def test_nobody_deactivates_themselves(self, desk) -> None:
        await desk.refusal(PermissionDenied, accounts.deactivate, desk.cast.sue, desk.cast.sue.id, reason="tired")

    async def test_only_an_admin_deactivates_an_admin(self, desk) -> None:
        await desk.refusal(PermissionDenied, accounts.deactivate, desk.cast.sue, desk.cast.ada.id, reason="coup")
        other = await desk.run(accounts.create, desk.cast.ada, **NEW, role=Role.ADMIN)
        await desk.run(accounts.deactivate, desk.cast.ada, other.id, reason="left")

    async def test_a_second_time_is_a_conflict(self, desk) -> None:
        await desk.run(accounts.deactivate, desk.cast.sue, desk.cast.sam.id, reason="left")
        await desk.refusal(Conflict, accounts.deactivate, desk.cast.sue, desk.cast.sam.id, reason="left")

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    async def test_needs_a_reason_that_fits(self, desk, reason: str) -> None:
        error = await desk.refusal(InvalidInput, accounts.deactivate, desk.cast.sue, desk.cast.sam.id, reason=reason)
        assert set(error.fields) == {"reason"}

    async def test_somebody_with_open_tickets_has_to_hand_them_over_first(self, desk) -> None:
        for _ in range(2):
            await desk.ticket(owner="sam@desk.example")
        error = await desk.refusal(Conflict, accounts.deactivate, desk.cast.sue, desk.cast.sam.id, reason="left")
        assert str(error) == "Sam Staff still owns 2 open tickets. Hand them over first."

    async def test_tickets_that_ended_or_were_deleted_hold_nobody_back(self, desk) -> None:
        await desk.deleted_ticket(owner="sam@desk.example")
        for status in (Status.RESOLVED, Status.CLOSED):
            ended = await desk.ticket(owner="sam@desk.example")
            await desk.run(tickets.edit, desk.cast.sam, ended.id, {"status": status, "resolution": "done"}, version=1)
        await desk.run(accounts.deactivate, desk.cast.sue, desk.cast.sam.id, reason="left")
        assert {ticket.owner_id for ticket in await desk.rows(Ticket)} == {desk.cast.sam.id}


class TestReactivate:
    async def test_lets_a_person_back_in_and_writes_one_entry(self, desk) -> None:
        await desk.set(User, desk.cast.sam.id, is_active=False)
        async with desk.recorded() as written:
            await desk.run(accounts.reactivate, desk.cast.sue, desk.cast.sam.id)
        assert (await desk.stored(User, desk.cast.sam.id)).is_active
        assert written.entry.action is AuditAction.REACTIVATE
        assert written.entry.changes == {"is_active": [False, True]}

    async def test_somebody_active_is_a_conflict(self, desk) -> None:
        await desk.refusal(Conflict, accounts.reactivate, desk.cast.sue, desk.cast.sam.id)

    async def test_an_admin_is_let_back_in_by_an_admin_only(self, desk) -> None:
        sid = desk.cast.sid.id
        await desk.set(User, sid, role=Role.ADMIN, is_active=False)
        await desk.refusal(PermissionDenied, accounts.reactivate, desk.cast.sue, sid)
        await desk.run(accounts.reactivate, desk.cast.ada, sid)
        assert (await desk.stored(User, sid)).is_active


class TestCanEdit:
    @pytest.mark.parametrize("role", Role)
    def test_customers_by_the_desk_and_the_desk_by_admins(self, role: Role) -> None:
        who = {each: Actor(id=1, name="Somebody", role=each) for each in Role}
        may = {each.value for each, actor in who.items() if accounts.can_edit(actor, User(role=role))}
        assert may == ({"staff", "supervisor", "admin"} if role is Role.CUSTOMER else {"admin"})
