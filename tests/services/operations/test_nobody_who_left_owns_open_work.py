"""However somebody leaves, and whatever happens at the same moment: nobody who left owns open tickets."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from admin_app.db import ticket_numbers
from admin_app.errors import AppError, Conflict, InvalidInput
from admin_app.models import Status, Ticket, User
from admin_app.models.ticket import ACTIVE_STATUSES
from admin_app.permissions import OWNING_ROLES, Role
from admin_app.services.batches.csv_import.drafting import Drafter
from admin_app.services.batches.csv_import.storing import import_batch
from admin_app.services.operations import accounts, off_boarding, tickets
from admin_app.services.operations.off_boarding import Choice, Wanted
from admin_app.services.records import lookup
from tests.services.batches.csv_files import HEADER, RULES, csv_bytes, row, rules, source
from tests.services.scenes import Desk
from tests.support.chaos import times

Work = Callable[[Any], Awaitable[Any]]

LEAVE = Wanted(Choice.LEAVE)
LOOKS: dict[str, tuple[Any, str]] = {
    "transfer": (lookup, "possible_owner"),
    "open": (lookup, "possible_owner"),
    "reopen": (lookup, "can_still_own"),
    "restore": (lookup, "can_still_own"),
    "import": (ticket_numbers, "take"),
}
"""Where each of those that give somebody work has just looked whether they are here."""

ROUNDS = times(ordinarily=6, in_full=100)


async def orphans(desk: Desk) -> list[str]:
    """Open tickets whose owner is not there any more, or can own none."""
    statement = (
        select(Ticket.ticket_number)
        .join(User, User.id == Ticket.owner_id)
        .where(Ticket.status.in_(ACTIVE_STATUSES), ~User.is_active | User.role.not_in(OWNING_ROLES))
    )
    return list((await desk.database.read(lambda session: session.scalars(statement))).all())


async def off_board(desk: Desk) -> None:
    """Sue, again when somebody was faster."""
    for _ in range(20):
        plan = await desk.read(off_boarding.preview, desk.cast.sue, desk.cast.sam.id, wanted=LEAVE)
        try:
            options: dict[str, Any] = {"wanted": LEAVE, "reason": "left", "frozen": plan.frozen}
            return await desk.run(off_boarding.off_board, desk.cast.sue, desk.cast.sam.id, **options)
        except Conflict:
            continue
    raise AssertionError("somebody was faster every single time")


class TestOneAfterTheOther:
    async def test_no_service_deactivates_past_the_page(self, desk) -> None:
        await desk.ticket(owner="sam@desk.example")
        sam, cast = desk.cast.sam.id, desk.cast
        await desk.refusal(Conflict, accounts.deactivate, cast.ada, sam, reason="left")
        for role in (Role.CUSTOMER, Role.OPS):
            await desk.refusal(Conflict, accounts.change_role, cast.ada, sam, role=role)
        await desk.refusal(InvalidInput, accounts.edit, cast.ada, sam, {"is_active": False}, version=1)

    @pytest.mark.parametrize("ended_as", [Status.RESOLVED, Status.CLOSED])
    async def test_a_reopened_ticket_of_somebody_who_left_comes_back_without_an_owner(self, desk, ended_as) -> None:
        ticket = await desk.ticket(owner="sam@desk.example")
        verb = {Status.RESOLVED: tickets.resolve, Status.CLOSED: tickets.close}[ended_as]
        await desk.run(verb, desk.cast.sam, ticket.id, resolution="done", version=1)
        await off_board(desk)
        async with desk.recorded() as written:
            await desk.run(tickets.reopen, desk.cast.sue, ticket.id, reason="it is back", version=2)
        assert (await desk.stored(Ticket, ticket.id)).owner_id is None
        assert written.entry.changes["owner_id"] == [desk.cast.sam.id, None]
        assert await orphans(desk) == []

    async def test_a_reopened_ticket_of_somebody_who_is_here_keeps_its_owner(self, desk) -> None:
        ticket = await desk.ticket(owner="sam@desk.example")
        await desk.run(tickets.resolve, desk.cast.sam, ticket.id, resolution="done", version=1)
        await desk.run(tickets.reopen, desk.cast.sid, ticket.id, reason="it is back", version=2)
        assert (await desk.stored(Ticket, ticket.id)).owner_id == desk.cast.sam.id

    async def test_a_ticket_in_the_trash_asks_for_another_owner(self, desk) -> None:
        ticket = await desk.deleted_ticket(owner="sam@desk.example")
        await off_board(desk)
        error = await desk.refusal(InvalidInput, tickets.restore, desk.cast.sue, ticket.id)
        assert set(error.fields) == {"new_owner"}

    async def test_nothing_can_be_given_to_somebody_who_left(self, desk) -> None:
        ticket = await desk.ticket()
        await off_board(desk)
        options = {"new_owner": "sam@desk.example", "reason": "r", "note": "", "version": 1}
        await desk.refusal(InvalidInput, tickets.transfer, desk.cast.sue, ticket.id, **options)
        new = tickets.NewTicket("kim@desk.example", "New", owner="sam@desk.example")
        await desk.refusal(InvalidInput, tickets.open_ticket, desk.cast.sue, new)


class TestAtTheSameMoment:
    @pytest.mark.parametrize("rival", LOOKS)
    async def test_whatever_gives_somebody_work_keeps_them_from_leaving_until_it_is_in(
        self, desk, monkeypatch, rival: str
    ) -> None:
        """The off-boarding comes in when the rival has seen that Sam is here, and has written nothing yet."""
        work = await self.rivals(desk)
        has_looked = asyncio.Event()
        module, name = LOOKS[rival]
        look = getattr(module, name)

        async def look_and_pause(*args: Any, **options: Any) -> Any:
            seen = await look(*args, **options)
            has_looked.set()
            await asyncio.sleep(0.3)
            return seen

        async def leave() -> None:
            await has_looked.wait()
            await off_board(desk)

        monkeypatch.setattr(module, name, look_and_pause)
        await asyncio.gather(desk.database.run(work[rival]), leave())
        assert not (await desk.stored(User, desk.cast.sam.id)).is_active
        assert await orphans(desk) == []

    async def test_somebody_who_leaves_first_gets_nothing_any_more(self, desk) -> None:
        for _ in range(ROUNDS):
            await desk.set(User, desk.cast.sam.id, is_active=True)
            rivals = (await self.rivals(desk)).values()
            ends = await asyncio.gather(off_board(desk), *map(desk.database.run, rivals), return_exceptions=True)
            assert [end for end in ends if isinstance(end, Exception) and not isinstance(end, AppError)] == []
            assert not isinstance(ends[0], Exception), ends[0]
            assert await orphans(desk) == []

    async def rivals(self, desk: Desk) -> dict[str, Work]:
        """Everything that could give Sam an open ticket."""
        cast = desk.cast
        free, resolved = await desk.ticket(), await desk.ticket(owner="sam@desk.example")
        await desk.run(tickets.resolve, cast.sam, resolved.id, resolution="done", version=1)
        deleted = await desk.deleted_ticket(owner="sam@desk.example")
        new = tickets.NewTicket("kim@desk.example", "New", owner="sam@desk.example")
        options = {"new_owner": "sam@desk.example", "reason": "r", "note": "", "version": 1}
        columns = {**RULES["columns"], "owner": "Labels"}
        lines = source(csv_bytes([row(Id=f"{free.id}", Labels="sam@desk.example")]))
        by = Drafter(rules(columns=columns), HEADER)
        return {
            "transfer": lambda session: tickets.transfer(session, cast.sue, free.id, **options),
            "reopen": lambda session: tickets.reopen(session, cast.sue, resolved.id, reason="r", version=2),
            "restore": lambda session: tickets.restore(session, cast.sue, deleted.id),
            "open": lambda session: tickets.open_ticket(session, cast.sid, new),
            "import": lambda session: import_batch(
                session, cast.sue, list(lines.rows()), drafter=by, batch_id="b" * 32
            ),
        }
