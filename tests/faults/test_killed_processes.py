"""R-04: a process is killed in the middle of transfers; the tables agree, and nothing acknowledged is lost."""

import asyncio
import multiprocessing
import os
import random
import signal
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select

from admin_app.models import AuditAction, AuditLog, Notification, Ticket
from tests.faults import transferring
from tests.services.scenes import Desk
from tests.support import chaos

KILLS = chaos.times(100, 1000)
FIRST_SIGN_WITHIN = 20.0
LONGEST_LIFE = 0.06

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.faults.transferring"])


@dataclass(frozen=True)
class Books:
    """What the three tables say about one ticket: they must say the same."""

    versions: int
    entries: int
    told: int

    @property
    def agree(self) -> bool:
        """Each transfer is one version, one entry, and two people told (Sue did it: the old and the new owner)."""
        return self.versions == self.entries == self.told / 2


async def books(desk: Desk, ticket: Ticket) -> Books:
    """Count the transfers of a ticket in each table."""
    entries = select(func.count(AuditLog.id)).where(
        AuditLog.record_id == ticket.id, AuditLog.action == AuditAction.TRANSFER_OWNERSHIP
    )
    told = select(func.count(Notification.id)).where(
        Notification.ticket_id == ticket.id, Notification.actor_id == desk.cast.sue.id
    )
    stored = await desk.stored(Ticket, ticket.id)
    counted = [
        await desk.database.read(lambda session, s=statement: session.scalar(s)) for statement in (entries, told)
    ]
    return Books(stored.version - ticket.version, counted[0], counted[1])


async def kill_in_the_middle(desk: Desk, database_url: str, ticket: Ticket, how: str, life: float) -> int:
    """Start a process, let it transfer, kill it; how many transfers it had acknowledged."""
    reading, writing = processes.Pipe(duplex=False)
    arguments = (database_url, desk.cast.sue, ticket.id, writing, how)
    process = processes.Process(target=transferring.run, args=arguments, daemon=True)
    process.start()
    writing.close()
    assert await asyncio.to_thread(reading.poll, FIRST_SIGN_WITHIN), "the process never transferred anything"
    await asyncio.sleep(life)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    await asyncio.to_thread(process.join)
    acked = 0
    try:
        while reading.poll():
            reading.recv_bytes()
            acked += 1
    except EOFError:
        pass
    reading.close()
    return acked


class TestKilledInATransfer:
    async def test_the_tables_agree_and_nothing_acknowledged_is_lost(
        self, desk: Desk, database_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        dice = random.Random(4)
        ticket = await desk.ticket(owner="sid@desk.example")
        acked = 0
        for _ in range(KILLS):
            acked += await kill_in_the_middle(desk, database_url, ticket, "one", dice.uniform(0, LONGEST_LIFE))
            after = await books(desk, ticket)
            assert after.agree, after
            assert after.entries >= acked, "an acknowledged transfer is gone"
        unknown = after.entries - acked
        with capsys.disabled():
            dialect = desk.database.engines.dialect
            print(f"\nR-04 {dialect}: kills {KILLS}, acked {acked}, lost 0, applied but not yet acknowledged {unknown}")
        assert unknown <= KILLS


class TestTheTestItself:
    async def test_a_change_in_two_transactions_is_found_out(self, desk: Desk, database_url: str) -> None:
        """Negative control: sooner or later a kill falls between the two."""
        dice = random.Random(4)
        for _ in range(60):
            ticket = await desk.ticket(owner="sid@desk.example")
            before = await books(desk, ticket)
            await kill_in_the_middle(desk, database_url, ticket, "two", dice.uniform(0, LONGEST_LIFE))
            after = await books(desk, ticket)
            if after.versions != after.entries - before.entries:
                return
        raise AssertionError("60 kills, and none fell between the two transactions")
