"""Import: send a file, say what its columns mean, check, run, mend, undo."""

import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from admin_app import clock
from admin_app.actor import ActorKind
from admin_app.models import AuditAction, AuditLog, ImportLayout, ImportState, Status, Ticket, TicketImport
from admin_app.services.batches.csv_import import running
from admin_app.services.operations import tickets
from admin_app.settings import Settings
from tests.services.batches.csv_files import HEADER, csv_bytes, row, rows
from tests.services.scenes import Desk
from tests.support.cells import in_one
from tests.web.browsing import ORIGIN, Visitor, form_on, text_of

Visit = Callable[..., Awaitable[Visitor]]

MIXED = [*rows(5), row(Id="6", State="Frozen"), row(Id="7", Mail="nobody"), row(Id="4")]
"""Five good rows, two bad ones, one that is known by then."""


@pytest.fixture
async def sue(visit: Visit) -> Visitor:
    return await visit("sue")


async def sent(visitor: Visitor, content: bytes, name: str = "tickets.csv") -> httpx.Response:
    return await visitor.post("/admin/import", files={"file": (name, content)})


async def mapped(visitor: Visitor, content: bytes, **answers: str) -> str:
    """A file that was sent and whose columns were explained as guessed; the number of its import."""
    answer = await sent(visitor, content)
    assert answer.status_code == 303, text_of(answer)
    answer = await visitor.fill_in(answer.headers["location"], **answers)
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["location"].rsplit("/", 1)[1]


async def ran(visitor: Visitor, number: str, mode: str = "good_rows") -> httpx.Response:
    """The page after a run without a script."""
    answer = await visitor.post(f"/admin/import/run/{number}", {"mode": mode})
    assert answer.status_code == 303, text_of(answer)
    return await visitor.get(answer.headers["location"])


async def only(desk: Desk) -> TicketImport:
    [found] = await desk.rows(TicketImport)
    return found


class TestSend:
    async def test_the_page_asks_for_a_file_and_lists_the_last_imports(self, sue: Visitor) -> None:
        assert "Nothing was imported yet." in text_of(await sue.get("/admin/import"))
        await mapped(sue, csv_bytes(rows(1)))
        assert "tickets.csv Not run yet" in text_of(await sue.get("/admin/import"))

    @in_one(
        ("content", "sentence"),
        [
            (b"", "This file is empty."),
            (b"Id,Mail\r\n", "This file has a header but no rows."),
            (b"Id,Mail,Id\r\n1,a@b.example,2\r\n", "names this column twice: Id"),
            (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n1\n", "names 10,000 columns"),
            (b"Id,Mail\r\n1,a\x00b\r\n", "is not text"),
            (b"PK\x03\x04 and so on", "a spreadsheet or an archive"),
            (b"Id,Mail\r\n1,\x81\x8d\r\n", "no text in UTF-8, UTF-16 or Windows-1252"),
            (b"Id,Mail\r\n1," + b"x" * 1_500_000 + b"\r\n", "a line of more than 1,000,000 characters"),
        ],
    )
    async def test_what_cannot_be_imported_gets_a_sentence(
        self, desk: Desk, sue: Visitor, settings: Settings, content: bytes, sentence: str
    ) -> None:
        async with desk.nothing_written():
            answer = await sent(sue, content)
        assert answer.status_code == 422
        assert sentence in text_of(answer)
        kept = settings.attachments_folder.with_name("imports")
        assert not kept.exists() or not [file for file in kept.rglob("*") if file.is_file()]

    async def test_no_file_at_all(self, sue: Visitor) -> None:
        for files in (None, {"file": ("", b"")}):
            answer = await sue.post("/admin/import", files=files)
            assert (answer.status_code, "Choose a file." in text_of(answer)) == (422, True)

    async def test_a_double_click_sends_it_once(self, desk: Desk, sue: Visitor) -> None:
        form = await sue.form_at("/admin/import")
        files = {"file": ("tickets.csv", csv_bytes(rows(1)))}
        first, second = [await sue.submit(form, files=files) for _ in range(2)]
        assert first.headers["location"] == second.headers["location"]
        assert len(await desk.rows(TicketImport)) == 1


class TestLimits:
    @pytest.fixture
    def chosen_settings(self) -> dict[str, Any]:
        return {"max_attachment_bytes": 50_000, "max_form_bytes": 20_000, "max_import_bytes": 300_000}

    def body(self, size: int) -> AsyncIterator[bytes]:
        async def pieces() -> AsyncIterator[bytes]:
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            for _ in range(size // 10_000):
                yield b"x" * 10_000
            yield b"\r\n--b--\r\n"

        return pieces()

    async def send(self, visitor: Visitor, body: Any, **headers: str) -> httpx.Response:
        sent = {"Origin": ORIGIN, "Content-Type": "multipart/form-data; boundary=b", **headers}
        return await visitor.client.post("/admin/import", content=body, headers=sent)

    async def unread(self) -> AsyncIterator[bytes]:
        raise AssertionError("nobody should have read this")
        yield b""

    async def test_five_gigabytes_are_refused_unread(self, desk: Desk, sue: Visitor) -> None:
        answer = await self.send(sue, self.unread(), **{"Content-Length": str(5 * 1024**3)})
        assert answer.status_code == 413
        assert "This form is too large: a file may have at most 0 MB here." in text_of(answer)

    async def test_an_undeclared_length_is_stopped_at_the_limit(self, sue: Visitor) -> None:
        assert (await self.send(sue, self.body(290_000))).status_code == 403, "only its token is missing"
        assert (await self.send(sue, self.body(500_000))).status_code == 413

    async def test_whoever_may_not_import_is_refused_unread(self, visit: Visit) -> None:
        assert (await self.send(await visit("sam"), self.unread())).status_code == 403

    async def test_whoever_is_not_signed_in_may_send_no_more_than_an_attachment(self, window: Any) -> None:
        assert (await self.send(window(), self.body(200_000))).status_code == 413


class TestMapping:
    async def test_it_is_guessed_from_the_names_and_the_words(self, sue: Visitor) -> None:
        answer = await sent(sue, csv_bytes([row(), row(State="Done"), row(State="Odd")]))
        page = await sue.get(answer.headers["location"])
        form = form_on(page)
        expected = {
            "external_key": "Id",
            "email": "Mail",
            "full_name": "Who",
            "title": "Subject",
            "description": "Text",
            "status": "State",
            "priority": "Urgency",
            "channel": "Via",
            "resolution": "Answer",
            "first_response_at": "Answered",
            "closed_at": "Ended",
            "tags": "Labels",
            "owner": "",
            "date_format": "iso",
            "word:status:Waiting": "pending",
            "word:status:Done": "resolved",
            "word:status:Odd": "",
            "default_priority": "medium",
        }
        assert {name: form.fields.get(name) for name in expected} == expected
        assert "Filled in from a guess." in text_of(page)
        assert "Lamp flickers" in text_of(page)

    async def test_it_is_remembered_for_the_layout(self, desk: Desk, sue: Visitor) -> None:
        await mapped(sue, csv_bytes(rows(1)), tags="", default_channel="phone")
        answer = await sent(sue, csv_bytes(rows(2), header=tuple(reversed(HEADER))), "later.csv")
        page = await sue.get(answer.headers["location"])
        assert "Filled in from the last time." in text_of(page)
        assert (form_on(page).fields["tags"], form_on(page).fields["default_channel"]) == ("", "phone")
        guessed = await sue.get(f"{answer.headers['location']}?start=a+guess")
        assert form_on(guessed).fields["tags"] == "Labels"
        assert len(await desk.rows(ImportLayout)) == 1

    async def test_a_mapping_of_the_deployment_is_taken_when_it_fits(self, sue: Visitor) -> None:
        header = "Number,Title,Description,Status,Priority,Channel,Category,Customer,Customer e-mail,Owner,"
        header += "Owner e-mail,Resolution,Created,First response,Resolved,Closed,Due,External key,Tags"
        answer = await sent(sue, f"{header}\r\nT-1,Hello{',' * 17}\r\n".encode())
        page = await sue.get(answer.headers["location"])
        assert "Filled in from desk-export." in text_of(page)
        assert form_on(page).fields["key_prefix"] == "desk-export:"

    async def test_without_a_column_it_asks_for_one(self, desk: Desk, sue: Visitor) -> None:
        path = (await sent(sue, csv_bytes(rows(1)))).headers["location"]
        form = await sue.form_at(path)
        nothing = {name: "" for name, value in form.fields.items() if value in HEADER}
        async with desk.nothing_written():
            answer = await sue.submit(form, **nothing)
        assert answer.status_code == 422
        assert "This names no column." in text_of(answer)
        answer = await sue.submit(form, title="")
        assert "Choose the column that holds the title." in text_of(answer)
        answer = await sue.submit(form, timezone="Mars/Olympus")
        assert "this is not a time zone" in text_of(answer)

    async def test_another_column_is_looked_at_again(self, desk: Desk, sue: Visitor) -> None:
        path = (await sent(sue, csv_bytes([row(Via="Waiting", State="email")]))).headers["location"]
        form = await sue.form_at(path)
        async with desk.nothing_written():
            answer = await sue.submit(form, status="Via", channel="State", again="yes")
        fields = form_on(answer).fields
        assert (fields["word:status:Waiting"], fields["word:channel:email"]) == ("pending", "email")

    async def test_once_rows_are_in_it_is_settled(self, desk: Desk, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(rows(1)))
        form = await sue.form_at(f"/admin/import/mapping/{number}")
        await ran(sue, number)
        answer = await sue.get(f"/admin/import/mapping/{number}")
        assert (answer.status_code, "no longer kept" in text_of(answer)) == (422, True)
        assert (await sue.submit(form)).status_code == 422


class TestCheckAndRun:
    async def test_the_check_writes_nothing_and_says_what_the_run_does(self, desk: Desk, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(MIXED))
        answer = await sue.post(f"/admin/import/check/{number}")
        checked = await sue.get(answer.headers["location"])
        assert await desk.rows(Ticket) == []
        before = await only(desk)
        assert (before.state, before.total, before.imported, before.known, before.rejected) == (
            ImportState.CHECKED,
            *(8, 5, 1, 2),
        )
        done = await ran(sue, number)
        after = await only(desk)
        assert after.state is ImportState.FINISHED
        counts = ("total", "imported", "known", "rejected", "customers")
        assert [getattr(before, name) for name in counts] == [getattr(after, name) for name in counts]
        for page in (checked, done):
            assert "State State is “Frozen”, which is no status" in text_of(page)
            assert "7 State" in text_of(page)
        assert len(await desk.rows(Ticket)) == 5

    async def test_the_log_says_who_and_that_it_was_an_import(self, desk: Desk, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(MIXED))
        page = await ran(sue, number)
        [entry] = [found for found in await desk.rows(AuditLog) if found.action is AuditAction.IMPORT]
        assert (entry.actor_name, entry.actor_kind) == ("Sue Supervisor", ActorKind.IMPORT)
        assert f"/admin/audit-log/details/{entry.id}" in page.text
        assert entry.batch_id == (await only(desk)).batch_id

    async def test_all_or_nothing_with_a_bad_row_is_nothing(self, desk: Desk, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(MIXED))
        page = await ran(sue, number, "all_or_nothing")
        assert "All or nothing: 2 bad rows, so nothing was written." in text_of(page)
        assert await desk.rows(Ticket) == []
        await ran(sue, number)
        assert len(await desk.rows(Ticket)) == 5

    async def test_all_or_nothing_without_one_is_all(self, desk: Desk, sue: Visitor) -> None:
        await ran(sue, await mapped(sue, csv_bytes(rows(5))), "all_or_nothing")
        assert len(await desk.rows(Ticket)) == 5
        assert (await only(desk)).state is ImportState.FINISHED

    async def test_a_second_time_is_refused_and_the_file_sent_again_adds_nothing(
        self, desk: Desk, sue: Visitor
    ) -> None:
        number = await mapped(sue, csv_bytes(rows(3)))
        await ran(sue, number)
        answer = await sue.post(f"/admin/import/run/{number}", {"mode": "good_rows"})
        assert (answer.status_code, "This import has ended." in text_of(answer)) == (409, True)
        again = await mapped(sue, csv_bytes(rows(3)))
        assert "The very same file was imported before" in text_of(await sue.get(f"/admin/import/result/{again}"))
        await ran(sue, again)
        assert len(await desk.rows(Ticket)) == 3
        assert (await desk.rows(TicketImport))[1].known == 3

    async def test_a_mode_that_nobody_offers(self, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(rows(1)))
        assert (await sue.post(f"/admin/import/run/{number}", {"mode": "some"})).status_code == 422


class TestProgress:
    LINES = {"Accept": "application/x-ndjson, application/json"}

    async def lines(self, visitor: Visitor, path: str, **data: str) -> list[dict[str, Any]]:
        answer = await visitor.post(path, data, **self.LINES)
        assert answer.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in answer.text.splitlines()]

    async def test_a_script_is_told_where_to_go(self, desk: Desk, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(rows(5)))
        told = await self.lines(sue, f"/admin/import/run/{number}", mode="good_rows")
        assert told[-1] == {"goto": f"/admin/import/result/{number}"}
        assert len(await desk.rows(Ticket)) == 5

    async def test_news_come_while_it_works(self, sue: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running, "BATCH_ROWS", 10)
        monkeypatch.setattr("admin_app.web.progress.PAUSE_SECONDS", 0.001)
        number = await mapped(sue, csv_bytes(rows(60)))
        told = await self.lines(sue, f"/admin/import/run/{number}", mode="good_rows")
        assert len(told) > 2
        assert told[0]["total"] == 60
        assert 0 < told[0]["done"] < 60

    async def test_what_is_refused_has_its_own_status(self, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(rows(1)))
        await ran(sue, number)
        answer = await sue.post(f"/admin/import/run/{number}", {"mode": "good_rows"}, **self.LINES)
        assert answer.status_code == 409
        assert answer.json()["error"].startswith("This import has ended.")

    async def test_a_failure_on_the_way_is_the_last_line(
        self, desk: Desk, sue: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(*args: Any, **options: Any) -> None:
            raise RuntimeError("nobody foresaw this")

        monkeypatch.setattr(running.storing, "import_batch", fail)
        number = await mapped(sue, csv_bytes(rows(1)))
        told = await self.lines(sue, f"/admin/import/run/{number}", mode="good_rows")
        assert told[-1]["error"].startswith("Something went wrong. Reference ")
        found = await only(desk)
        assert (found.state, found.failure) == (ImportState.UNFINISHED, "Something went wrong.")


class TestRejectedRows:
    async def test_they_are_downloaded_mended_and_sent_again(self, desk: Desk, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(MIXED))
        await ran(sue, number)
        answer = await sue.get(f"/admin/import/rejected/{number}")
        assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''tickets.rejected.csv"
        lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert lines[0] == [*HEADER, "line", "column", "reason"]
        assert [line[-3:-1] for line in lines[1:]] == [["7", "State"], ["8", "Mail"]]
        lines[1][HEADER.index("State")] = "Waiting"
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        again = await mapped(sue, text.getvalue().encode())
        await ran(sue, again)
        found = (await desk.rows(TicketImport))[1]
        assert (found.imported, found.rejected) == (1, 1)
        second = (await sue.get(f"/admin/import/rejected/{again}")).content.decode("utf-8-sig")
        assert next(csv.reader(io.StringIO(second))) == [*HEADER, "line", "column", "reason"]

    async def test_when_there_are_none(self, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(rows(1)))
        answer = await sue.get(f"/admin/import/rejected/{number}")
        assert (answer.status_code, "No rows were turned away" in text_of(answer)) == (404, True)

    async def test_no_cell_runs_as_a_formula_and_the_original_comes_back(self, desk: Desk, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes([row(Subject="=1+1"), row(Id="2", Subject="=2+2", State="Frozen")]))
        await ran(sue, number)
        content = (await sue.get(f"/admin/import/rejected/{number}")).content
        assert b",'=2+2," in content
        await ran(sue, await mapped(sue, content.replace(b"Frozen", b"Waiting")))
        assert [ticket.title for ticket in await desk.rows(Ticket)] == ["=1+1", "=2+2"]


class TestUndo:
    async def test_what_nobody_touched_goes_and_the_rest_is_named(self, desk: Desk, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(rows(4)))
        await ran(sue, number)
        first, second, *_ = await desk.rows(Ticket)
        await desk.run(tickets.edit, desk.cast.sam, first.id, {"title": "Mine now"}, version=1)
        await desk.comment(second)
        answer = await sue.post(f"/admin/import/undo/{number}")
        page = text_of(await sue.get(answer.headers["location"]))
        assert "2 tickets are in the trash, 2 were kept." in page
        assert f"{first.ticket_number} : changed by Sam Staff since" in page
        stored = await desk.rows(Ticket)
        assert [ticket.delete_reason for ticket in stored] == [None, None, "Import undone", "Import undone"]
        answer = await sue.post(f"/admin/import/undo/{number}")
        assert (answer.status_code, "nothing to undo" in text_of(answer)) == (409, True)


class TestUnfinished:
    async def test_it_is_gone_on_with(self, desk: Desk, sue: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running, "BATCH_ROWS", 2)
        really, calls = running.storing.import_batch, []

        async def breaks(*args: Any, **options: Any) -> Any:
            calls.append(1)
            if len(calls) == 3:
                raise ConnectionRefusedError
            return await really(*args, **options)

        monkeypatch.setattr(running.storing, "import_batch", breaks)
        number = await mapped(sue, csv_bytes(MIXED))
        answer = await sue.post(f"/admin/import/run/{number}", {"mode": "good_rows"})
        assert answer.status_code == 503
        page = await sue.get(f"/admin/import/result/{number}")
        assert "The run ended early" in text_of(page)
        assert "4 of 8 rows are done" in text_of(page)
        assert (await sue.post(f"/admin/import/check/{number}")).status_code == 409
        await ran(sue, number)
        found = await only(desk)
        assert (found.total, found.imported, found.known, found.rejected) == (8, 5, 1, 2)
        assert len(await desk.rows(Ticket)) == 5

    async def test_a_dead_run_is_noticed(self, desk: Desk, sue: Visitor) -> None:
        number = await mapped(sue, csv_bytes(rows(2)))
        path = f"/admin/import/result/{number}"
        await desk.set(TicketImport, int(number), state=ImportState.RUNNING, updated_at=clock.now())
        assert "Somebody is at it right now." in text_of(await sue.get(path))
        long_ago = clock.now() - timedelta(minutes=2)
        await desk.set(TicketImport, int(number), state=ImportState.RUNNING, updated_at=long_ago)
        assert "it has stopped" in text_of(await sue.get(path))
        await ran(sue, number)
        assert [ticket.status for ticket in await desk.rows(Ticket)] == [Status.PENDING] * 2


class TestWho:
    async def test_only_those_who_may_import(self, desk: Desk, sue: Visitor, visit: Visit) -> None:
        number = await mapped(sue, csv_bytes(rows(1)))
        pages = ["", f"/mapping/{number}", f"/result/{number}", f"/rejected/{number}"]
        posts = ["", f"/mapping/{number}", f"/check/{number}", f"/run/{number}", f"/undo/{number}"]
        for first_name in ("sam", "olaf"):
            visitor = await visit(first_name)
            for page in pages:
                assert (await visitor.get(f"/admin/import{page}")).status_code == 403, page
            for post in posts:
                answer = await visitor.post(f"/admin/import{post}", {"mode": "good_rows"})
                assert answer.status_code == 403, post
        assert await desk.rows(Ticket) == []

    async def test_what_is_not_there(self, sue: Visitor) -> None:
        for path in ("result/99", "mapping/99", "rejected/99", "result/99999999999", "result/x"):
            assert (await sue.get(f"/admin/import/{path}")).status_code == 404, path
