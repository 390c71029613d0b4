"""Who did what, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from admin_app.actor import ActorKind, command_line_actor
from admin_app.errors import Conflict
from admin_app.models import AuditAction, AuditLog, AuditMember, Priority, Status, Tag, Ticket, User
from admin_app.services.records import audit


async def fail_after_recording(session, actor, ticket_id: int) -> None:
    ticket = await session.get_one(Ticket, ticket_id)
    ticket.title = "Changed"
    await audit.record(session, actor, AuditAction.EDIT, ticket)
    raise RuntimeError("the audit entry must not outlive its change")


class TestRecord:
    async def test_keeps_who_did_it_as_they_were_then_and_from_where(self, desk, stopped_clock) -> None:
        actor = replace(desk.cast.sue, request_id="r-17", ip="192.0.2.7")
        async with desk.recorded() as written:
            await desk.ticket(actor)
        entry = written.entry
        assert (entry.actor_id, entry.actor_name, entry.actor_role) == (actor.id, "Sue Supervisor", "supervisor")
        assert (entry.actor_kind, entry.request_id, entry.ip) == (ActorKind.USER, "r-17", "192.0.2.7")
        assert entry.occurred_at == stopped_clock.time

    async def test_the_command_line_has_no_id_but_a_kind(self, desk) -> None:
        async with desk.recorded() as written:
            await desk.ticket(command_line_actor())
        assert (written.entry.actor_id, written.entry.actor_kind) == (None, ActorKind.CLI)

    async def test_names_the_record_and_the_version_that_the_change_made(self, desk) -> None:
        ticket = await desk.ticket()

        async def rename(session) -> None:
            found = await session.get_one(Ticket, ticket.id)
            found.title = "Printer still on fire"
            await audit.record(session, desk.cast.sam, AuditAction.EDIT, found, reason="typo", batch_id="b-1")

        async with desk.recorded() as written:
            await desk.database.run(rename)
        entry = written.entry
        assert (entry.table_name, entry.record_id, entry.record_label) == ("tickets", ticket.id, ticket.ticket_number)
        assert (entry.version, entry.reason, entry.batch_id) == (2, "typo", "b-1")
        assert entry.changes == {"title": ["Printer on fire", "Printer still on fire"]}

    async def test_an_entry_goes_with_the_change_that_failed(self, desk) -> None:
        ticket = await desk.ticket()
        await desk.refusal(RuntimeError, fail_after_recording, desk.cast.sam, ticket.id)


SUBJECTS = [
    audit.Subject("tickets", 7, "T-000007", {"title": [None, "Printer"]}, 1),
    audit.Subject("tickets", 8, "T-" + "8" * 999, {}),
]


class TestRecordMany:
    async def test_appends_an_entry_per_subject_in_one_statement(self, desk, statement_counter) -> None:
        actor = replace(desk.cast.sue, request_id="r-17", ip="192.0.2.7")
        async with desk.recorded() as written:
            with statement_counter() as counted:
                await desk.run(audit.record_many, actor, AuditAction.IMPORT, SUBJECTS, batch_id="b-1")
        assert counted.total == 1
        assert [(entry.record_id, entry.version) for entry in written.audit] == [(7, 1), (8, None)]
        assert [len(entry.record_label) for entry in written.audit] == [8, 254]
        assert {entry.batch_id for entry in written.audit} == {"b-1"}
        assert {(entry.actor_id, entry.ip, entry.request_id) for entry in written.audit} == {
            (actor.id, "192.0.2.7", "r-17")
        }
        assert written.audit[0].changes == {"title": [None, "Printer"]}

    async def test_nothing_to_record_is_no_statement(self, desk, statement_counter) -> None:
        with statement_counter() as counted:
            await desk.run(audit.record_many, desk.cast.sue, AuditAction.IMPORT, [])
        assert counted.total == 0


class TestRecordBatch:
    async def test_one_entry_names_the_batch_and_its_members_say_what_it_did_to_each(self, desk) -> None:
        async def close_both(session) -> None:
            batch = audit.Subject("tickets", None, "2 tickets", {"status": [None, "closed"]})
            entry = await audit.record_batch(
                session, desk.cast.sue, AuditAction.CLOSE, batch, batch_id="b-1", reason="outage is over"
            )
            await audit.record_members(session, entry, SUBJECTS)

        async with desk.recorded() as written:
            await desk.run(close_both)
        entry = written.entry
        assert (entry.action, entry.record_id, entry.record_label) == (AuditAction.CLOSE, None, "2 tickets")
        assert (entry.batch_id, entry.reason) == ("b-1", "outage is over")
        members = await desk.rows(AuditMember)
        assert [(member.audit_log_id, member.record_id, member.version) for member in members] == [
            (entry.id, 7, 1),
            (entry.id, 8, None),
        ]
        assert [member.changes for member in members] == [{"title": [None, "Printer"]}, {}]


class TestCreatedChanges:
    def test_says_of_columns_what_pending_changes_says_of_a_record(self) -> None:
        columns = {"title": "Printer", "status": Status.NEW, "owner_id": None, "version": 1}
        assert audit.created_changes(columns) == {"title": [None, "Printer"], "status": [None, "new"]}
        assert audit.created_changes(columns) == audit.pending_changes(Ticket(**columns))


class TestAppendOnly:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_logs SET reason = 'never happened'",
            "DELETE FROM audit_logs",
            "DELETE FROM audit_logs WHERE id = (SELECT max(id) FROM audit_logs)",
            "UPDATE audit_members SET changes = '{}'",
            "DELETE FROM audit_members",
        ],
    )
    async def test_the_database_refuses_to_change_or_remove_an_entry(self, desk, statement: str) -> None:
        await desk.ticket()
        [entry] = await desk.rows(AuditLog)
        await desk.run(audit.record_members, entry, SUBJECTS)
        async with desk.nothing_written(), desk.database.engines.write.connect() as connection:
            with pytest.raises(DBAPIError, match="append-only"):
                await connection.execute(text(statement))

    async def test_a_service_that_tried_would_fail(self, desk) -> None:
        await desk.ticket()
        async with desk.nothing_written():
            with pytest.raises((Conflict, DBAPIError)):
                await desk.database.run(lambda session: session.execute(update(AuditLog).values(actor_name="Nobody")))


class TestRefuse:
    async def test_writes_down_what_somebody_tried(self, desk) -> None:
        async with desk.recorded() as written:
            await desk.run(audit.refuse, desk.cast.olaf, "POST /admin/ticket/delete", "ticket:delete")
        entry = written.entry
        assert (entry.action, entry.actor_name) == (AuditAction.REFUSED, "Olaf Ops")
        assert (entry.record_label, entry.reason) == ("POST /admin/ticket/delete", "ticket:delete")
        assert (entry.table_name, entry.record_id, entry.changes) == ("", None, {})

    async def test_an_address_that_somebody_made_up_fits_too(self, desk) -> None:
        async with desk.recorded() as written:
            await desk.run(audit.refuse, desk.cast.mallory, "GET /\x00" + "x" * 999, "no \x00" + "y" * 999)
        assert (len(written.entry.record_label), len(written.entry.reason)) == (254, 500)
        assert written.entry.record_label.startswith("GET /xxx")


class TestPendingChanges:
    def test_a_new_record_shows_what_it_starts_with(self) -> None:
        assert audit.pending_changes(Tag(name="toner")) == {"name": [None, "toner"]}

    def test_hashes_and_housekeeping_are_never_written_down(self) -> None:
        user = User(id=5, email="a@b.example", full_name="A", password_hash="secret", version=3)
        assert set(audit.pending_changes(user)) == {"email", "full_name"}

    async def test_a_stored_record_shows_only_what_people_changed(self, desk, stopped_clock) -> None:
        ticket = await desk.ticket()

        async def look(session):
            found = await session.get_one(Ticket, ticket.id)
            found.priority = Priority.HIGH
            found.category = found.category
            found.resolved_at = stopped_clock.time
            return audit.pending_changes(found)

        assert await desk.database.run(look) == {"priority": [2, 3]}

    async def test_a_value_set_and_set_back_is_no_change(self, desk) -> None:
        ticket = await desk.ticket()

        async def look(session):
            found = await session.get_one(Ticket, ticket.id)
            found.title = "Something else"
            found.title = "Printer on fire"
            return audit.pending_changes(found)

        assert await desk.database.run(look) == {}


class TestPlain:
    @pytest.mark.parametrize("value", [None, "text", 7, 1.5, True])
    def test_json_types_stay_as_they_are(self, value: object) -> None:
        assert audit.plain(value) is value

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (Status.ON_HOLD, "on_hold"),
            (Priority.HIGH, 3),
            (datetime(2030, 1, 2, 3, 4, tzinfo=UTC), "2030-01-02T03:04:00+00:00"),
            (b"bytes", "b'bytes'"),
        ],
    )
    def test_everything_else_becomes_one(self, value: object, expected: object) -> None:
        assert audit.plain(value) == expected
        assert type(audit.plain(value)) is type(expected)

    def test_one_moment_reads_the_same_whatever_its_time_zone(self) -> None:
        noon = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)
        assert audit.plain(noon.astimezone(timezone(timedelta(hours=9)))) == audit.plain(noon)


class TestLabelOf:
    @pytest.mark.parametrize(
        ("subject", "expected"),
        [
            (Ticket(ticket_number="T-000007", title="Printer"), "T-000007"),
            (User(email="kim@desk.example", full_name="Kim"), "kim@desk.example"),
            (Tag(name="toner"), "toner"),
            (AuditLog(), ""),
        ],
    )
    def test_is_what_people_call_it(self, subject, expected: str) -> None:
        assert audit.label_of(subject) == expected

    def test_fits_its_column(self) -> None:
        assert len(audit.label_of(Tag(name="x" * 999))) == 254
