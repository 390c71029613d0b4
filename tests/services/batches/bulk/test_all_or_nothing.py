"""R-03: one missing, one deleted, one stale, one forbidden, one doubled id; all or nothing, and true counts."""

import pytest

from admin_app.errors import Conflict
from admin_app.models import AuditLog, AuditMember, BatchKind, Priority, Status, Ticket
from admin_app.services.batches.bulk import apply, preview, writing
from admin_app.services.operations import tickets
from tests.services.batches.bulk.scenes import applied, many_tickets, previewed

MISSING = 4_711


@pytest.fixture
async def mixed(desk) -> dict[str, int]:
    """Nine tickets: five that can be closed, one in the trash, one closed already, one that will be edited."""
    ids = await many_tickets(desk, 8)
    await desk.run(tickets.delete, desk.cast.sue, ids[5], reason="a double", version=1)
    await desk.run(tickets.close, desk.cast.sue, ids[6], resolution="Done.", version=1)
    return {"good": ids[:5], "deleted": ids[5], "forbidden": ids[6], "stale": ids[7]}


def everything(mixed) -> list[int]:
    good = mixed["good"]
    return [*good, good[0], mixed["deleted"], mixed["forbidden"], mixed["stale"], MISSING, good[0]]


async def edited(desk, ticket_id: int) -> None:
    await desk.run(tickets.edit, desk.cast.sam, ticket_id, {"priority": Priority.LOW}, version=1)


class TestPreview:
    async def test_counts_doubled_ids_once_and_names_each_refusal(self, desk, mixed) -> None:
        batch = await previewed(desk, BatchKind.CLOSE, everything(mixed))
        assert [number for number, _ in batch.plan] == [*mixed["good"], mixed["stale"]]
        assert batch.refused == [
            [mixed["deleted"], "M-000006", "It is in the trash."],
            [mixed["forbidden"], "M-000007", "It is closed already."],
            [MISSING, "Number 4711", "There is no such ticket."],
        ]
        assert (batch.planned_count, batch.refused_count) == (6, 3)


class TestApply:
    async def test_one_stale_row_stops_all_and_the_rest_goes_through_afterwards(self, desk, mixed, capsys) -> None:
        batch = await previewed(desk, BatchKind.CLOSE, everything(mixed))
        await edited(desk, mixed["stale"])
        error = await desk.refusal(Conflict, apply.apply, desk.cast.sue, batch.batch_id)
        assert str(error) == ("Nothing was changed. M-000008: It was changed since the preview. Preview it again.")
        again = await desk.run(preview.preview_again, desk.cast.sue, batch.batch_id)
        assert (again.planned_count, again.refused_count) == (6, 0)
        done = await applied(desk, again)
        closed = {row.id for row in await desk.rows(Ticket) if row.status is Status.CLOSED}
        assert closed == {*mixed["good"], mixed["stale"], mixed["forbidden"]}
        members = [member.record_id for member in await desk.rows(AuditMember)]
        with capsys.disabled():
            print(
                f"\nR-03 {desk.database.engines.dialect}: of {len(everything(mixed))} chosen acked 0, refused all; "
                f"previewed again acked {done.planned_count}, refused {done.refused_count}, unknown 0, "
                f"stored {len(members)}"
            )
        assert len(members) == done.planned_count == len(set(members)) == len(closed) - 1

    async def test_every_kind_of_trouble_after_the_preview_stops_all(self, desk) -> None:
        ids = await many_tickets(desk, 8)
        batch = await previewed(desk, BatchKind.CLOSE, ids)
        sue = desk.cast.sue
        await desk.run(tickets.close, sue, ids[0], resolution="Done.", version=1)
        await edited(desk, ids[1])
        await desk.run(tickets.delete, sue, ids[2], reason="a double", version=1)
        await desk.run(tickets.delete, sue, ids[3], reason="a double", version=1)
        number = (await desk.stored(Ticket, ids[3])).ticket_number
        purged = {"typed_number": number, "store": None}
        await desk.database.run(lambda session: purge(session, desk.cast.ada, ids[3], purged))
        error = await desk.refusal(Conflict, apply.apply, sue, batch.batch_id)
        assert str(error) == (
            "Nothing was changed. M-000001: It was changed since the preview. "
            "M-000002: It was changed since the preview. M-000003: It is in the trash. "
            "Number 4: There is no such ticket. Preview it again."
        )

    async def test_more_than_five_are_counted(self, desk) -> None:
        ids = await many_tickets(desk, 8)
        batch = await previewed(desk, BatchKind.PRIORITY, ids)
        for number in ids[:7]:
            await edited(desk, number)
        error = await desk.refusal(Conflict, apply.apply, desk.cast.sue, batch.batch_id)
        assert str(error).count("It was changed") == 5
        assert "M-000006" not in str(error)
        assert str(error).endswith(" And 2 more. Preview it again.")

    async def test_a_rule_that_came_up_without_a_new_version_counts_as_well(self, desk, mixed) -> None:
        batch = await previewed(desk, BatchKind.CLOSE, mixed["good"])
        await desk.set(Ticket, mixed["good"][0], status=Status.CLOSED)
        error = await desk.refusal(Conflict, apply.apply, desk.cast.sue, batch.batch_id)
        assert "M-000001: It is closed already." in str(error)


async def purge(session, actor, ticket_id: int, options) -> None:
    from admin_app.services.blocks import purge as block
    from admin_app.services.records import lookup

    ticket = await lookup.deleted_ticket(session, actor, ticket_id, lock=True)
    await block.purge(session, actor, ticket, typed_number=options["typed_number"])


class TestTheMeasure:
    async def test_a_batch_that_ignores_versions_would_be_noticed(self, desk, monkeypatch) -> None:
        """The negative control: without the two checks the stale row is overwritten, and the counts say so."""
        ids = await many_tickets(desk, 3)
        batch = await previewed(desk, BatchKind.PRIORITY, ids)
        await edited(desk, ids[0])
        monkeypatch.setattr(apply, "_stale_or_refused", lambda *row: "")
        await applied(desk, batch)
        assert (await desk.stored(Ticket, ids[0])).priority is Priority.CRITICAL

    async def test_the_statement_itself_refuses_what_the_check_let_pass(self, desk) -> None:
        [number] = await many_tickets(desk, 1)
        edit = writing.Edit(number, version=7, values={"priority": Priority.HIGH})
        stored = await desk.stored(Ticket, number)
        error = await desk.refusal(Conflict, writing.write, [edit], now=stored.updated_at)
        assert "at the same moment" in str(error)

    async def test_an_entry_without_a_batch_is_told_from_one_with(self, desk, mixed) -> None:
        await applied(desk, await previewed(desk, BatchKind.CLOSE, mixed["good"]))
        alone = [entry for entry in await desk.rows(AuditLog) if entry.record_id is not None]
        of_batch = [entry for entry in await desk.rows(AuditLog) if entry.record_label == "5 tickets"]
        assert (len(alone), len(of_batch)) == (2, 1)
