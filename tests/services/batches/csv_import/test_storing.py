"""A batch of rows becomes tickets: good rows in, bad rows told."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from admin_app.actor import ActorKind, command_line_actor
from admin_app.errors import PermissionDenied, Unavailable
from admin_app.models import AuditAction, AuditLog, Channel, Priority, Status, Tag, Ticket, User, ticket_tags
from admin_app.permissions import Permission, Role
from admin_app.services.batches.csv_import import storing
from admin_app.services.batches.csv_import.drafting import Drafter
from admin_app.services.batches.csv_import.mapping import ImportMapping
from admin_app.services.batches.csv_import.storing import BatchOutcome, import_batch
from admin_app.services.operations import accounts
from tests.services.batches.csv_files import HEADER, RULES, csv_bytes, row, rows, rules, source
from tests.services.scenes import EVERY_ROLE, Desk

REFUSE_BAD_TITLES = {
    "sqlite": (
        "CREATE TRIGGER refuse BEFORE INSERT ON tickets WHEN NEW.title LIKE 'Bad%' "
        "BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: tickets.title'); END",
    ),
    "postgresql": ("ALTER TABLE tickets ADD CONSTRAINT ck_tickets_title CHECK (title NOT LIKE 'Bad%')",),
}


def work(lines: list[dict[str, str]], by: ImportMapping | None = None) -> dict[str, Any]:
    content = source(csv_bytes(lines))
    return {"rows": list(content.rows()), "drafter": Drafter(by or rules(), HEADER), "batch_id": "b" * 32}


async def store(
    desk: Desk, lines: list[dict[str, str]], by: ImportMapping | None = None, **options: Any
) -> BatchOutcome:
    prepared = work(lines, by)
    actor = options.pop("actor", desk.cast.sue)
    return await desk.run(import_batch, actor, prepared.pop("rows"), **prepared, **options)


async def labels(desk: Desk) -> set[tuple[int, str]]:
    names = {tag.id: tag.name for tag in await desk.rows(Tag)}
    pairs = await desk.database.read(lambda session: session.execute(ticket_tags.select()))
    return {(pair.ticket_id, names[pair.tag_id]) for pair in pairs}


class TestImportBatch:
    async def test_a_row_becomes_a_ticket_with_everything_on_it(self, desk: Desk) -> None:
        outcome = await store(desk, [row()])
        [ticket] = await desk.rows(Ticket)
        zoe = (await desk.rows(User))[-1]
        assert (zoe.email, zoe.full_name, zoe.role, zoe.password_hash) == (
            "zoe@customer.example",
            "Zoe Zapata",
            Role.CUSTOMER,
            None,
        )
        assert (ticket.ticket_number, ticket.title, ticket.description) == (
            "T-000001",
            "Lamp flickers",
            "Since Monday.",
        )
        assert (ticket.status, ticket.priority, ticket.channel) == (Status.PENDING, Priority.HIGH, Channel.EMAIL)
        assert (ticket.creator_id, ticket.owner_id, ticket.external_key, ticket.version) == (zoe.id, None, "test:1", 1)
        assert ticket.created_at == ticket.first_response_at == datetime(2024, 3, 1, 10, tzinfo=UTC)
        assert await labels(desk) == {(ticket.id, "lamps")}
        assert (outcome.imported, outcome.known, outcome.rejections) == (1, 0, [])
        assert (outcome.keys, outcome.customers) == (["test:1"], ["zoe@customer.example"])

    async def test_a_closed_row_arrives_closed(self, desk: Desk) -> None:
        await store(desk, [row(State="Done", Answer="Mended.", Ended="2024-03-02 11:00")])
        [ticket] = await desk.rows(Ticket)
        assert (ticket.status, ticket.resolution) == (Status.CLOSED, "Mended.")
        assert ticket.closed_at == ticket.resolved_at == datetime(2024, 3, 2, 11, tzinfo=UTC)

    async def test_numbers_follow_the_order_of_the_file(self, desk: Desk) -> None:
        await store(desk, rows(5))
        stored = await desk.rows(Ticket)
        assert [ticket.ticket_number for ticket in stored] == [f"T-00000{n}" for n in range(1, 6)]
        assert [ticket.external_key for ticket in stored] == [f"test:{n}" for n in range(1, 6)]

    async def test_each_ticket_and_customer_gets_an_entry_of_the_batch(self, desk: Desk) -> None:
        async with desk.recorded() as recorded:
            await store(desk, [row(), row(Id="2")], actor=command_line_actor(ActorKind.IMPORT))
        assert [(entry.action, entry.table_name, entry.record_label) for entry in recorded.audit] == [
            (AuditAction.CREATE, "users", "zoe@customer.example"),
            (AuditAction.CREATE, "tickets", "T-000001"),
            (AuditAction.CREATE, "tickets", "T-000002"),
        ]
        assert {(entry.actor_kind, entry.actor_name, entry.batch_id) for entry in recorded.audit} == {
            (ActorKind.IMPORT, "Command line", "b" * 32)
        }
        of_ticket = recorded.audit[1]
        assert of_ticket.record_id == (await desk.rows(Ticket))[0].id
        assert of_ticket.version == 1
        assert of_ticket.changes["title"] == [None, "Lamp flickers"]
        assert of_ticket.changes["priority"] == [None, 3]
        assert "owner_id" not in of_ticket.changes
        assert recorded.notifications == []

    async def test_the_entries_say_what_a_form_would_have_said(self, desk: Desk) -> None:
        """An imported ticket and one opened by hand are told apart by who made them, not by how it is written down."""
        by_hand = await desk.ticket()
        await store(desk, [row()])
        opened, imported = [e for e in await desk.rows(AuditLog) if e.table_name == "tickets"]
        assert opened.record_id == by_hand.id
        assert set(opened.changes) <= set(imported.changes)

    async def test_the_number_of_statements_does_not_grow_with_the_rows(self, desk: Desk, statement_counter) -> None:
        counts = []
        for size, name in ((3, "few"), (300, "many")):
            lines = [{**line, "Id": f"{name}{n}", "Mail": f"{name}{n}@x.example"} for n, line in enumerate(rows(size))]
            for line in lines[1::2]:
                line.update(State="Done", Answer="Mended.", Answered="")
            with statement_counter() as counted:
                await store(desk, lines)
            counts.append(counted.total)
        assert counts[1] <= counts[0]
        assert counts[0] <= 16

    @pytest.mark.parametrize("role", sorted(EVERY_ROLE))
    async def test_only_those_who_may_import(self, desk: Desk, role: Role) -> None:
        actor = desk.as_role(role)
        if actor.can(Permission.TICKET_IMPORT):
            assert (await store(desk, [row()], actor=actor)).imported == 1
        else:
            prepared = work([row()])
            await desk.refusal(PermissionDenied, import_batch, actor, prepared.pop("rows"), **prepared)


class TestKnownRows:
    async def test_a_second_time_nothing_is_added(self, desk: Desk) -> None:
        await store(desk, rows(3))
        async with desk.recorded() as recorded:
            outcome = await store(desk, rows(3))
        assert (outcome.imported, outcome.known, outcome.customers, recorded.audit) == (0, 3, [], [])
        assert len(await desk.rows(Ticket)) == 3

    async def test_a_ticket_in_the_trash_is_known_too(self, desk: Desk) -> None:
        await store(desk, [row()])
        [ticket] = await desk.rows(Ticket)
        await desk.set(Ticket, ticket.id, deleted_at=datetime(2024, 5, 1, tzinfo=UTC))
        assert (await store(desk, [row()])).known == 1

    async def test_of_two_rows_with_one_key_the_first_comes_in(self, desk: Desk) -> None:
        outcome = await store(desk, [row(Subject="First"), row(Subject="Second")])
        assert (outcome.imported, outcome.known) == (1, 1)
        assert [ticket.title for ticket in await desk.rows(Ticket)] == ["First"]

    async def test_without_a_key_every_row_is_new(self, desk: Desk) -> None:
        by = rules(external_key=None)
        await store(desk, [row(), row()], by)
        assert (await store(desk, [row()], by)).imported == 1
        assert {ticket.external_key for ticket in await desk.rows(Ticket)} == {None}

    async def test_a_key_that_another_import_took_meanwhile_is_known(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await store(desk, rows(2))

        async def not_yet(session: Any, keys: Any) -> set[str]:
            return set()

        monkeypatch.setattr(storing, "_stored_keys", not_yet)
        outcome = await store(desk, rows(4))
        assert (outcome.imported, outcome.known, outcome.rejections) == (2, 2, [])
        assert outcome.keys == ["test:3", "test:4"]


class TestPeople:
    async def test_who_is_here_keeps_name_and_role(self, desk: Desk) -> None:
        before = await desk.rows(User)
        outcome = await store(desk, [row(Mail="SUE@desk.example", Who="Susan"), row(Id="2", Mail="kim@desk.example")])
        after = await desk.rows(User)
        assert outcome.customers == []
        assert [(p.full_name, p.role, p.version) for p in after] == [(p.full_name, p.role, p.version) for p in before]
        assert [ticket.creator_id for ticket in await desk.rows(Ticket)] == [desk.cast.sue.id, desk.cast.kim.id]

    async def test_a_new_customer_is_named_as_in_the_first_row(self, desk: Desk) -> None:
        await store(desk, [row(Who="Zoe"), row(Id="2", Who="Z. Zapata")])
        assert [person.full_name for person in await desk.rows(User)][-1] == "Zoe"

    async def test_a_customer_whom_somebody_made_meanwhile_is_taken_as_they_are(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.run(accounts.create, desk.cast.sam, email="zoe@customer.example", full_name="Zoe the First")
        asked: list[Any] = []
        really = storing._people

        async def blind_at_first(session: Any, addresses: Any, **options: Any) -> Any:
            asked.append(addresses)
            return {} if len(asked) == 1 else await really(session, addresses, **options)

        monkeypatch.setattr(storing, "_people", blind_at_first)
        outcome = await store(desk, [row()])
        assert (outcome.imported, outcome.customers) == (1, [])
        assert [person.full_name for person in await desk.rows(User)][-1] == "Zoe the First"

    async def test_a_deactivated_customer_is_a_bad_row(self, desk: Desk) -> None:
        await desk.set(User, desk.cast.kim.id, is_active=False)
        outcome = await store(desk, [row(Mail="kim@desk.example"), row(Id="2")])
        assert outcome.imported == 1
        [bad] = outcome.rejections
        assert (bad.column, bad.reason) == ("Mail", "Kim Customer is deactivated.")

    async def test_an_owner_has_to_be_here_and_able_to_own(self, desk: Desk) -> None:
        await desk.set(User, desk.cast.sid.id, is_active=False)
        by = rules(columns={**RULES["columns"], "owner": "Text"})
        owners = ("sam@desk.example", "", "nobody@desk.example", "olaf@desk.example", "sid@desk.example")
        outcome = await store(desk, [row(Id=str(n), Text=owner) for n, owner in enumerate(owners)], by)
        assert [ticket.owner_id for ticket in await desk.rows(Ticket)] == [desk.cast.sam.id, None]
        assert [(bad.column, bad.reason) for bad in outcome.rejections] == [
            ("Text", "Nobody here has the address nobody@desk.example."),
            ("Text", "Olaf Ops cannot own tickets."),
            ("Text", "Sid Staff cannot own tickets."),
        ]


class TestBadRows:
    async def test_the_others_get_in(self, desk: Desk) -> None:
        lines = rows(6)
        lines[1]["State"], lines[3]["Subject"] = "Frozen", ""
        outcome = await store(desk, lines)
        assert outcome.imported == 4
        assert [(bad.row.line, bad.column) for bad in outcome.rejections] == [(3, "State"), (5, "Subject")]
        assert {"c2@customer.example", "c4@customer.example"}.isdisjoint({p.email for p in await desk.rows(User)})

    async def test_one_that_only_the_database_refuses_takes_nobody_with_it(self, desk: Desk) -> None:
        await refuse_bad_titles(desk)
        lines = rows(9)
        for position in (0, 4, 5):
            lines[position]["Subject"] = "Bad title"
        async with desk.recorded() as recorded:
            outcome = await store(desk, lines)
        assert (outcome.imported, [bad.row.line for bad in outcome.rejections]) == (6, [2, 6, 7])
        assert [bad.reason for bad in outcome.rejections] == ["This value is not allowed."] * 3
        assert len(outcome.customers) == len(await desk.rows(Ticket)) == 6
        assert len(await desk.rows(User)) == len(desk.cast.users) + 6
        assert len([entry for entry in recorded.audit if entry.table_name == "tickets"]) == 6

    async def test_a_batch_of_bad_rows_only_writes_nothing(self, desk: Desk) -> None:
        async with desk.nothing_written():
            outcome = await store(desk, rows(2, State="Frozen"))
        assert (outcome.imported, len(outcome.rejections)) == (0, 2)

    async def test_a_fault_that_is_no_rows_own_ends_the_batch(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def lost(*args: Any, **options: Any) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(storing.audit, "record_many", lost)
        prepared = work(rows(3))
        await desk.refusal(Unavailable, import_batch, desk.cast.sue, prepared.pop("rows"), **prepared)

    async def test_a_database_fault_is_not_blamed_on_the_rows(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def broken(session: Any, *args: Any, **options: Any) -> None:
            await session.execute(text("SELECT nonsense FROM nowhere"))

        monkeypatch.setattr(storing.audit, "record_many", broken)
        async with desk.nothing_written():
            with pytest.raises(Exception, match="nowhere"):
                await store(desk, rows(3))


async def refuse_bad_titles(desk: Desk) -> None:
    """A rule in the database that no other check foresees."""
    statements = REFUSE_BAD_TITLES[desk.database.engines.dialect]

    async def add(session: Any) -> None:
        for statement in statements:
            await session.execute(text(statement))

    await desk.database.run(add)
