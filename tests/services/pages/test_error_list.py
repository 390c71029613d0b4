"""Which kinds of error there are, and the reports of one."""

import pytest

from admin_app.errors import NotFound, PermissionDenied
from admin_app.services.pages import error_list
from admin_app.services.records import listing
from admin_app.services.records.error_tracking import storing
from admin_app.services.records.error_tracking.storing import Counted
from tests.services.records.error_tracking.seeing import seen
from tests.services.scenes import Desk

FIRST = listing.PageRequest()


async def store(desk: Desk, kind: str, count: int = 1, **fields) -> None:
    sighting = seen(fingerprint=kind * 64, kind=f"{kind.upper()}Error", **fields)
    await desk.run(storing.store, [Counted(sighting, count)])


class TestPage:
    async def test_shows_the_kinds_seen_last_first_with_their_counts(self, desk, stopped_clock) -> None:
        await store(desk, "a", 4)
        stopped_clock.forward(minutes=6)
        await store(desk, "a", 3)
        stopped_clock.forward(seconds=1)
        await store(desk, "b")
        found = await desk.read(error_list.page, desk.cast.olaf, request=FIRST)
        assert [(group.kind, group.total) for group in found.page.rows] == [("BError", 1), ("AError", 7)]
        assert found.in_window == {"a" * 64: 3, "b" * 64: 1}

    async def test_what_was_long_ago_is_in_no_window(self, desk, stopped_clock) -> None:
        await store(desk, "a")
        stopped_clock.forward(minutes=5)
        found = await desk.read(error_list.page, desk.cast.olaf, request=FIRST)
        assert (found.page.count, found.in_window) == (1, {})

    async def test_takes_three_statements_whatever_there_is(self, desk, statement_counter) -> None:
        for kinds in ("", "abcdef"):
            for kind in kinds:
                await store(desk, kind)
            with statement_counter() as counted:
                await desk.read(error_list.page, desk.cast.olaf, request=FIRST)
            assert counted.total == 3


class TestReports:
    async def test_shows_one_kind_and_its_reports_newest_first(self, desk, stopped_clock) -> None:
        for number in range(3):
            await store(desk, "a", path=f"/admin/{number}")
            stopped_clock.forward(seconds=1)
        await store(desk, "b")
        found = await desk.read(error_list.reports, desk.cast.olaf, "a" * 64, request=FIRST)
        assert (found.group.kind, found.in_window) == ("AError", 3)
        assert [report.path for report in found.page.rows] == ["/admin/2", "/admin/1", "/admin/0"]

    async def test_a_quiet_kind_has_none_in_the_window(self, desk, stopped_clock) -> None:
        await store(desk, "a")
        stopped_clock.forward(hours=1)
        found = await desk.read(error_list.reports, desk.cast.olaf, "a" * 64, request=FIRST)
        assert found.in_window == 0

    @pytest.mark.parametrize("fingerprint", ["", "x", "\x00"])
    async def test_a_kind_that_there_is_not_is_not_found(self, desk, fingerprint: str) -> None:
        with pytest.raises(NotFound):
            await desk.read(error_list.reports, desk.cast.olaf, fingerprint, request=FIRST)


class TestKindOf:
    @pytest.mark.parametrize("typed", ["0badcafe", " 0BADCAFE\n"])
    async def test_finds_the_kind_behind_a_reference(self, desk, typed: str) -> None:
        await store(desk, "a", reference="0badcafe")
        assert await desk.read(error_list.kind_of, desk.cast.olaf, typed) == "a" * 64

    @pytest.mark.parametrize("typed", ["0badcafe", "\x00", "%"])
    async def test_says_so_when_no_report_has_it(self, desk, typed: str) -> None:
        with pytest.raises(NotFound, match="No report has this reference"):
            await desk.read(error_list.kind_of, desk.cast.olaf, typed)


class TestRights:
    @pytest.mark.parametrize("name", ["sam", "sue", "mallory"])
    async def test_only_ops_and_admins_see_errors(self, desk, name: str) -> None:
        actor = getattr(desk.cast, name)
        for reader, arguments, options in (
            (error_list.page, (), {"request": FIRST}),
            (error_list.reports, ("a" * 64,), {"request": FIRST}),
            (error_list.kind_of, ("0badcafe",), {}),
        ):
            with pytest.raises(PermissionDenied):
                await desk.read(reader, actor, *arguments, **options)

    async def test_admins_do(self, desk) -> None:
        assert (await desk.read(error_list.page, desk.cast.ada, request=FIRST)).page.count == 0
