"""The slow statements of this process, as ops read them."""

import pytest

from admin_app.actor import Actor
from admin_app.db.slow_queries import SlowQueries
from admin_app.errors import PermissionDenied
from admin_app.permissions import Role
from admin_app.services.records import slow_queries

OLAF = Actor(id=4, name="Olaf Ops", role=Role.OPS)


class TestStatus:
    def test_the_slowest_kind_comes_first_with_its_figures_in_milliseconds(self, stopped_clock) -> None:
        slow = SlowQueries(0.1)
        for number in range(1, 101):
            slow.note("SELECT a", number / 100 + 0.1, "GET /a")
        slow.note("SELECT b", 3.0, "GET /b")
        slow.note("SELECT b", 1.0, "GET /c")
        seen = slow_queries.status(OLAF, slow)
        assert (seen.threshold, seen.forgotten) == (100, 0)
        second, first = seen.queries[1], seen.queries[0]
        assert (first.statement, first.count, list(first.routes)) == ("SELECT b", 2, ["GET /c", "GET /b"])
        assert (round(first.p95), round(first.longest)) == (2900, 3000)
        assert (round(second.p95, 1), round(second.longest)) == (1050.5, 1100)
        assert first.last_seen_at == stopped_clock.time
        assert first.fingerprint != second.fingerprint

    def test_a_kind_that_was_slow_once_is_as_slow_as_it_was(self) -> None:
        slow = SlowQueries(0.1)
        slow.note("SELECT a", 0.25, "GET /a")
        [query] = slow_queries.status(OLAF, slow).queries
        assert (query.p95, query.longest) == (250, 250)

    @pytest.mark.parametrize("role", [Role.CUSTOMER, Role.STAFF, Role.SUPERVISOR])
    def test_is_refused_without_the_right(self, role: Role) -> None:
        with pytest.raises(PermissionDenied):
            slow_queries.status(Actor(id=1, name="Somebody", role=role), SlowQueries(0.1))

    @pytest.mark.parametrize("role", [Role.OPS, Role.ADMIN])
    def test_is_answered_for_ops_and_admin(self, role: Role) -> None:
        assert slow_queries.status(Actor(id=1, name="Somebody", role=role), SlowQueries(0.1)).queries == []
