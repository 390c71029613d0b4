"""Reading the audit log."""

from datetime import timedelta

import pytest

from admin_app.errors import NotFound, PermissionDenied
from admin_app.models import AuditAction, AuditLog, Priority, User
from admin_app.permissions import Role
from admin_app.services.operations import accounts, tickets
from admin_app.services.pages import audit_list
from admin_app.services.pages.audit_list import AuditFilter
from admin_app.services.records import audit, listing


async def shown(desk, **wanted) -> list[str]:
    """Actions on the first page, the newest first."""
    page, entries = await desk.read(
        audit_list.page, desk.cast.sue, AuditFilter(**wanted), request=listing.PageRequest()
    )
    assert [entry.log for entry in entries] == list(page.rows)
    assert page.count == len(page.rows)
    return [entry.action.value for entry in page.rows]


@pytest.fixture
async def story(desk, stopped_clock):
    """Sam opens a ticket, Sid makes it urgent an hour later, Sue deletes it, Ada renames Kim; an hour between each."""
    cast = desk.cast
    ticket = await desk.ticket()
    stopped_clock.forward(hours=1)
    await desk.run(tickets.edit, cast.sid, ticket.id, {"priority": Priority.HIGH}, version=1)
    stopped_clock.forward(hours=1)
    await desk.run(tickets.delete, cast.sue, ticket.id, reason='says "title": [ in it', version=2)
    stopped_clock.forward(hours=1)
    await desk.run(accounts.edit, cast.ada, cast.kim.id, {"full_name": "Kim Kundig"}, version=1)
    return ticket


class TestPage:
    async def test_shows_the_newest_first(self, desk, story) -> None:
        assert await shown(desk) == ["EDIT", "DELETE", "EDIT", "CREATE"]

    @pytest.mark.parametrize("actor", ["sid@desk.example", "Sid <SID@desk.example>", "sid st", "SID STAFF"])
    async def test_by_actor_by_address_or_part_of_the_name(self, desk, story, actor: str) -> None:
        assert await shown(desk, actor=actor) == ["EDIT"]

    async def test_by_the_name_that_the_actor_had_then(self, desk, story) -> None:
        await desk.set(User, desk.cast.sid.id, full_name="Sid Smith")
        assert await shown(desk, actor="Sid Staff") == ["EDIT"]
        assert await shown(desk, actor="Sid Smith") == []

    @pytest.mark.parametrize("actor", ["%", "_", "who@desk.example", "\x00%"])
    async def test_wildcards_are_plain_text(self, desk, story, actor: str) -> None:
        assert await shown(desk, actor=actor) == []

    async def test_by_action(self, desk, story) -> None:
        assert await shown(desk, action=AuditAction.DELETE) == ["DELETE"]

    async def test_by_record_a_ticket_number_or_an_address_in_any_case(self, desk, story) -> None:
        assert await shown(desk, record=f" {story.ticket_number.lower()} ") == ["DELETE", "EDIT", "CREATE"]
        assert await shown(desk, record="KIM@desk.example") == ["EDIT"]

    async def test_by_table(self, desk, story) -> None:
        assert await shown(desk, table_name="users") == ["EDIT"]

    @pytest.mark.parametrize(
        ("field", "expected"),
        [
            ("priority", ["EDIT", "CREATE"]),
            ("full_name", ["EDIT"]),
            ("title", ["CREATE"]),
            ("delete_reason", ["DELETE"]),
            ("deleteXreason", []),
            ("name", []),
            ("%", []),
        ],
    )
    async def test_by_field_that_changed(self, desk, story, field: str, expected: list[str]) -> None:
        assert await shown(desk, field=field) == expected

    async def test_by_time_from_and_before(self, desk, story, stopped_clock) -> None:
        end = stopped_clock.time
        hour = timedelta(hours=1)
        assert await shown(desk, occurred_from=end - hour) == ["EDIT", "DELETE"]
        assert await shown(desk, occurred_before=end - 2 * hour) == ["CREATE"]
        assert await shown(desk, occurred_from=end - 2 * hour, occurred_before=end - hour) == ["EDIT"]

    async def test_by_batch(self, desk, story) -> None:
        [deletion] = [entry for entry in await desk.rows(AuditLog) if entry.batch_id]
        assert await shown(desk, batch_id=deletion.batch_id) == ["DELETE"]

    @pytest.mark.parametrize("name", ["actor", "record", "table_name", "field", "batch_id"])
    async def test_a_character_that_cannot_be_stored_finds_nothing(self, desk, story, name: str) -> None:
        assert await shown(desk, **{name: "\x00 nothing has this"}) == []

    async def test_conditions_narrow_each_other(self, desk, story) -> None:
        assert await shown(desk, action=AuditAction.EDIT, actor="ada@desk.example") == ["EDIT"]
        assert await shown(desk, action=AuditAction.CREATE, actor="ada@desk.example") == []

    async def test_sends_three_statements_however_many_names_there_are(self, desk, story, statement_counter) -> None:
        with statement_counter() as counted:
            await shown(desk)
        assert counted.total == 3


@pytest.fixture
async def batch(desk) -> AuditLog:
    """The entry of a batch that gave three tickets to Sid."""
    sid = desk.cast.sid.id
    members = [
        audit.Subject("tickets", number, f"T-00000{number}", {"owner_id": [None, sid]}, 2) for number in (1, 2, 3)
    ]

    async def record(session) -> AuditLog:
        subject = audit.Subject("tickets", None, "3 tickets", {"owner_id": [None, sid]})
        action = AuditAction.TRANSFER_OWNERSHIP
        entry = await audit.record_batch(session, desk.cast.sue, action, subject, batch_id="b-1")
        await audit.record_members(session, entry, members)
        return entry

    return await desk.run(record)


class TestMembersOf:
    async def test_says_what_the_batch_did_to_each_in_peoples_words(self, desk, batch) -> None:
        members, count = await desk.read(audit_list.members_of, desk.cast.sue, batch.id)
        assert count == 3
        assert [(member.log.id, member.changes[0].new) for member in members] == [(batch.id, "Sid Staff")] * 3

    async def test_shows_the_first_and_counts_all(self, desk, batch, monkeypatch) -> None:
        monkeypatch.setattr(audit_list, "SHOWN_MEMBERS", 2)
        members, count = await desk.read(audit_list.members_of, desk.cast.sue, batch.id)
        assert (len(members), count) == (2, 3)

    async def test_an_entry_that_is_no_batch_has_none(self, desk) -> None:
        await desk.ticket()
        [entry] = await desk.rows(AuditLog)
        assert await desk.read(audit_list.members_of, desk.cast.sue, entry.id) == ([], 0)

    async def test_a_ticket_number_finds_the_batches_it_was_in(self, desk, batch) -> None:
        assert await shown(desk, record="t-000002") == ["TRANSFER_OWNERSHIP"]
        assert await shown(desk, record="t-000004") == []

    async def test_is_refused_to_those_who_may_not_see_it(self, desk, batch) -> None:
        await desk.refusal(PermissionDenied, audit_list.members_of, desk.cast.sam, batch.id)


class TestFind:
    async def test_gives_one_entry_in_peoples_words(self, desk, story) -> None:
        edit = (await desk.rows(AuditLog))[1]
        entry = await desk.read(audit_list.find, desk.cast.sue, edit.id)
        assert (entry.log.id, [(change.old, change.new) for change in entry.changes]) == (
            edit.id,
            [("Medium", "High")],
        )

    @pytest.mark.parametrize("number", [0, -1, 999_999, 2**31, 2**70])
    async def test_a_number_that_nothing_has_is_not_found(self, desk, number: int) -> None:
        await desk.refusal(NotFound, audit_list.find, desk.cast.sue, number)

    @pytest.mark.parametrize("role", [Role.CUSTOMER, Role.STAFF, Role.OPS])
    async def test_is_not_found_by_those_who_may_not_see_it(self, desk, story, role: Role) -> None:
        entry = (await desk.rows(AuditLog))[0]
        await desk.refusal(NotFound, audit_list.find, desk.as_role(role), entry.id)
