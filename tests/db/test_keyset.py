"""Keyset order: cursors, and what they are refused for."""

import base64
import json
from datetime import UTC, datetime

import pytest

from admin_app.db.keyset import LONGEST_CURSOR, Order
from admin_app.models import Priority, Status, Ticket

NOON = datetime(2030, 1, 15, 12, 0, 0, 123456, tzinfo=UTC)
BY_TITLE = Order((Ticket.title, Ticket.id))
BY_DUE = Order((Ticket.due_at, Ticket.id), empty_last=True)
BY_STATUS = Order((Ticket.status, Ticket.priority, Ticket.id))


class TestCursor:
    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            (BY_TITLE, ('Ä "quoted" ~/?&', 7)),
            (BY_DUE, (NOON, 7)),
            (BY_STATUS, (Status.ON_HOLD, Priority.HIGH, 7)),
        ],
    )
    def test_comes_back_as_the_same_values(self, order: Order, expected: tuple) -> None:
        ticket = Ticket(id=7, title='Ä "quoted" ~/?&', due_at=NOON, status=Status.ON_HOLD, priority=Priority.HIGH)
        assert order.position(order.cursor(ticket)) == expected

    def test_fits_into_an_address_as_it_is(self) -> None:
        cursor = BY_TITLE.cursor(Ticket(id=7, title="?>~ÿ" * 50))
        assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    def test_a_longest_title_fits(self) -> None:
        ticket = Ticket(id=2**31 - 1, title="😀" * 200)
        assert BY_TITLE.position(BY_TITLE.cursor(ticket)) == (ticket.title, ticket.id)

    def test_a_row_without_a_value_has_one_where_empty_rows_come_last(self) -> None:
        assert BY_DUE.position(BY_DUE.cursor(Ticket(id=7, due_at=None))) == (None, 7)


class TestPosition:
    @pytest.mark.parametrize(
        ("order", "values"),
        [
            (BY_TITLE, ["x"]),
            (BY_TITLE, ["x", 7, 7]),
            (BY_TITLE, {"title": "x"}),
            (BY_TITLE, [None, 7]),
            (BY_TITLE, [7, 7]),
            (BY_TITLE, ["x\x00", 7]),
            (BY_TITLE, ["\ud800", 7]),
            (BY_TITLE, ["x", "7"]),
            (BY_TITLE, ["x", True]),
            (BY_TITLE, ["x", -1]),
            (BY_TITLE, ["x", 2**31]),
            (BY_TITLE, ["x", 1.5]),
            (BY_TITLE, ["x", None]),
            (BY_DUE, ["2030-01-15T12:00:00", 7]),
            (BY_DUE, ["noon", 7]),
            (BY_DUE, [7, 7]),
            (BY_STATUS, ["burning", 1, 7]),
            (BY_STATUS, ["open", 9, 7]),
            (BY_STATUS, ["open", None, 7]),
        ],
    )
    def test_refuses_values_that_the_order_cannot_hold(self, order: Order, values: object) -> None:
        cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
        with pytest.raises(ValueError):
            order.position(cursor)

    @pytest.mark.parametrize("cursor", ["", "x", "%%%", "é", "bm90IGpzb24", "/+8", "_w", "A" * (LONGEST_CURSOR + 1)])
    def test_refuses_what_is_no_cursor(self, cursor: str) -> None:
        with pytest.raises(ValueError):
            BY_TITLE.position(cursor)

    def test_refuses_a_word_nested_without_end(self) -> None:
        cursor = base64.urlsafe_b64encode(b"[" * 1400).decode().rstrip("=")
        with pytest.raises(ValueError):
            BY_TITLE.position(cursor)
