"""What columns meant the last time."""

from pathlib import Path

import pytest

from admin_app.errors import Conflict, InvalidInput, PermissionDenied
from admin_app.models import ImportLayout, ImportMode, ImportState, TicketImport
from admin_app.services.batches.imports import layouts
from tests.services.batches.csv_files import HEADER, csv_bytes, row, rows, rules
from tests.services.batches.imports.importing import Importing
from tests.services.scenes import Desk

CONFIG = Path(__file__).resolve().parents[4] / "config"


class TestFingerprint:
    def test_order_case_and_a_report_do_not_matter(self) -> None:
        mine = layouts.fingerprint(["Id", "Mail"])
        for same in (["mail", "ID"], ["Id", "Mail", "line", "column", "reason"]):
            assert layouts.fingerprint(same) == mine
        assert layouts.fingerprint(["Id", "Mail", "Who"]) != mine


class TestPresets:
    def test_those_that_fit_and_can_be_read(self, tmp_path: Path) -> None:
        broken = tmp_path / "import-broken.toml"
        broken.write_text("name = ")
        desk_export = CONFIG / "import-desk-export.toml"
        header = layouts.mappings.load(desk_export)._named()
        assert [found.name for found in layouts.presets([broken, desk_export], header)] == ["desk-export"]
        assert layouts.presets([desk_export], HEADER) == []


class TestChoose:
    async def test_it_is_remembered_and_the_last_choice_counts(self, desk: Desk, importing: Importing) -> None:
        assert await desk.read(layouts.recall, desk.cast.sue, HEADER) is None
        for mapping in (rules(), rules(timezone="Europe/Berlin", defaults={"priority": "high"})):
            number = await importing.mapped(csv_bytes(rows(1)), mapping)
            assert await desk.read(layouts.recall, desk.cast.sue, tuple(reversed(HEADER))) == mapping
            assert (await importing.stored(number)).mapping is not None
        assert len(await desk.rows(ImportLayout)) == 1

    async def test_one_that_no_longer_fits_is_forgotten(self, desk: Desk, importing: Importing) -> None:
        await importing.mapped(csv_bytes(rows(1)))
        assert await desk.read(layouts.recall, desk.cast.sue, [name.upper() for name in HEADER]) is None

    async def test_the_check_before_no_longer_counts(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes(rows(1)))
        await importing.ran(number, is_check=True)
        chosen = await desk.run(layouts.choose, desk.cast.sue, number, mapping=rules())
        assert chosen.state is ImportState.UPLOADED

    async def test_a_file_without_the_columns(self, desk: Desk, importing: Importing) -> None:
        found = await importing.sent(b"a,b\r\n1,2\r\n")
        await desk.refusal(InvalidInput, layouts.choose, desk.cast.sue, found.id, mapping=rules())

    @pytest.mark.parametrize("state", [ImportState.RUNNING, ImportState.CHECKING, ImportState.FINISHED])
    async def test_once_it_has_begun_it_is_settled(self, desk: Desk, importing: Importing, state: ImportState) -> None:
        number = await importing.mapped(csv_bytes(rows(1)))
        await desk.set(TicketImport, number, state=state)
        await desk.refusal(Conflict, layouts.choose, desk.cast.sue, number, mapping=rules())

    async def test_an_unfinished_one_of_which_nothing_is_in_may_be_explained_anew(
        self, desk: Desk, importing: Importing
    ) -> None:
        number = await importing.mapped(csv_bytes([row()]))
        await desk.set(TicketImport, number, state=ImportState.UNFINISHED, mode=ImportMode.ALL_OR_NOTHING)
        await desk.run(layouts.choose, desk.cast.sue, number, mapping=rules())
        await desk.set(TicketImport, number, state=ImportState.UNFINISHED, total=2)
        await desk.refusal(Conflict, layouts.choose, desk.cast.sue, number, mapping=rules())

    async def test_only_by_those_who_may_import(self, desk: Desk, importing: Importing) -> None:
        number = await importing.mapped(csv_bytes([row()]))
        await desk.refusal(PermissionDenied, layouts.choose, desk.cast.sam, number, mapping=rules())
        await desk.refusal(PermissionDenied, layouts.recall, desk.cast.sam, HEADER)
