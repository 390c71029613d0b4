"""Every service of many records at once, of whoever leaves, and of ops, with its right and its roles, by hand."""

from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from admin_app import clock
from admin_app.actor import Actor
from admin_app.app import open_crew
from admin_app.db.slow_queries import SlowQueries
from admin_app.models import BatchKind, ExportFormat, ExportState, ImportMode, ImportRejection
from admin_app.permissions import Permission
from admin_app.services.batches import retention
from admin_app.services.batches.bulk import apply, looking, preview, undo
from admin_app.services.batches.bulk.choosing import Selection
from admin_app.services.batches.bulk.preview import Wanted
from admin_app.services.batches.csv_import.mapping import ImportMapping
from admin_app.services.batches.exports import pages, requests
from admin_app.services.batches.exports.lines import KINDS
from admin_app.services.batches.exports.pages import Listed
from admin_app.services.batches.imports import layouts, reports, runs, undoing, uploads
from admin_app.services.operations import alert_tests, off_boarding, password_links, second_factor
from admin_app.services.pages import audit_list, error_list, pool_page
from admin_app.services.records import slow_queries
from admin_app.services.records.error_tracking import storing
from admin_app.services.records.error_tracking.storing import Counted
from tests.services.batches.bulk.scenes import TYPED
from tests.services.batches.csv_files import csv_bytes, rows, rules
from tests.services.batches.imports.importing import Watch
from tests.services.every_service import ADMIN, FIRST_PAGE, LINK, SENIOR, Row, Scene
from tests.services.records.error_tracking.seeing import seen

OPS = {"ops", "admin"}
NOTHING_SEEN: Any = SimpleNamespace(incidents=[], unsettled=[])
LEAVE = off_boarding.Wanted(off_boarding.Choice.LEAVE)

_P = Permission
RIGHTS = {
    BatchKind.CLOSE: (_P.TICKET_CLOSE, _P.TICKET_REOPEN_CLOSED),
    BatchKind.ASSIGN: (_P.TICKET_TRANSFER, _P.TICKET_TRANSFER_ANY),
    BatchKind.PRIORITY: (_P.TICKET_EDIT, _P.TICKET_EDIT),
    BatchKind.TAG: (_P.TICKET_EDIT, _P.TICKET_EDIT),
    BatchKind.DELETE: (_P.TICKET_DELETE, _P.TICKET_RESTORE),
    BatchKind.RESTORE: (_P.TICKET_RESTORE, _P.TICKET_DELETE),
}
"""What a batch asks for beside `ticket:bulk`: to do it, and to take it back."""


def trusted(actor: Actor, scene: Scene) -> Actor:
    """The same person with every right, so that a step before the one in question is no hurdle."""
    ada = scene.desk.cast.ada
    return replace(ada, id=actor.id)


async def previewed(session: Any, actor: Actor, scene: Scene, kind: BatchKind) -> str:
    """A preview that this person made."""
    ticket = scene.deleted if kind is BatchKind.RESTORE else scene.live
    wanted = Wanted(kind, TYPED[kind])
    batch = await preview.preview(session, trusted(actor, scene), wanted, Selection(ids=[ticket.id]))
    await session.flush()
    return batch.batch_id


async def applied(session: Any, actor: Actor, scene: Scene, kind: BatchKind) -> str:
    """A batch that this person applied."""
    batch_id = await previewed(session, actor, scene, kind)
    await apply.apply(session, trusted(actor, scene), batch_id)
    await session.flush()
    return batch_id


def _bulk(kind: BatchKind) -> list[tuple[Any, ...]]:
    async def make(s: Any, a: Actor, x: Scene) -> None:
        ticket = x.deleted if kind is BatchKind.RESTORE else x.live
        await preview.preview(s, a, Wanted(kind, TYPED[kind]), Selection(ids=[ticket.id]))

    async def do(s: Any, a: Actor, x: Scene) -> None:
        await apply.apply(s, a, await previewed(s, a, x, kind))

    async def take_back(s: Any, a: Actor, x: Scene) -> None:
        await undo.undo(s, a, await applied(s, a, x, kind))

    to_do, to_undo = RIGHTS[kind]
    return [
        (f"{verb} a bulk {kind.value}, for which one needs {permission.value}", permission, SENIOR, call)
        for verb, call, right in (("preview", make, to_do), ("apply", do, to_do), ("undo", take_back, to_undo))
        for permission in (_P.TICKET_BULK, right)
    ]


async def _again(s: Any, a: Actor, x: Scene) -> None:
    await preview.preview_again(s, a, await previewed(s, a, x, BatchKind.TAG))


async def _look_at_batch(s: Any, a: Actor, x: Scene) -> None:
    await looking.read(s, a, await previewed(s, a, x, BatchKind.TAG))


async def _find_batch(s: Any, a: Actor, x: Scene) -> None:
    batch = await preview.find(s, await previewed(s, a, x, BatchKind.TAG))
    await looking.batch_id_of(s, a, batch.id)


async def _see_members(s: Any, a: Actor, x: Scene) -> None:
    await audit_list.members_of(s, a, 1)


async def _purge_trash(s: Any, a: Actor, x: Scene) -> None:
    chosen = retention.Plan({x.deleted.id: x.deleted.ticket_number})

    async def run(work: Any, *, repeatable: bool = False) -> Any:
        return await work(s)

    await retention.purge_old(run, a, chosen, deleted_before=clock.now(), store=x.store)


async def _off_board(s: Any, a: Actor, x: Scene) -> None:
    sid = x.person("sam")
    plan = await off_boarding.preview(s, trusted(a, x), sid, wanted=LEAVE)
    await off_boarding.off_board(s, a, sid, wanted=LEAVE, reason="r", frozen=plan.frozen)


async def _stored_error(s: Any) -> None:
    await storing.store(s, [Counted(seen(reference="abcdef12"), 1)])


async def _see_reports(s: Any, a: Actor, x: Scene) -> None:
    await _stored_error(s)
    await error_list.reports(s, a, "f" * 64, request=FIRST_PAGE)


async def _find_kind(s: Any, a: Actor, x: Scene) -> None:
    await _stored_error(s)
    await error_list.kind_of(s, a, "abcdef12")


async def _see_pool(s: Any, a: Actor, x: Scene) -> None:
    engines = x.desk.database.engines
    pool_page.show(a, open_crew(x.desk.database), NOTHING_SEEN, engines.every_pool, suspect_after=30)


async def _see_slow(s: Any, a: Actor, x: Scene) -> None:
    slow_queries.status(a, SlowQueries(0.1))


async def uploaded(s: Any, a: Actor, x: Scene) -> int:
    """The number of a file that this person sent."""
    upload = uploads.receive(x.store, "tickets.csv", BytesIO(csv_bytes(rows(2))))
    found = await uploads.keep(s, trusted(a, x), upload, store=x.store)
    await s.flush()
    return found.id


async def mapped(s: Any, a: Actor, x: Scene) -> int:
    """The same with its columns chosen."""
    number = await uploaded(s, a, x)
    mapping: ImportMapping = rules()
    await layouts.choose(s, trusted(a, x), number, mapping=mapping)
    await s.flush()
    return number


async def _send_file(s: Any, a: Actor, x: Scene) -> None:
    upload = uploads.receive(x.store, "tickets.csv", BytesIO(csv_bytes(rows(2))))
    await uploads.keep(s, a, upload, store=x.store)


async def _choose_columns(s: Any, a: Actor, x: Scene) -> None:
    await layouts.choose(s, a, await uploaded(s, a, x), mapping=rules())


async def _start_import(s: Any, a: Actor, x: Scene) -> None:
    await runs.start(s, a, await mapped(s, a, x), mode=ImportMode.GOOD_ROWS)


async def _undo_import(s: Any, a: Actor, x: Scene) -> None:
    number = await mapped(s, a, x)
    found = await uploads.find(s, trusted(a, x), number)
    found.state, found.imported = undoing.ImportState.FINISHED, 1
    await s.flush()
    await undoing.undo(s, a, number, store=x.store, watch=Watch())


async def _look_at_import(s: Any, a: Actor, x: Scene) -> None:
    await reports.page(s, a, await mapped(s, a, x))


async def _see_rejected(s: Any, a: Actor, x: Scene) -> None:
    number = await mapped(s, a, x)
    s.add(ImportRejection(import_id=number, line=2, cells=["1"], column="Id", reason="r", is_damaged=False))
    await s.flush()

    async def read(work: Any) -> Any:
        return await work(s)

    chunks: AsyncIterator[bytes] = reports.rejected_rows(read, a, number)
    async for _ in chunks:
        pass


async def _asked(s: Any, a: Actor, x: Scene) -> int:
    """The number of an export that this person asked for."""
    return (await requests.ask(s, trusted(a, x), Listed(), ExportFormat.CSV)).id


async def _begin_export(s: Any, a: Actor, x: Scene) -> None:
    await requests.begin(s, a, await _asked(s, a, x))


async def _tell_of_export(s: Any, a: Actor, x: Scene) -> None:
    await requests.advance(s, a, await _asked(s, a, x), 1)


async def _cancel_export(s: Any, a: Actor, x: Scene) -> None:
    await requests.cancel(s, a, await _asked(s, a, x))


async def _end_export(s: Any, a: Actor, x: Scene) -> None:
    await requests.end(s, a, await _asked(s, a, x), state=ExportState.FAILED, rows=0)


async def _look_at_export(s: Any, a: Actor, x: Scene) -> None:
    await requests.find(s, a, await _asked(s, a, x))


async def _read_pages(s: Any, a: Actor, x: Scene) -> None:
    async for _ in pages.pages(s, a, Listed(), KINDS[ExportFormat.CSV]):
        pass


BATCHES = [
    Row(*row)
    for row in (
        *(row for kind in BatchKind for row in _bulk(kind)),
        ("preview a bulk change once more", _P.TICKET_BULK, SENIOR, _again),
        ("look at a bulk change", _P.TICKET_BULK, SENIOR, _look_at_batch),
        ("find a bulk change", _P.TICKET_BULK, SENIOR, _find_batch),
        ("see what a batch did to each", _P.AUDIT_DETAILS, SENIOR, _see_members),
        (
            "look at what goes with the old trash",
            _P.TICKET_PURGE,
            ADMIN,
            lambda s, a, x: retention.plan(s, a, deleted_before=clock.now()),
        ),
        ("purge the old trash", _P.TICKET_PURGE, ADMIN, _purge_trash),
        (
            "see whether somebody owns open tickets",
            _P.USER_DEACTIVATE,
            SENIOR,
            lambda s, a, x: off_boarding.owns_open_tickets(s, a, x.person("sam")),
        ),
        (
            "see the open tickets of somebody who leaves",
            _P.USER_DEACTIVATE,
            SENIOR,
            lambda s, a, x: off_boarding.open_work(s, a, x.person("sam")),
        ),
        (
            "look at who gets the tickets of somebody who leaves",
            _P.USER_DEACTIVATE,
            SENIOR,
            lambda s, a, x: off_boarding.preview(s, a, x.person("sam"), wanted=LEAVE),
        ),
        ("deactivate somebody with open tickets", _P.USER_DEACTIVATE, SENIOR, _off_board),
        ("list kinds of error", _P.ERRORS_VIEW, OPS, lambda s, a, x: error_list.page(s, a, request=FIRST_PAGE)),
        ("see the reports of a kind", _P.ERRORS_VIEW, OPS, _see_reports),
        ("find an error by its reference", _P.ERRORS_VIEW, OPS, _find_kind),
        ("see the pool", _P.POOL_VIEW, OPS, _see_pool),
        ("try out the alerts", _P.POOL_TEST_ALERT, OPS, lambda s, a, x: alert_tests.record(s, a)),
        ("see slow statements", _P.SLOW_QUERIES_VIEW, OPS, _see_slow),
        (
            "reset a second factor by its address",
            _P.USER_RESET_PASSWORD,
            ADMIN,
            lambda s, a, x: second_factor.reset_by_address(s, a, "sid@desk.example", reason="r"),
        ),
        (
            "make a link for a new password by address",
            _P.USER_RESET_PASSWORD,
            ADMIN,
            lambda s, a, x: password_links.make_by_address(s, a, "sam@desk.example", link=LINK, reason="r"),
        ),
        ("send a file to import", _P.TICKET_IMPORT, SENIOR, _send_file),
        ("have columns recalled", _P.TICKET_IMPORT, SENIOR, lambda s, a, x: layouts.recall(s, a, ["Id"])),
        ("choose columns", _P.TICKET_IMPORT, SENIOR, _choose_columns),
        ("start an import", _P.TICKET_IMPORT, SENIOR, _start_import),
        ("undo an import", _P.TICKET_IMPORT, SENIOR, _undo_import),
        ("undo an import, which deletes", _P.TICKET_DELETE, SENIOR, _undo_import),
        ("look at an import", _P.TICKET_IMPORT, SENIOR, _look_at_import),
        ("list imports", _P.TICKET_IMPORT, SENIOR, lambda s, a, x: reports.recent(s, a)),
        ("download rejected rows", _P.TICKET_IMPORT, SENIOR, _see_rejected),
        (
            "ask for an export",
            _P.TICKET_EXPORT,
            SENIOR,
            lambda s, a, x: requests.ask(s, a, Listed(), ExportFormat.CSV),
        ),
        ("count what an export would hold", _P.TICKET_EXPORT, SENIOR, lambda s, a, x: requests.count(s, a, Listed())),
        ("begin an export", _P.TICKET_EXPORT, SENIOR, _begin_export),
        ("tell how far an export is", _P.TICKET_EXPORT, SENIOR, _tell_of_export),
        ("cancel an export", _P.TICKET_EXPORT, SENIOR, _cancel_export),
        ("end an export", _P.TICKET_EXPORT, SENIOR, _end_export),
        ("look at an export", _P.TICKET_EXPORT, SENIOR, _look_at_export),
        ("list exports", _P.TICKET_EXPORT, SENIOR, lambda s, a, x: requests.recent(s, a)),
        ("take the pages of an export", _P.TICKET_EXPORT, SENIOR, _read_pages),
    )
]
