"""The published data set that the desk is measured with, twice, on both databases."""

import os
from collections import Counter
from pathlib import Path

import pytest

from admin_app.models import AuditLog, Channel, Status, Ticket, User
from admin_app.permissions import Role
from admin_app.services.batches.csv_import import mapping
from tests.services.batches.csv_files import import_bytes
from tests.services.scenes import Desk

PROJECT_ROOT = Path(__file__).resolve().parents[4]
BESIDE = PROJECT_ROOT.parent / "shared" / "data" / "customer_support_tickets.csv"
MAPPING = PROJECT_ROOT / "config" / "import-customer-support-tickets.toml"


@pytest.fixture
def shared_csv() -> Path:
    """The file beside the project, or the one that SHARED_CSV names; a clone without it skips and says so."""
    named = os.environ.get("SHARED_CSV")
    if named:
        assert Path(named).is_file(), f"SHARED_CSV names {named}, which is no file"
        return Path(named)
    if not BESIDE.is_file():
        pytest.skip("customer_support_tickets.csv is not in ../shared/data; set SHARED_CSV to where it is")
    return BESIDE


class TestTheRealFile:
    async def test_every_row_comes_in_once(self, desk: Desk, shared_csv: Path) -> None:
        by, content = mapping.load(MAPPING), shared_csv.read_bytes()
        first, rejections = await import_bytes(desk, content, by=by)
        assert rejections == []
        assert (first.total, first.imported, first.known, first.customers) == (8469, 8469, 0, 8320)
        second, _ = await import_bytes(desk, content, by=by)
        assert (second.total, second.imported, second.known, second.rejected) == (8469, 0, 8469, 0)

        tickets, people, log = await desk.rows(Ticket), await desk.rows(User), await desk.rows(AuditLog)
        assert Counter(ticket.status for ticket in tickets) == {
            Status.PENDING: 2881,
            Status.OPEN: 2819,
            Status.CLOSED: 2769,
        }
        assert Counter(ticket.channel for ticket in tickets)[Channel.SOCIAL] == 2121
        assert sum(1 for ticket in tickets if ticket.resolution) == 2769
        assert len({ticket.external_key for ticket in tickets}) == len({t.ticket_number for t in tickets}) == 8469
        assert sum(1 for person in people if person.role is Role.CUSTOMER) - 2 == 8320
        backwards = [t for t in tickets if t.resolved_at is not None and t.resolved_at < t.first_response_at]
        assert len(backwards) == 1365
        assert all(ticket.created_at == ticket.resolved_at for ticket in backwards)
        assert any("{product_purchased}" in ticket.description for ticket in tickets)
        assert len([entry for entry in log if entry.table_name == "tickets" and entry.record_id]) == 8469
