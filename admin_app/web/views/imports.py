"""Import: send a file, say what its columns mean, check it, run it, mend what was turned away, undo it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import ClassVar

import anyio.to_thread
from sqladmin import BaseView, expose
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from admin_app.actor import Actor, ActorKind
from admin_app.errors import AppError, InvalidInput, TooLarge
from admin_app.models import ImportMode, TicketImport
from admin_app.permissions import Permission
from admin_app.services.batches.imports import answers, guessing, layouts, previews, reports, runs, undoing, uploads
from admin_app.services.batches.imports.answers import Answers
from admin_app.services.batches.imports.previews import Preview
from admin_app.web import parsing
from admin_app.web.desk import actor_of, desk_of, form_of, session_id_of, text_in
from admin_app.web.downloads import as_download
from admin_app.web.pages import redirect, render
from admin_app.web.perform import perform, read
from admin_app.web.progress import Progress, follow
from admin_app.web.uploads import IMPORT_PATH
from admin_app.web.views.base import SHOWN_AGAIN, MenuEntry
from admin_app.web.views.import_forms import answers_in, mapping_form


def result_path(import_id: object) -> str:
    """The address of an import's page."""
    return f"{IMPORT_PATH}/result/{import_id}"


def mapping_path(import_id: object) -> str:
    """The address of the page that asks what columns mean."""
    return f"{IMPORT_PATH}/mapping/{import_id}"


class ImportView(BaseView):
    """Works on the same services as the command line."""

    name = "Import"
    identity = "import"
    menu: ClassVar[MenuEntry] = MenuEntry("Import", IMPORT_PATH, Permission.TICKET_IMPORT, "import")

    @expose("/import", methods=["GET", "POST"], identity="import")
    async def send(self, request: Request) -> Response:
        """Send a file; below, the last imports."""
        actor_of(request).require(Permission.TICKET_IMPORT)
        if request.method != "POST":
            return await self._start_page(request)
        try:
            return redirect(request, mapping_path(await self._receive(request)))
        except (InvalidInput, TooLarge) as error:
            return await self._start_page(request, str(error), status_code=error.status_code)

    @expose("/import/mapping/{pk}", methods=["GET", "POST"], identity="import")
    async def map_columns(self, request: Request) -> Response:
        """What the columns mean: guessed, remembered, or as the deployment brings it."""
        import_id = parsing.record_id(request.path_params["pk"])
        found = (await read(request, reports.page, import_id)).record
        preview = await self._preview(request, found)
        if request.method != "POST":
            given, started = await self._first_answers(request, found, preview)
            return await self._mapping_page(request, found, preview, given, started=started)
        given = answers_in(form_of(request))
        if text_in(form_of(request), "again"):
            return await self._mapping_page(request, found, preview, given)
        try:
            mapping = answers.mapping_of(given, preview.header, name=found.file_name)
            await perform(request, layouts.choose, import_id, mapping=mapping)
        except SHOWN_AGAIN as error:
            return await self._mapping_page(request, found, preview, given, error=error)
        return redirect(request, result_path(import_id))

    @expose("/import/result/{pk}", methods=["GET"], identity="import")
    async def show(self, request: Request) -> Response:
        """An import: what it is, what a check or a run found, and what may be done next."""
        page = await read(request, reports.page, parsing.record_id(request.path_params["pk"]))
        context = {"page": page, "record": page.record}
        return await render(request, "import.html", context)

    @expose("/import/check/{pk}", methods=["POST"], identity="import")
    async def check(self, request: Request) -> Response:
        """Do everything, then write nothing."""
        return await self._take_turn(request, ImportMode.GOOD_ROWS, is_check=True)

    @expose("/import/run/{pk}", methods=["POST"], identity="import")
    async def run(self, request: Request) -> Response:
        """Import it, or go on where it stopped."""
        mode = parsing.one_of(text_in(form_of(request), "mode"), ImportMode, "mode")
        return await self._take_turn(request, mode, is_check=False)

    @expose("/import/rejected/{pk}", methods=["GET"], identity="import")
    async def download_rejected(self, request: Request) -> Response:
        """The rows that were turned away, to be mended and sent again."""
        import_id = parsing.record_id(request.path_params["pk"])
        found = (await read(request, reports.page, import_id)).record
        chunks = reports.rejected_rows(desk_of(request).database.read, actor_of(request), import_id)
        first = await anext(chunks)  # what is not there is said before the answer begins
        stem = found.file_name.rpartition(".")[0] or found.file_name
        headers = as_download(f"{stem}.rejected.csv")
        return StreamingResponse(_all(first, chunks), media_type="text/csv; charset=utf-8", headers=headers)

    @expose("/import/undo/{pk}", methods=["POST"], identity="import")
    async def undo(self, request: Request) -> Response:
        """Tickets that nobody touched since go to the trash."""
        import_id = parsing.record_id(request.path_params["pk"])
        store = desk_of(request).imports
        actor_of(request).require(Permission.TICKET_IMPORT)

        async def work(progress: Progress) -> str:
            await perform(request, undoing.undo, import_id, store=store, watch=progress)
            return result_path(import_id)

        return await follow(request, work)

    async def _take_turn(self, request: Request, mode: ImportMode, *, is_check: bool) -> Response:
        """Refuse at once what can be refused; the rest is told while it happens."""
        import_id = parsing.record_id(request.path_params["pk"])
        actor, desk = as_import(actor_of(request)), desk_of(request)
        turn = await desk.database.run(
            lambda session: runs.start(
                session, actor, import_id, mode=mode, is_check=is_check, sign_in_id=session_id_of(request)
            )
        )

        async def work(progress: Progress) -> str:
            await runs.conduct(desk.database.run, actor, desk.imports, turn, progress)
            return result_path(import_id)

        return await follow(request, work)

    async def _receive(self, request: Request) -> int | None:
        sent, store = form_of(request).get("file"), desk_of(request).imports
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise InvalidInput(file="Choose a file.")
        filename, content = sent.filename, sent.file
        upload = await anyio.to_thread.run_sync(uploads.receive, store, filename, content)
        return (await perform(request, uploads.keep, upload, store=store)).record_id

    async def _start_page(self, request: Request, error: str = "", *, status_code: int = 200) -> Response:
        context = {
            "recent": await read(request, reports.recent),
            "error": error,
            "largest": desk_of(request).imports.limit,
        }
        return await render(request, "imports.html", context, status_code=status_code)

    async def _preview(self, request: Request, found: TicketImport) -> Preview:
        if not found.storage_key:
            raise InvalidInput("The file is no longer kept here. Send it again.")
        path = desk_of(request).imports.path_of(found.storage_key)
        return await anyio.to_thread.run_sync(previews.look, path)

    async def _first_answers(self, request: Request, found: TicketImport, preview: Preview) -> tuple[Answers, str]:
        """What the page begins with, and where that comes from: as the address wants it, else the best there is."""
        starts: dict[str, Answers] = {}
        remembered = await read(request, layouts.recall, preview.header)
        if remembered is not None:
            starts["the last time"] = answers.answers_of(remembered)
        files = desk_of(request).import_presets
        for preset in await anyio.to_thread.run_sync(layouts.presets, files, preview.header):
            starts[preset.name] = answers.answers_of(preset)
        fingerprint, timezone = layouts.fingerprint(preview.header), actor_of(request).timezone
        starts["a guess"] = guessing.guess(preview, fingerprint=fingerprint, timezone=timezone)
        wanted = request.query_params.get("start", "")
        started = wanted if wanted in starts else next(iter(starts))
        request.state.import_starts = [name for name in starts if name != started]
        return starts[started], started

    async def _mapping_page(
        self,
        request: Request,
        found: TicketImport,
        preview: Preview,
        given: Answers,
        *,
        started: str = "",
        error: AppError | None = None,
    ) -> Response:
        form = mapping_form(preview, given, error)
        context = {
            "record": found,
            "preview": preview,
            "form": form,
            "started": started,
            "starts": getattr(request.state, "import_starts", []),
            "can_map": layouts.can_choose(found),
        }
        status_code = error.status_code if error is not None else 200
        return await render(request, "import_mapping.html", context, status_code=status_code)


def as_import(actor: Actor) -> Actor:
    """The audit log says that rows came in through an import, whoever pressed the button."""
    return replace(actor, kind=ActorKind.IMPORT)


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
